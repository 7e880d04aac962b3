/*
 * warm MIB MS...
 *
 * A range of MIB for each MS, every page of which is read once each MS, and a cold one of the same size behind them.
 * They lie side by side in one mapping: only how often they are read tells them apart.
 *
 * A round is one pass over the first range.
 */
#include "common.h"

#define MOST 16
#define TICK_NS NS_PER_MS

struct warm {
	char *base;
	long long period_ns;
	size_t pages_read; /* since the start, over all passes */
};

/*
 * Reads the pages that are due: at any time the share of the period that is over is the share of the range that was
 * read, so a page is read one period after its last time, and the window of one period holds each page once.
 */
static void read_due(struct warm *warm, size_t pages, long long elapsed_ns)
{
	size_t due = elapsed_ns / warm->period_ns * pages + elapsed_ns % warm->period_ns * pages / warm->period_ns;
	/* Late by more than a period (a stopped process, a slow machine): what was missed cannot be made up for. */
	if (due - warm->pages_read > pages)
		warm->pages_read = due - pages;
	for (; warm->pages_read < due; warm->pages_read++)
		read_pages(warm->base + warm->pages_read % pages * PAGE, PAGE);
}

int main(int argc, char **argv)
{
	struct warm warms[MOST];
	begin(argc, argv, 1 + MOST, "[MIB [MS...]]");
	size_t bytes = number(1, 32) * MIB, pages = bytes / PAGE, count = argc > 2 ? argc - 2 : 3;
	if (bytes == 0)
		usage();

	char *base = map_small_pages((count + 1) * bytes);
	for (size_t i = 0; i < count; i++) {
		size_t every_ms = number(2 + i, (size_t)100 << i); /* 100, 200, 400 */
		if (every_ms == 0)
			usage();
		warms[i] = (struct warm){ base + i * bytes, every_ms * NS_PER_MS, 0 };
		add_warm(warms[i].base, bytes, every_ms);
	}
	add("cold", base + count * bytes, bytes);
	tell();
	long long start = now_ns();
	for (long long elapsed = 0;; elapsed = now_ns() - start) {
		for (size_t i = 0; i < count; i++)
			read_due(&warms[i], pages, elapsed);
		answer(warms[0].pages_read / pages);
		/* The next whole tick since the start, not one tick from now: lateness must not add up. */
		long long next = start + (elapsed / TICK_NS + 1) * TICK_NS;
		struct timespec at = { next / (1000 * NS_PER_MS), next % (1000 * NS_PER_MS) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, 0);
	}
}
