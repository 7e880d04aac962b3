/*
 * mlocked TOTAL_MIB OFFSET_MIB HOT_MIB
 *
 * As hotcold, with everything locked in memory. Its frames are unevictable, but carry the LRU flag as well (seen on
 * Linux 6.12), and so an idle bit.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 3, "[TOTAL_MIB [OFFSET_MIB [HOT_MIB]]]");
	size_t total = number(1, 64) * MIB, offset = number(2, 24) * MIB, hot = number(3, 16) * MIB;
	if (total == 0 || offset + hot > total)
		usage();

	char *base = map_small_pages(total);
	if (mlock(base, total) < 0)
		fail("mlock (see ulimit -l)");
	add_cold_hot_cold(base, total, offset, hot);
	tell();
	read_hot(0);
}
