/*
 * renewed TOTAL_MIB OFFSET_MIB HOT_MIB EVERY_MS
 *
 * A hot range whose pages are given back and touched again, a few each round: every page has another frame each EVERY_MS,
 * as where a program frees and allocates the same memory again and again.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 4, "[TOTAL_MIB [OFFSET_MIB [HOT_MIB [EVERY_MS]]]]");
	size_t total = number(1, 64) * MIB, offset = number(2, 24) * MIB, hot = number(3, 8) * MIB;
	long long every = number(4, 500) * NS_PER_MS, began = now_ns();
	if (total == 0 || hot == 0 || offset + hot > total || every == 0)
		usage();

	char *base = map_small_pages(total), *range = base + offset;
	size_t pages = hot / PAGE, renewed = 0;
	add_cold_hot_cold(base, total, offset, hot);
	tell();
	for (;; end_round()) {
		size_t due = (double)(now_ns() - began) / every * pages;

		for (; renewed < due; renewed++)
			if (madvise(range + renewed % pages * PAGE, PAGE, MADV_DONTNEED) != 0)
				fail("madvise");
		write_pages(range, hot);
	}
}
