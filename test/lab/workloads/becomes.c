/*
 * becomes UID SECONDS TOTAL_MIB OFFSET_MIB HOT_MIB
 *
 * As hotcold; after SECONDS it becomes another user and goes on. A process that changed its user is not dumpable: from
 * then on its files in /proc belong to root, and only who has CAP_SYS_PTRACE may look at its memory. Needs root.
 */
#include "common.h"
#include <grp.h>

int main(int argc, char **argv)
{
	begin(argc, argv, 5, "[UID [SECONDS [TOTAL_MIB [OFFSET_MIB [HOT_MIB]]]]]");
	size_t id = number(1, 65534), seconds = number(2, 5);
	size_t total = number(3, 64) * MIB, offset = number(4, 24) * MIB, hot = number(5, 16) * MIB;
	if (total == 0 || offset + hot > total || seconds == 0)
		usage();

	add_cold_hot_cold(map_small_pages(total), total, offset, hot);
	tell();
	read_hot(seconds);
	if (setgroups(0, 0) < 0 || setgid(id) < 0 || setuid(id) < 0)
		fail("setuid");
	read_hot(0);
}
