/*
 * zeropage MIB
 *
 * Reads memory that was never written. All of its pages are the kernel's one page of zeros, which is on no LRU list and
 * has no idle bit. Beside it 8 MiB of ordinary hot memory.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[MIB]");
	size_t zeros = number(1, 32) * MIB, hot = 8 * MIB;
	if (zeros == 0)
		usage();

	char *base = map_aligned(zeros);
	/* The huge page of zeros has no idle bit either, but is another case: this is about small ones. */
	madvise(base, zeros, MADV_NOHUGEPAGE);
	read_pages(base, zeros);
	add("unsampled", base, zeros);
	add("hot", map_small_pages(hot), hot);
	tell();
	read_hot(0);
}
