/*
 * words
 *
 * What the idle bitmap costs, in a loop in C: microseconds of CPU to mark a page and to read the word with its bit, by the
 * number of idle frames in the word and of processes that map the page. Prints one row of JSON for each.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES ((size_t)16384)
#define FRAME ((UINT64_C(1) << 55) - 1)
#define MOST 400
#define ROUNDS 5

static int pagemap, bitmap;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static char *map(size_t pages, int flags)
{
	char *base = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		fail("mmap");
	madvise(base, pages * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		base[i * PAGE] = 1;
	return base;
}

static uint64_t frame_of(const char *at)
{
	uint64_t word;

	if (pread(pagemap, &word, 8, (uintptr_t)at / PAGE * 8) != 8 || !(word & FRAME))
		fail("pagemap");
	return word & FRAME;
}

/* Marks `count` pages, `step` apart, and reads the words with their bits: the least of some rounds. */
static void measure(const char *base, size_t count, size_t step, int processes)
{
	double mark = 1e9, read = 1e9, idle = 0;
	uint64_t *frames = malloc(count * sizeof(*frames));

	for (size_t i = 0; i < count; i++)
		frames[i] = frame_of(base + i * step * PAGE);
	for (int round = 0; round < ROUNDS; round++) {
		double began = cpu_us();
		for (size_t i = 0; i < count; i++) {
			uint64_t bit = UINT64_C(1) << (frames[i] % 64);
			if (pwrite(bitmap, &bit, 8, frames[i] / 64 * 8) != 8)
				fail("pwrite");
		}
		double marked = cpu_us();
		idle = 0;
		for (size_t i = 0; i < count; i++) {
			uint64_t word;
			if (pread(bitmap, &word, 8, frames[i] / 64 * 8) != 8)
				fail("pread");
			idle += __builtin_popcountll(word);
		}
		double done = cpu_us();
		if ((marked - began) / count < mark)
			mark = (marked - began) / count;
		if ((done - marked) / count < read)
			read = (done - marked) / count;
	}
	free(frames);
	printf("{\"idle\":%.1f,\"processes\":%d,\"markUs\":%.2f,\"readUs\":%.2f}\n", idle / count, processes, mark, read);
	fflush(stdout);
}

int main(void)
{
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	bitmap = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	if (pagemap < 0 || bitmap < 0)
		fail("open");

	char *own = map(PAGES, MAP_PRIVATE);
	for (size_t step = 64; step >= 1; step /= 4)
		measure(own, 256, step, 1);

	/* The longest step again, so that few idle frames share a word. */
	char *shared = map(PAGES, MAP_SHARED);
	for (int processes = 1, wanted = 1; wanted <= MOST; wanted *= processes < 20 ? 20 : 4) {
		for (; processes < wanted; processes++) {
			pid_t child = fork();
			if (child < 0)
				fail("fork");
			if (child > 0)
				continue;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (size_t i = 0; i < 256; i++)
				(void)*(volatile char *)(shared + i * 64 * PAGE);
			for (;;)
				pause();
		}
		sleep(1);
		measure(shared, 256, 64, processes);
	}
	return 0;
}
