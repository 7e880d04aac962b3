/*
 * Reads or writes many 64-bit words of a kernel file in one call from JavaScript. If this is not built, src/kernel/words.ts
 * makes the same pread and pwrite calls one by one. The kernel is called as often either way; this saves the transition from
 * JavaScript to the system call and back for each word. Also has the ioctl of pagemap that finds present pages, which
 * JavaScript cannot call.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <node_api.h>

/* Most words read in one system call, including those that lie between the words of a batch. */
#define RUN 512

/* The arguments: (file: number, indices: Float64Array, words: Uint32Array, count: number), and for reading (reach: number). */
struct batch {
	int32_t file;
	uint32_t count;
	const double *indices;
	uint64_t *words;
	uint32_t reach;
};

static bool typed_array(napi_env env, napi_value value, napi_typedarray_type wanted, size_t length, void *data)
{
	napi_typedarray_type type;
	size_t has;

	return napi_get_typedarray_info(env, value, &type, &has, data, NULL, NULL) == napi_ok && type == wanted &&
	       has >= length;
}

static bool arguments(napi_env env, napi_callback_info info, size_t wanted, struct batch *batch)
{
	napi_value given[5];
	size_t count = 5;

	batch->reach = 0;
	return napi_get_cb_info(env, info, &count, given, NULL, NULL) == napi_ok && count == wanted &&
	       napi_get_value_int32(env, given[0], &batch->file) == napi_ok &&
	       napi_get_value_uint32(env, given[3], &batch->count) == napi_ok &&
	       typed_array(env, given[1], napi_float64_array, batch->count, &batch->indices) &&
	       typed_array(env, given[2], napi_uint32_array, 2 * (size_t)batch->count, &batch->words) &&
	       (wanted < 5 || napi_get_value_uint32(env, given[4], &batch->reach) == napi_ok);
}

/* The first word after `from` that needs another system call. */
static uint32_t end_of_run(const struct batch *batch, uint32_t from)
{
	const double *indices = batch->indices;
	uint32_t end = from + 1;

	while (end < batch->count && indices[end] >= indices[end - 1] &&
	       indices[end] - indices[end - 1] <= batch->reach && indices[end] - indices[from] < RUN)
		end++;
	return end;
}

/*
 * Both return the number of words read or written; words past the end of the file read as 0. They return -1 if a system
 * call fails: the caller then repeats the calls one by one, to report which one failed and why.
 */
static int64_t read_all(const struct batch *batch)
{
	uint64_t run[RUN];
	int64_t done = 0;

	for (uint32_t from = 0, end; from < batch->count; from = end) {
		double first = batch->indices[from];
		ssize_t length;

		end = end_of_run(batch, from);
		size_t wanted = (size_t)(batch->indices[end - 1] - first) + 1;
		do
			length = pread(batch->file, run, 8 * wanted, (off_t)first * 8);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return -1;
		for (uint32_t i = from; i < end; i++) {
			size_t at = batch->indices[i] - first;
			bool is_there = 8 * (at + 1) <= (size_t)length;

			batch->words[i] = is_there ? run[at] : 0;
			done += is_there;
		}
	}
	return done;
}

static int64_t write_all(const struct batch *batch)
{
	int64_t done = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		ssize_t length;

		do
			length = pwrite(batch->file, &batch->words[i], 8, (off_t)batch->indices[i] * 8);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return -1;
		done += length == 8;
	}
	return done;
}

static napi_value refuse(napi_env env)
{
	napi_throw_type_error(env, NULL, "expected a file, a Float64Array, a Uint32Array of twice its length, a count and, for reading, a reach");
	return NULL;
}

static napi_value number(napi_env env, int64_t value)
{
	napi_value made = NULL;

	napi_create_int64(env, value, &made);
	return made;
}

static napi_value read_words(napi_env env, napi_callback_info info)
{
	struct batch batch;

	return arguments(env, info, 5, &batch) ? number(env, read_all(&batch)) : refuse(env);
}

static napi_value write_words(napi_env env, napi_callback_info info)
{
	struct batch batch;

	return arguments(env, info, 4, &batch) ? number(env, write_all(&batch)) : refuse(env);
}

/*
 * PAGEMAP_SCAN, since Linux 6.7 (ioctl_pagemap_scan(2)). Defined here, because the headers may be those of an older kernel.
 */
struct found {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN _IOWR('f', 16, struct scan)
#define PRESENT (1 << 3)
#define SWAPPED (1 << 4)
#define FOUND_AT_ONCE 512

/*
 * The arguments: (file: number, start: number, end: number, grain: number, pairs: Float64Array). Stores the ranges of addresses
 * in [start, end) that have pages in memory or in swap, widened to multiples of `grain` bytes and joined, as [start, end)
 * pairs. Returns how many there are, -1 if the kernel cannot tell, or -2 if there are more than `pairs` has room for.
 */
static napi_value scan_present(napi_env env, napi_callback_info info)
{
	struct found found[FOUND_AT_ONCE];
	napi_value given[5];
	size_t count = 5, length;
	int32_t file;
	double start, end, grain, *pairs;
	napi_typedarray_type type;
	int64_t ranges = 0;

	if (napi_get_cb_info(env, info, &count, given, NULL, NULL) != napi_ok || count != 5 ||
	    napi_get_value_int32(env, given[0], &file) != napi_ok ||
	    napi_get_value_double(env, given[1], &start) != napi_ok ||
	    napi_get_value_double(env, given[2], &end) != napi_ok ||
	    napi_get_value_double(env, given[3], &grain) != napi_ok || !(grain >= 1) ||
	    napi_get_typedarray_info(env, given[4], &type, &length, (void **)&pairs, NULL, NULL) != napi_ok ||
	    type != napi_float64_array)
		return refuse(env);
	struct scan scan = {
		.size = sizeof(scan), .start = start, .end = end, .vec = (uintptr_t)found, .vec_len = FOUND_AT_ONCE,
		.category_anyof_mask = PRESENT | SWAPPED, .return_mask = PRESENT,
	};
	while (scan.start < scan.end) {
		long there;

		do
			there = ioctl(file, SCAN, &scan);
		while (there < 0 && errno == EINTR);
		if (there < 0)
			return number(env, -1);
		for (long i = 0; i < there; i++) {
			uint64_t from = found[i].start - found[i].start % (uint64_t)grain;
			uint64_t rest = found[i].end % (uint64_t)grain;
			double first = from < start ? start : (double)from;
			double last = rest == 0 ? found[i].end : found[i].end - rest + (uint64_t)grain;

			if (last > end)
				last = end;
			if (ranges > 0 && first <= pairs[2 * ranges - 1]) {
				pairs[2 * ranges - 1] = last;
				continue;
			}
			if (2 * (size_t)ranges + 2 > length)
				return number(env, -2);
			pairs[2 * ranges] = first;
			pairs[2 * ranges + 1] = last;
			ranges++;
		}
		/* It stops early only if there was no room for more. */
		if (scan.walk_end <= scan.start)
			break;
		scan.start = scan.walk_end;
	}
	return number(env, ranges);
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{ "readWords", NULL, read_words, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "writeWords", NULL, write_words, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "scanPresent", NULL, scan_present, NULL, NULL, NULL, napi_enumerable, NULL },
	};

	if (napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions) != napi_ok)
		return NULL;
	return exports;
}
