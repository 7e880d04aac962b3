/*
 * What all workloads share: arguments, memory of a known kind, rounds of touching it, the lines that tell the truth.
 *
 * A workload prints one line of JSON when a phase begins, and only when all that the line says is so already:
 *
 *   {"pid":123,"atNs":"<CLOCK_MONOTONIC>","phase":0,"ranges":[{"start":"7f..","end":"7f..","kind":"hot"},...]}
 *
 * and where it does not last until the next one begins, one when it ends:
 *
 *   {"pid":123,"atNs":"..","phaseEnds":0}
 *
 * Addresses are hex and page aligned, ends exclusive, ranges sorted. The kinds:
 *
 *   hot        every page is accessed once a round; between two rounds there is 1 ms of sleep
 *   cold       mapped, and not accessed since it was set up; resident unless the workload says otherwise
 *   warm       with "everyMs":N, every page is accessed once each N ms, evenly spread over the time
 *   unsampled  accessed as hot is, but its frames carry no idle bit: a monitor has to call it not accessed
 *
 * SIGUSR1 makes it print how many rounds it has made: {"pid":123,"atNs":"..","rounds":N}. It runs until it is killed;
 * should nobody do so, it ends by itself after LIFETIME_SECONDS, or as many as the environment says by that name.
 */
#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define MIB ((size_t)1 << 20)
#define HUGE (2 * MIB)
#define NS_PER_MS 1000000LL
#define LIFETIME_SECONDS 600

/* ---- arguments and errors ---- */

static struct {
	int argc;
	char **argv;
	const char *usage;
} command;

__attribute__((noreturn)) static inline void usage(void)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, command.usage);
	exit(2);
}

/* For what the system said no to; errno says why. */
__attribute__((noreturn)) static inline void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* For what the system did not do although it did not say no: going on would print a lie. */
__attribute__((noreturn)) static inline void refuse(const char *why)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
	exit(1);
}

static inline const char *text(int at, const char *otherwise)
{
	const char *given = at < command.argc ? command.argv[at] : otherwise;
	if (!given)
		usage();
	return given;
}

static inline size_t number(int at, size_t otherwise)
{
	if (at >= command.argc)
		return otherwise;
	char *end;
	size_t value = strtoul(command.argv[at], &end, 10);
	if (*end || command.argv[at][0] < '0' || command.argv[at][0] > '9')
		usage();
	return value;
}

/* ---- memory ---- */

static inline void read_pages(const char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		(void)*(const volatile char *)(at + i);
}

static inline void write_pages(char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		*(volatile char *)(at + i) = 1;
}

/* Anonymous memory that begins at a multiple of 2 MiB and was not touched yet. */
static inline char *map_aligned(size_t bytes)
{
	char *raw = mmap(0, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw == MAP_FAILED)
		fail("mmap");
	char *base = (char *)(((uintptr_t)raw + HUGE - 1) & ~(HUGE - 1));
	/* What is left over at the two sides would be memory that the truth does not name. */
	if (base > raw)
		munmap(raw, base - raw);
	munmap(base + bytes, raw + HUGE - base);
	return base;
}

/* Makes it resident, with pages of the size asked for. A kernel without huge pages refuses the advice: just as well. */
static inline void set_up(char *at, size_t bytes, int advice)
{
	madvise(at, bytes, advice);
	write_pages(at, bytes);
}

static inline char *map_small_pages(size_t bytes)
{
	char *base = map_aligned(bytes);
	set_up(base, bytes, MADV_NOHUGEPAGE);
	return base;
}

/* The number after `key` at the beginning of a line, as in /proc/self/smaps_rollup (there in KiB). */
static inline size_t proc_number(const char *path, const char *key)
{
	char line[256];
	size_t value = 0, length = strlen(key);
	FILE *file = fopen(path, "r");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length)) {
			value = strtoul(line + length, 0, 10);
			break;
		}
	fclose(file);
	return value;
}

/* ---- processes ---- */

/* For a child: it ends when its parent does, also where that has ended already. */
static inline void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		exit(1);
}

/* ---- the truth ---- */

struct range {
	char *start;
	size_t bytes;
	const char *kind;
	size_t every_ms;
};

static struct {
	struct range ranges[64];
	size_t count;
	unsigned phase;
} truth;

static inline void insert_range(struct range range)
{
	if (range.bytes == 0)
		return;
	if (truth.count == sizeof(truth.ranges) / sizeof(truth.ranges[0]))
		refuse("too many ranges");
	size_t at = truth.count++;
	for (; at > 0 && truth.ranges[at - 1].start > range.start; at--)
		truth.ranges[at] = truth.ranges[at - 1];
	truth.ranges[at] = range;
}

static inline void add(const char *kind, char *start, size_t bytes)
{
	insert_range((struct range){ start, bytes, kind, 0 });
}

static inline void add_warm(char *start, size_t bytes, size_t every_ms)
{
	insert_range((struct range){ start, bytes, "warm", every_ms });
}

static inline void add_cold_hot_cold(char *base, size_t total, size_t offset, size_t hot)
{
	add("cold", base, offset);
	add("hot", base + offset, hot);
	add("cold", base + offset + hot, total - offset - hot);
}

static inline long long now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static inline void tell(void)
{
	printf("{\"pid\":%d,\"atNs\":\"%lld\",\"phase\":%u,\"ranges\":[", getpid(), now_ns(), truth.phase);
	for (size_t i = 0; i < truth.count; i++) {
		struct range *range = &truth.ranges[i];
		uintptr_t start = (uintptr_t)range->start;
		printf("%s{\"start\":\"%lx\",\"end\":\"%lx\",\"kind\":\"%s\"", i ? "," : "", start,
		       start + range->bytes, range->kind);
		if (range->every_ms)
			printf(",\"everyMs\":%zu", range->every_ms);
		printf("}");
	}
	printf("]}\n");
	fflush(stdout);
}

/*
 * Tells that the phase has ended, and forgets its ranges: to set up what is next takes time, in which nothing is hot.
 * Phases are counted on, also where a workload repeats itself.
 */
static inline void next_phase(void)
{
	printf("{\"pid\":%d,\"atNs\":\"%lld\",\"phaseEnds\":%u}\n", getpid(), now_ns(), truth.phase);
	fflush(stdout);
	truth.phase++;
	truth.count = 0;
}

/* ---- rounds ---- */

static volatile sig_atomic_t was_asked;
static size_t rounds_made;

static inline void on_usr1(int signal)
{
	(void)signal;
	was_asked = 1;
}

static inline void answer(size_t rounds)
{
	if (!was_asked)
		return;
	was_asked = 0;
	printf("{\"pid\":%d,\"atNs\":\"%lld\",\"rounds\":%zu}\n", getpid(), now_ns(), rounds);
	fflush(stdout);
}

static inline void end_round(void)
{
	answer(++rounds_made);
	usleep(1000);
}

/* A round: reads all that the last line called hot or unsampled. */
static inline void read_hot_once(void)
{
	for (size_t i = 0; i < truth.count; i++)
		if (!strcmp(truth.ranges[i].kind, "hot") || !strcmp(truth.ranges[i].kind, "unsampled"))
			read_pages(truth.ranges[i].start, truth.ranges[i].bytes);
	end_round();
}

/* Makes rounds for so many seconds (0: for ever): so what the last line said is the truth. */
static inline void read_hot(size_t seconds)
{
	long long end = now_ns() + seconds * 1000 * NS_PER_MS;
	while (seconds == 0 || now_ns() < end)
		read_hot_once();
}

/* ---- the beginning of every main ---- */

static char stdout_buffer[8192];

static inline void begin(int argc, char **argv, int most, const char *usage_text)
{
	command.argc = argc;
	command.argv = argv;
	command.usage = usage_text;
	if (argc - 1 > most)
		usage();
	/* A buffer from malloc would be the first thing on the heap, which one of the workloads wants for itself. */
	setvbuf(stdout, stdout_buffer, _IOFBF, sizeof(stdout_buffer));
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_usr1, .sa_flags = SA_RESTART }, 0);
	const char *lifetime = getenv("LIFETIME_SECONDS");
	alarm(lifetime ? atoi(lifetime) : LIFETIME_SECONDS);
}

#endif
