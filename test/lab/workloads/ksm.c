/*
 * ksm MIB
 *
 * Two ranges of MIB each with the same contents, every page of a range different from the others, which the kernel has
 * merged: page i of both is one frame. Only the first range is read.
 *
 * Both are called hot nevertheless. The processor sets the accessed bit in the first range's page table alone, but
 * the idle bit belongs to the frame, and the kernel clears it when any of the frame's mappings was accessed.
 *
 * Needs /sys/kernel/mm/ksm/run = 1, and pages_to_scan so large that 2 * MIB are scanned three times in WAIT_SECONDS.
 * To look at the result: /proc/PID/smaps says how much is merged; Linux 6.12 sets the KSM flag in /proc/kpageflags on
 * every anonymous page.
 */
#include "common.h"

#define WAIT_SECONDS 30

/* No two words are alike, so neither are two pages of a range. */
static void fill(char *at, size_t bytes)
{
	uint64_t *words = (uint64_t *)at;
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = (i + 1) * 0x9e3779b97f4a7c15u;
}

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[MIB]");
	size_t bytes = number(1, 16) * MIB, pages = 2 * bytes / PAGE;
	if (bytes == 0)
		usage();

	char *base = map_small_pages(2 * bytes);
	fill(base, bytes);
	memcpy(base + bytes, base, bytes);
	if (madvise(base, 2 * bytes, MADV_MERGEABLE) < 0)
		fail("madvise(MADV_MERGEABLE)");
	long long end = now_ns() + WAIT_SECONDS * 1000 * NS_PER_MS;
	while (proc_number("/proc/self/ksm_merging_pages", "") < pages) {
		if (now_ns() > end)
			refuse("the pages were not merged (see /sys/kernel/mm/ksm/run and pages_to_scan)");
		usleep(100000);
	}
	add("hot", base, bytes);
	add("hot", base + bytes, bytes);
	tell();
	for (;; end_round())
		read_pages(base, bytes);
}
