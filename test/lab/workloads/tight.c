/*
 * tight KIB
 *
 * Reads KIB of 8 MiB in a loop that never pauses: no other process gets the processor, so what the processor knows of
 * the page tables stays in its TLB, and it has no reason to look at them.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[KIB]");
	size_t total = 8 * MIB, hot = number(1, 256) * 1024 / PAGE * PAGE;
	if (hot == 0 || hot > total)
		usage();

	char *base = map_small_pages(total);
	add_cold_hot_cold(base, total, (total - hot) / 2 / PAGE * PAGE, hot);
	tell();
	for (;; answer(++rounds_made))
		read_pages(truth.ranges[1].start, hot);
}
