/*
 * floor PID PAGES REGIONS SLEEP_US
 *
 * The floor that Pagepulse's cost is quoted against: a loop in C that makes the system calls of an idle-page check that
 * remembers nothing, and does nothing else. PAGES is a file of page numbers as doubles, REGIONS for each tick. Without an
 * idle bitmap, it makes the two calls that find a page's frame and its flags. Prints microseconds of CPU per page.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRAME ((UINT64_C(1) << 55) - 1)
#define PRESENT (UINT64_C(1) << 63)

static int pagemap, flags, bitmap;

static uint64_t word_of(int file, uint64_t index)
{
	uint64_t word = 0;

	if (pread(file, &word, 8, index * 8) < 0)
		perror("pread");
	return word;
}

static uint64_t frame_of(uint64_t page)
{
	uint64_t word = word_of(pagemap, page);

	return word & PRESENT ? word & FRAME : 0;
}

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void resolve(const double *pages, size_t count, uint64_t *frames)
{
	for (size_t i = 0; i < count; i++)
		frames[i] = frame_of(pages[i]);
	if (bitmap < 0)
		for (size_t i = 0; i < count; i++)
			word_of(flags, frames[i]);
}

/* File by file, as the check does. */
static void mark(const uint64_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t bit = UINT64_C(1) << (frames[i] % 64);

		if (frames[i] && pwrite(bitmap, &bit, 8, frames[i] / 64 * 8) < 0)
			perror("pwrite");
	}
}

/* Accessed pages are read again from the other two files. */
static void check(const double *pages, const uint64_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!frames[i] || word_of(bitmap, frames[i] / 64) >> (frames[i] % 64) & 1)
			continue;
		word_of(flags, frames[i]);
		frame_of(pages[i]);
	}
}

int main(int argc, char **argv)
{
	char path[64];
	struct stat is;

	if (argc != 5) {
		fprintf(stderr, "usage: floor PID PAGES REGIONS SLEEP_US\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pagemap = open(path, O_RDONLY);
	flags = open("/proc/kpageflags", O_RDONLY);
	bitmap = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	int list = open(argv[2], O_RDONLY);
	if (pagemap < 0 || flags < 0 || list < 0 || fstat(list, &is) < 0) {
		perror("floor");
		return 1;
	}
	size_t count = is.st_size / 8, regions = strtoul(argv[3], 0, 10);
	useconds_t sleep_us = strtoul(argv[4], 0, 10);
	double *pages = malloc(is.st_size);
	uint64_t *frames = malloc(8 * regions);
	if (!pages || !frames || read(list, pages, is.st_size) != is.st_size) {
		perror("floor");
		return 1;
	}

	double began = cpu_us();
	for (size_t at = 0; at + regions <= count; at += regions) {
		resolve(pages + at, regions, frames);
		if (bitmap >= 0)
			mark(frames, regions);
		if (sleep_us)
			usleep(sleep_us);
		if (bitmap >= 0)
			check(pages + at, frames, regions);
	}
	printf("%.4f\n", (cpu_us() - began) / count);
	return 0;
}
