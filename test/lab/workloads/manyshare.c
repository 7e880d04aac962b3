/*
 * manyshare PROCESSES MIB HOT_MIB
 *
 * Shared memory that so many processes map and have touched, one of which reads the middle of it all the time. An idle
 * bit belongs to the frame; to ask whether it was accessed the kernel visits every page table that maps it.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 3, "[PROCESSES [MIB [HOT_MIB]]]");
	size_t processes = number(1, 200), total = number(2, 16) * MIB, hot = number(3, 4) * MIB;
	if (processes == 0 || total == 0 || hot > total)
		usage();

	char *base = mmap(0, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int touched[2];
	if (base == MAP_FAILED || pipe(touched) < 0)
		fail("mmap");
	set_up(base, total, MADV_NOHUGEPAGE);
	pid_t parent = getpid();
	for (size_t i = 1; i < processes; i++) {
		pid_t child = fork();
		if (child < 0)
			fail("fork");
		if (child > 0)
			continue;
		end_with(parent);
		read_pages(base, total);
		close(touched[0]);
		close(touched[1]);
		for (;;)
			pause();
	}
	/* All of them have, when nobody has the other end any longer. */
	close(touched[1]);
	char byte;
	if (read(touched[0], &byte, 1) != 0)
		fail("read");
	add_cold_hot_cold(base, total, (total - hot) / 2, hot);
	tell();
	read_hot(0);
}
