/*
 * sparse TIB HOT_MIB
 *
 * One mapping of TIB, of which HOT_MIB in its middle are written all the time and nothing else is resident: as the shadow
 * memory of a sanitizer, or the reserved heap of a runtime.
 */
#include "common.h"

int main(int argc, char **argv)
{
	begin(argc, argv, 2, "[TIB [HOT_MIB]]");
	size_t bytes = number(1, 8) << 40, hot = number(2, 32) * MIB;
	if (hot == 0 || hot > bytes / 2)
		usage();
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *base = mmap(0, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (base == MAP_FAILED)
		fail("mmap");
	base += bytes / 2;
	set_up(base, hot, MADV_NOHUGEPAGE);
	add("hot", base, hot);
	tell();
	for (;; end_round())
		write_pages(base, hot);
}
