/*
 * busy PERCENT
 *
 * Takes so much of a processor in pieces of a few milliseconds, as a monitor does, and touches nothing: what a process
 * loses beside it is lost to the machine's other work, not to being watched.
 */
#include "common.h"

#define PERIOD_US 5000

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "PERCENT");
	size_t percent = number(1, 50), busy_us = PERIOD_US * percent / 100;
	if (percent == 0 || percent > 100)
		usage();

	for (;; usleep(PERIOD_US - busy_us))
		for (long long end = now_ns() + busy_us * 1000LL; now_ns() < end;)
			;
}
