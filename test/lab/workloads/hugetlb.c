/*
 * hugetlb PAGES
 *
 * Pages of hugetlbfs that are written all the time. They are not on any LRU list, so they have no idle bit. Beside them
 * 8 MiB of ordinary hot memory. Needs free pages in /proc/sys/vm/nr_hugepages.
 */
#include "common.h"
#include <linux/mman.h>

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[PAGES]");
	size_t bytes = number(1, 4) * HUGE, hot = 8 * MIB;
	if (bytes == 0)
		usage();

	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB;
	char *huge = mmap(0, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (huge == MAP_FAILED)
		fail("mmap (see /proc/sys/vm/nr_hugepages)");
	write_pages(huge, bytes);
	char *base = map_small_pages(hot);
	add("unsampled", huge, bytes);
	add("hot", base, hot);
	tell();
	for (;; end_round()) {
		write_pages(huge, bytes);
		read_pages(base, hot);
	}
}
