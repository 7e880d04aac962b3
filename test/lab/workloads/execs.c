/*
 * execs SECONDS PROGRAM ARG...
 *
 * Has 8 MiB of hot memory for SECONDS, and then becomes another program, with other memory, under the same pid.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, argc, "SECONDS PROGRAM [ARG...]");
	const char *program = text(2, 0);
	size_t seconds = number(1, 0);
	if (seconds == 0)
		usage();

	add("hot", map_small_pages(8 * MIB), 8 * MIB);
	tell();
	read_hot(seconds);
	execv(program, argv + 2);
	fail(program);
}
