/*
 * sleepers COUNT
 *
 * A process that forks COUNT - 1 others; all of them sleep. The crowd that a few busy ones are found in: nothing of its
 * memory is said to be hot or cold.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "COUNT");
	size_t count = number(1, 0);
	if (count == 0)
		usage();

	pid_t parent = getpid();
	int ready[2];
	char byte;
	if (pipe(ready) < 0)
		fail("pipe");
	for (size_t i = 1; i < count; i++) {
		pid_t child = fork();
		if (child < 0)
			fail("fork");
		if (child > 0)
			continue;
		end_with(parent);
		alarm(LIFETIME_SECONDS); /* is not inherited */
		tell();
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		refuse("the others are not ready");
	tell();
	for (;;)
		pause();
}
