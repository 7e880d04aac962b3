/*
 * swapped TOTAL_MIB HOT_MIB
 *
 * All of the memory is swapped out; then the hot range in the middle is read, which brings it back. The cold ranges are
 * not resident: they stay on swap, of which the caller has to provide TOTAL_MIB and more.
 */
#include "common.h"

#define TRIES 100

/* Half noise, half text: compressed swap gets something to do, and needs half the space. */
static void fill(char *at, size_t bytes)
{
	uint64_t noise = 88172645463325252u;
	for (char *page = at; page < at + bytes; page += PAGE) {
		for (size_t i = 0; i < PAGE / 2; i += sizeof(noise)) {
			noise ^= noise << 13;
			noise ^= noise >> 7;
			noise ^= noise << 17;
			memcpy(page + i, &noise, sizeof(noise));
		}
		memset(page + PAGE / 2, 'x', PAGE / 2);
	}
}

int main(int argc, char **argv)
{
	begin(argc, argv, 2, "[TOTAL_MIB [HOT_MIB]]");
	size_t total = number(1, 128) * MIB, hot = number(2, 16) * MIB, offset = (total - hot) / 2;
	if (total == 0 || hot > total)
		usage();

	/*
	 * Pages get to an LRU list, from which alone they can be taken, in batches of a processor: the call below brings
	 * those of its own there. Of another one that has nothing to do they would wait for ever.
	 */
	cpu_set_t all, one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_getaffinity(0, sizeof(all), &all) < 0 || sched_setaffinity(0, sizeof(one), &one) < 0)
		fail("sched_setaffinity");

	char *base = map_small_pages(total);
	fill(base, total);
	for (int i = 0; proc_number("/proc/self/smaps_rollup", "Swap:") < total / 1024; i++) {
		if (i == TRIES)
			refuse("not everything could be swapped out: is there enough swap?");
		if (madvise(base, total, MADV_PAGEOUT) < 0)
			fail("madvise(MADV_PAGEOUT)");
		usleep(20000);
	}
	sched_setaffinity(0, sizeof(all), &all);
	read_pages(base + offset, hot);
	add_cold_hot_cold(base, total, offset, hot);
	tell();
	read_hot(0);
}
