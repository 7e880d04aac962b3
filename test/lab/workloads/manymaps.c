/*
 * manymaps N
 *
 * N mappings of one page each, side by side: every second one is read-only, so that the kernel cannot join them. The
 * middle third of them is hot. N is limited by /proc/sys/vm/max_map_count; and more pages than that could not all be read
 * between two checks on a slow machine.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 1, "[N]");
	size_t count = number(1, 20000), total = count * PAGE, third = count / 3 * PAGE;
	if (third == 0)
		usage();

	char *base = map_small_pages(total);
	for (size_t i = 1; i < count; i += 2)
		if (mprotect(base + i * PAGE, PAGE, PROT_READ) < 0)
			fail("mprotect (see /proc/sys/vm/max_map_count)");
	add_cold_hot_cold(base, total, third, third);
	tell();
	read_hot(0);
}
