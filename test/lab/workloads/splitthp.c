/*
 * splitthp MIB
 *
 * Huge pages of which every second one is no longer mapped as one: its 512 small pages have entries of their own, but
 * are still parts of one large folio, with one idle bit, at its first page. The first half of the mapping is hot, all
 * pages of it that are there; the second half is cold.
 *
 * The entries are split in three ways: by dropping the first page (so the page that has the idle bit is not mapped),
 * by dropping the last page, and by making one page in the middle read-only (which splits the mapping as well). A
 * dropped page is never touched again: it would get a new small frame. So of the hot range, which the truth names as
 * a whole, not quite everything is hot: less than one page in 512 is not there.
 */
#include "common.h"

static int drops_first(size_t piece) { return piece % 8 == 1; }
static int drops_last(size_t piece) { return piece % 8 == 5; }
static int is_read_only_inside(size_t piece) { return piece % 4 == 3; }

static void split(char *at, size_t piece)
{
	int status = 0;
	if (drops_first(piece))
		status = madvise(at, PAGE, MADV_DONTNEED);
	else if (drops_last(piece))
		status = madvise(at + HUGE - PAGE, PAGE, MADV_DONTNEED);
	else if (is_read_only_inside(piece))
		status = mprotect(at + HUGE / 2, PAGE, PROT_READ);
	if (status < 0)
		fail("splitting a huge page");
}

static void expect_huge_pages(size_t count, const char *otherwise)
{
	if (proc_number("/proc/self/smaps_rollup", "AnonHugePages:") != count * HUGE / 1024)
		refuse(otherwise);
}

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[MIB]  (MIB: a multiple of 4)");
	size_t total = number(1, 64) * MIB, pieces = total / HUGE;
	if (total == 0 || total % (2 * HUGE) != 0)
		usage();

	char *base = map_aligned(total);
	set_up(base, total, MADV_HUGEPAGE);
	expect_huge_pages(pieces, "the kernel gave no huge pages (transparent_hugepage/enabled)");
	for (size_t piece = 0; piece < pieces; piece++)
		split(base + piece * HUGE, piece);
	/* Or khugepaged would make them whole again, and fill in the dropped pages. Huge pages that are there stay. */
	madvise(base, total, MADV_NOHUGEPAGE);
	expect_huge_pages(pieces / 2, "not every second huge page was split");
	add_cold_hot_cold(base, total, 0, total / 2);
	tell();
	for (;; end_round())
		for (size_t piece = 0; piece < pieces / 2; piece++) {
			size_t from = drops_first(piece) ? PAGE : 0, to = drops_last(piece) ? HUGE - PAGE : HUGE;
			read_pages(base + piece * HUGE + from, to - from);
		}
}
