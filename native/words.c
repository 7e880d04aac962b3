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

/*
 * Returns how many words there were to read or write; those that the file does not have are read as 0. -1 where the system
 * says no: the caller then asks one by one, for an error that says what and why.
 */
static int64_t transfer(const struct batch *batch, bool writes)
{
	int64_t done = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		uint64_t *word = &batch->words[i];
		off_t at = (off_t)batch->indices[i] * 8;
		ssize_t length;

		do
			length = writes ? pwrite(batch->file, word, 8, at) : pread(batch->file, word, 8, at);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return -1;
		if (length == 8)
			done++;
		else if (!writes)
			*word = 0;
	}
	return done;
}

static napi_value call(napi_env env, napi_callback_info info, bool writes)
{
	struct batch batch;
	napi_value done = NULL;

	if (arguments(env, info, &batch))
		napi_create_int64(env, transfer(&batch, writes), &done);
	else
		napi_throw_type_error(env, NULL, "a file, a Float64Array, a Uint32Array of twice its length, and a count");
	return done;
}

static napi_value read_words(napi_env env, napi_callback_info info)
{
	return call(env, info, false);
}

static napi_value write_words(napi_env env, napi_callback_info info)
{
	return call(env, info, true);
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
