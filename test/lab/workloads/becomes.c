/*
 * becomes UID TOTAL_MIB OFFSET_MIB HOT_MIB
 *
 * As hotcold; at SIGUSR2 it becomes another user and goes on. A process that changed its user is not dumpable: from
 * then on its files in /proc belong to root, and only who has CAP_SYS_PTRACE may look at its memory. Needs root.
 */
#include "common.h"
#include <grp.h>

static volatile sig_atomic_t is_to_become;

static void on_usr2(int signal)
{
	(void)signal;
	is_to_become = 1;
}

int main(int argc, char **argv)
{
	begin(argc, argv, 4, "[UID [TOTAL_MIB [OFFSET_MIB [HOT_MIB]]]]");
	sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = on_usr2, .sa_flags = SA_RESTART }, 0);
	size_t id = number(1, 65534);
	size_t total = number(2, 64) * MIB, offset = number(3, 24) * MIB, hot = number(4, 16) * MIB;
	if (total == 0 || offset + hot > total)
		usage();

	add_cold_hot_cold(map_small_pages(total), total, offset, hot);
	tell();
	while (!is_to_become)
		read_hot_once();
	if (setgroups(0, 0) < 0 || setgid(id) < 0 || setuid(id) < 0)
		fail("setuid");
	read_hot(0);
}
