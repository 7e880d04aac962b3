/*
 * heap SECONDS
 *
 * An address space that grows, moves and shrinks, in phases of SECONDS:
 *   0  the heap has grown to 32 MiB, hot
 *   1  and 64 MiB are mapped, of which the first 32 are hot
 *   2  and the mapping has grown to 128 MiB, which in general moves it; its first 32 MiB stay hot
 *   3  the mapping is gone, the heap has shrunk to 16 MiB, hot
 * and over again. Nothing here may call malloc: the heap is the workload's own.
 */
#include "common.h"

/* Moves the break to `end`, and makes what came with it resident. */
static void set_break(char *end)
{
	char *before = sbrk(0);
	if (brk(end) < 0)
		fail("brk");
	if (end > before)
		set_up(before, end - before, MADV_NOHUGEPAGE);
}

static void phase(size_t seconds, char *heap, size_t heap_bytes, char *mapped, size_t mapped_bytes)
{
	add("hot", heap, heap_bytes);
	if (mapped)
		add_cold_hot_cold(mapped, mapped_bytes, 0, 32 * MIB);
	tell();
	read_hot(seconds);
	next_phase();
}

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[SECONDS]");
	size_t seconds = number(1, 5);
	if (seconds == 0)
		usage();

	/* Where addresses are not randomized the break begins at the end of the data, in the middle of a page. */
	char *heap = (char *)(((uintptr_t)sbrk(0) + PAGE - 1) & ~(PAGE - 1));
	if (brk(heap) < 0)
		fail("brk");
	for (;;) {
		set_break(heap + 32 * MIB);
		phase(seconds, heap, 32 * MIB, 0, 0);

		char *mapped = map_small_pages(64 * MIB);
		phase(seconds, heap, 32 * MIB, mapped, 64 * MIB);

		mapped = mremap(mapped, 64 * MIB, 128 * MIB, MREMAP_MAYMOVE);
		if (mapped == MAP_FAILED)
			fail("mremap");
		set_up(mapped + 64 * MIB, 64 * MIB, MADV_NOHUGEPAGE);
		phase(seconds, heap, 32 * MIB, mapped, 128 * MIB);

		munmap(mapped, 128 * MIB);
		set_break(heap + 16 * MIB);
		phase(seconds, heap, 16 * MIB, 0, 0);
	}
}
