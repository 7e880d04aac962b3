/*
 * Many words of a kernel file in one call from JavaScript: pread or pwrite of 8 bytes each, as src/kernel/words.ts does
 * them one by one where this is not built. The kernel is called as often either way; what is saved is the way from
 * JavaScript to the system call and back, once a word.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include <node_api.h>

/* The arguments of both functions: (file: number, indices: Float64Array, words: Uint32Array, count: number). */
struct batch {
	int32_t file;
	uint32_t count;
	const double *indices;
	uint64_t *words;
};

static bool typed_array(napi_env env, napi_value value, napi_typedarray_type wanted, size_t length, void *data)
{
	napi_typedarray_type type;
	size_t has;

	return napi_get_typedarray_info(env, value, &type, &has, data, NULL, NULL) == napi_ok && type == wanted &&
	       has >= length;
}

static bool arguments(napi_env env, napi_callback_info info, struct batch *batch)
{
	napi_value given[4];
	size_t count = 4;

	return napi_get_cb_info(env, info, &count, given, NULL, NULL) == napi_ok && count == 4 &&
	       napi_get_value_int32(env, given[0], &batch->file) == napi_ok &&
	       napi_get_value_uint32(env, given[3], &batch->count) == napi_ok &&
	       typed_array(env, given[1], napi_float64_array, batch->count, &batch->indices) &&
	       typed_array(env, given[2], napi_uint32_array, 2 * (size_t)batch->count, &batch->words);
}

/* What was done, or -1 where the system said no: the caller then asks one by one, for an error that says what and why. */
static napi_value answer(napi_env env, int64_t done)
{
	napi_value value = NULL;

	napi_create_int64(env, done, &value);
	return value;
}

static napi_value refuse(napi_env env)
{
	napi_throw_type_error(env, NULL, "a file, a Float64Array, a Uint32Array of twice its length, and a count");
	return NULL;
}

/* Words that the file does not have become 0; returns how many it has. */
static napi_value read_words(napi_env env, napi_callback_info info)
{
	struct batch batch;
	int64_t there = 0;

	if (!arguments(env, info, &batch))
		return refuse(env);
	for (uint32_t i = 0; i < batch.count; i++) {
		ssize_t length;

		do
			length = pread(batch.file, &batch.words[i], 8, (off_t)batch.indices[i] * 8);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return answer(env, -1);
		if (length == 8)
			there++;
		else
			batch.words[i] = 0;
	}
	return answer(env, there);
}

static napi_value write_words(napi_env env, napi_callback_info info)
{
	struct batch batch;

	if (!arguments(env, info, &batch))
		return refuse(env);
	for (uint32_t i = 0; i < batch.count; i++) {
		ssize_t length;

		do
			length = pwrite(batch.file, &batch.words[i], 8, (off_t)batch.indices[i] * 8);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return answer(env, -1);
	}
	return answer(env, batch.count);
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{ "readWords", NULL, read_words, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "writeWords", NULL, write_words, NULL, NULL, NULL, napi_enumerable, NULL },
	};

	if (napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions) != napi_ok)
		return NULL;
	return exports;
}
