/*
 * threads N MIB
 *
 * N threads, each of which reads its own slice of the hot memory; behind it as much cold memory. Which thread accesses
 * a page must make no difference to a monitor of the process.
 *
 * A round is over when every thread has read its slice.
 */
#include "common.h"
#include <pthread.h>
#include <stdatomic.h>

#define MOST 512

static struct slice {
	char *base;
	size_t bytes;
	atomic_size_t rounds;
} slices[MOST];

static void *read_slice(void *argument)
{
	struct slice *slice = argument;
	for (;; usleep(1000)) {
		read_pages(slice->base, slice->bytes);
		slice->rounds++;
	}
	return 0;
}

static size_t fewest_rounds(size_t count)
{
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < count; i++)
		if (slices[i].rounds < fewest)
			fewest = slices[i].rounds;
	return fewest;
}

int main(int argc, char **argv)
{
	begin(argc, argv, 2, "[N [MIB]]");
	size_t count = number(1, 16), mib = number(2, 64);
	if (count == 0 || count > MOST || mib == 0)
		usage();

	size_t slice_bytes = mib * MIB / count / PAGE * PAGE, hot = slice_bytes * count;
	char *base = map_small_pages(2 * hot);
	for (size_t i = 0; i < count; i++) {
		pthread_t thread;
		slices[i].base = base + i * slice_bytes;
		slices[i].bytes = slice_bytes;
		errno = pthread_create(&thread, 0, read_slice, &slices[i]);
		if (errno)
			fail("pthread_create");
	}
	while (fewest_rounds(count) == 0)
		usleep(1000);
	add_cold_hot_cold(base, 2 * hot, 0, hot);
	tell();
	for (;; usleep(1000))
		answer(fewest_rounds(count));
}
