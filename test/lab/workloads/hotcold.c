/*
 * hotcold TOTAL_MIB OFFSET_MIB HOT_MIB [read|write|thp|folio|apart]
 *
 * One mapping with one hot range in it: read, or written and never read, or read in huge pages, or read in pages of
 * whatever size the kernel gives where large ones are welcome, or read as a mapping apart, of which the kernel counts
 * apart what was accessed (the referenced check sees nothing smaller).
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 4, "[TOTAL_MIB [OFFSET_MIB [HOT_MIB [read|write|thp|folio|apart]]]]  (thp: even numbers)");
	size_t total = number(1, 256) * MIB, offset = number(2, 100) * MIB, hot = number(3, 32) * MIB;
	const char *mode = text(4, "read");
	int thp = !strcmp(mode, "thp"), folio = !strcmp(mode, "folio"), writes = !strcmp(mode, "write");
	int apart = !strcmp(mode, "apart");
	if (total == 0 || offset + hot > total || (!thp && !folio && !writes && !apart && strcmp(mode, "read")))
		usage();
	/* A huge page that is part hot and part cold would be accessed as a whole. */
	if (thp && (total | offset | hot) % HUGE != 0)
		usage();

	char *base = map_aligned(total);
	set_up(base, total, thp || folio ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (thp && proc_number("/proc/self/smaps_rollup", "AnonHugePages:") < total / 1024)
		refuse("the kernel gave no huge pages (transparent_hugepage/enabled, or memory is too fragmented)");
	/* Mappings that are not alike are not one: this one is left out of core files. */
	if (apart && madvise(base + offset, hot, MADV_DONTDUMP) != 0)
		refuse("the kernel did not make the hot range a mapping of its own (MADV_DONTDUMP)");
	add_cold_hot_cold(base, total, offset, hot);
	tell();
	if (writes)
		for (;; end_round())
			write_pages(base + offset, hot);
	read_hot(0);
}
