/*
 * forkcow TOTAL_MIB HOT_MIB
 *
 * A parent that reads a hot range at a quarter of its memory, and a child that writes another one at three quarters all
 * the time, so that those pages are its own copies. All other frames belong to both.
 *
 * An idle bit belongs to the frame, not to who accesses it. So the parent's hot range is hot in the child too, though
 * the child never reads it, and the child's range is cold in the parent, which alone has the old frames now.
 */
#include "common.h"

static void be_child(pid_t parent, int ready, char *written, size_t bytes)
{
	end_with(parent);
	alarm(LIFETIME_SECONDS); /* is not inherited */
	write_pages(written, bytes);
	tell();
	close(ready);
	for (;; end_round())
		write_pages(written, bytes);
}

int main(int argc, char **argv)
{
	begin(argc, argv, 2, "[TOTAL_MIB [HOT_MIB]]  (HOT_MIB: a quarter of TOTAL_MIB at most)");
	size_t total = number(1, 128) * MIB, hot = number(2, 16) * MIB, quarter = total / 4;
	if (total == 0 || hot > quarter)
		usage();

	char *base = map_small_pages(total), byte;
	pid_t parent = getpid(), child;
	int ready[2];
	if (pipe(ready) < 0 || (child = fork()) < 0)
		fail("fork");
	if (child == 0) {
		add("cold", base, quarter);
		add("hot", base + quarter, hot);
		add("cold", base + quarter + hot, 2 * quarter - hot);
		add("hot", base + 3 * quarter, hot);
		add("cold", base + 3 * quarter + hot, quarter - hot);
		be_child(parent, ready[1], base + 3 * quarter, hot);
	}
	/* The child's copying reads the parent's frames: nothing is cold before it is done. */
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		refuse("the child is not ready");
	add_cold_hot_cold(base, total, quarter, hot);
	tell();
	read_hot(0);
}
