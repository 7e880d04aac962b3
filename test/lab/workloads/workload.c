/*
 * Processes whose memory and accesses are known. Each prints one line of JSON with the addresses that matter (hex) when
 * it is ready, and goes on until it is killed.
 *
 *   workload hot MIB             reads MIB of anonymous memory all the time
 *   workload exec MIB            sleeps a while, then becomes `workload hot MIB`
 *   workload share FILE KIB read maps a file, reads all of it every 60 ms
 *   workload share FILE KIB hold maps it, touches all of it once, then never
 *   workload hugetlb             writes 2 pages of hugetlbfs all the time
 *   workload zero MIB            reads memory that was never written, all the time
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define MIB ((size_t)1 << 20)

static volatile char sum;

static char *map(size_t bytes, int flags, int file)
{
	char *at = mmap(0, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
	if (at == MAP_FAILED) {
		perror("workload: mmap");
		exit(1);
	}
	return at;
}

static void tell(char *at, size_t bytes)
{
	printf("{\"pid\":%d,\"start\":\"%lx\",\"end\":\"%lx\"}\n", getpid(), (long)at, (long)(at + bytes));
	fflush(stdout);
}

static void touch(char *at, size_t bytes, int write)
{
	for (size_t i = 0; i < bytes; i += PAGE) {
		if (write)
			at[i]++;
		else
			sum += at[i];
	}
}

static void hot(size_t bytes)
{
	char *at = map(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	madvise(at, bytes, MADV_NOHUGEPAGE);
	touch(at, bytes, 1);
	tell(at, bytes);
	for (;; usleep(1000))
		touch(at, bytes, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t size = argc > 2 ? atol(argv[2]) : 0;
	if (!strcmp(what, "hot"))
		hot(size * MIB);
	if (!strcmp(what, "exec")) {
		char *before = map(8 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		touch(before, 8 * MIB, 1);
		tell(before, 8 * MIB);
		sleep(10);
		execl("/proc/self/exe", "workload", "hot", argv[2], (char *)0);
	}
	if (!strcmp(what, "share")) {
		size_t bytes = atol(argv[3]) * 1024;
		int file = open(argv[2], O_RDWR | O_CREAT, 0600);
		if (file < 0 || ftruncate(file, bytes) < 0)
			return 1;
		char *at = map(bytes, MAP_SHARED, file);
		touch(at, bytes, 1);
		tell(at, bytes);
		for (; !strcmp(argv[4], "read"); usleep(60000))
			touch(at, bytes, 0);
		pause();
	}
	if (!strcmp(what, "hugetlb")) {
		char *at = map(4 * MIB, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
		tell(at, 4 * MIB);
		for (;; usleep(1000))
			touch(at, 4 * MIB, 1);
	}
	if (!strcmp(what, "zero")) {
		char *at = map(size * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		madvise(at, size * MIB, MADV_NOHUGEPAGE);
		tell(at, size * MIB);
		for (;; usleep(1000))
			touch(at, size * MIB, 0);
	}
	return 2;
}
