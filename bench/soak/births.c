/*
 * births TAG RATE SEED FOLDER KINDS
 *
 * Starts RATE processes a second, each for up to 10 s, four of five of them plain and the others hostile to whoever watches
 * them, until its input ends. Then it prints what it started as JSON, and ends all of them by their process group, which it
 * must lead. KINDS names the hostile kinds to start (separated by commas), or is "all". TAG is in the command line of each
 * process, or in its name where the command line is what is hostile.
 *
 * A started process is this program again (by its absolute path): births TAG KIND LIFE_MS NAME
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1L << 20)
#define PAGE 4096L
#define MAX_LIFE_MS 10000.0
/* Of an exit status: the kind that could not be made. */
#define FAILED 100

static char **arguments;
static const char *tag;
static long born_ms, life_ms;

/* Names of processes and of mapped files, each of them trouble for a reader of /proc or of a report. */
static const char *const names[] = {
	"\x1b]0;name\x07\x1b[2J", "\u202Ecod.exe", "__proto__", "constructor", "=cmd|' -C x'!A1", "a\rUid:\t0\t0\t0",
	"a\nUid:\t0\t0\t0", "\xc2\x9b" "31mred", "\xff\xfe\x80", "x) R 1 1 1 (y",
	"a\r10000000-20000000 rw-p 00000000 00:00 0 evil", "a\u2028" "10000000-20000000 rw-p 00000000 00:00 0 evil",
};
#define NAMES (sizeof names / sizeof *names)

static long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	if (ms > 0)
		nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static long left_ms(void)
{
	return born_ms + life_ms - now_ms();
}

static char *map(long bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* Lives on, and uses some memory now and then. */
static int live(void)
{
	char *p = map(MIB);
	for (long ms; p && (ms = left_ms()) > 0; sleep_ms(ms < 200 ? ms : 200))
		memset(p, 1, 16 * PAGE);
	return p ? 0 : -1;
}

static int plain(const char *name)
{
	(void)name;
	return live();
}

/* Has the kernel take `mib` MiB of nothing for the arguments or the environment. */
static int replace_text(int is_environment)
{
	char text[4096];
	unsigned long fields[53] = { 0 };
	FILE *stat = fopen("/proc/self/stat", "r");
	size_t length = stat ? fread(text, 1, sizeof text - 1, stat) : 0;
	if (stat)
		fclose(stat);
	text[length] = 0;
	char *field = strrchr(text, ')');
	if (!field)
		return -1;
	field = strtok(field + 2, " ");
	for (int i = 3; field && i < 53; i++, field = strtok(NULL, " "))
		fields[i] = strtoul(field, NULL, 10);
	long bytes = (1 + rand() % 400) * MIB;
	uint64_t start = (uint64_t)map(bytes), end = start + bytes - 1;
	struct prctl_mm_map memory = {
		.start_code = fields[26], .end_code = fields[27], .start_stack = fields[28],
		.start_data = fields[45], .end_data = fields[46], .start_brk = fields[47], .brk = (uint64_t)sbrk(0),
		.arg_start = is_environment ? fields[48] : start, .arg_end = is_environment ? fields[49] : end,
		.env_start = is_environment ? start : fields[50], .env_end = is_environment ? end : fields[51],
		.exe_fd = -1,
	};
	prctl(PR_SET_NAME, tag);
	if (!start || prctl(PR_SET_MM, PR_SET_MM_MAP, &memory, sizeof memory, 0) != 0)
		return -1;
	return live();
}

static int large_arguments(const char *name)
{
	(void)name;
	return replace_text(0);
}

static int large_environment(const char *name)
{
	(void)name;
	return replace_text(1);
}

static int named(const char *name)
{
	return prctl(PR_SET_NAME, name) == 0 ? live() : -1;
}

static int zombie(const char *name)
{
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_NAME, name);
		_exit(0);
	}
	return child > 0 ? live() : -1;
}

static int mapped_file(const char *name)
{
	int file = open(name, O_RDWR | O_CREAT, 0600);
	char *p = MAP_FAILED;
	if (file >= 0 && ftruncate(file, MIB) == 0)
		p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (p == MAP_FAILED)
		return -1;
	unlink(name);
	p[0] = 1;
	return live();
}

/* Makes every second page another mapping. */
static int cut(char *p, long mappings)
{
	for (long page = 0; p && page < mappings; page += 2)
		if (mprotect(p + page * PAGE, PAGE, PROT_NONE) != 0)
			return -1;
	return p ? live() : -1;
}

static int many_mappings(const char *name)
{
	(void)name;
	long mappings = 20000;
	return cut(map(mappings * PAGE), mappings);
}

/* In folders in folders, so that the path of the file is as long as one may be: 231 MB of maps. */
static int long_paths(const char *name)
{
	(void)name;
	long mappings = 60000;
	char folder[251];
	memset(folder, 'd', 250);
	folder[250] = 0;
	for (int depth = 0; depth < 15; depth++)
		if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || chdir(folder) != 0)
			return -1;
	int file = open("f", O_RDWR | O_CREAT, 0600);
	if (file < 0 || ftruncate(file, mappings * PAGE) != 0)
		return -1;
	char *p = mmap(NULL, mappings * PAGE, PROT_READ, MAP_SHARED, file, 0);
	return cut(p == MAP_FAILED ? NULL : p, mappings);
}

/* Becomes another program every tenth of a second. */
static int execs(const char *name)
{
	(void)name;
	char ms[16];
	sleep_ms(100);
	if (left_ms() <= 0)
		return 0;
	snprintf(ms, sizeof ms, "%ld", left_ms());
	arguments[3] = ms;
	execv(arguments[0], arguments);
	return -1;
}

static void *live_in_thread(void *none)
{
	live();
	_exit(0);
	return none;
}

/* Its main thread has ended: a zombie by its state, and alive. */
static int main_thread_ended(const char *name)
{
	(void)name;
	pthread_t thread;
	if (pthread_create(&thread, NULL, live_in_thread, NULL) != 0)
		return -1;
	pthread_exit(NULL);
}

static int stopped(const char *name)
{
	(void)name;
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	sleep_ms(left_ms());
	return child > 0 && kill(child, SIGKILL) == 0 ? 0 : -1;
}

/* Its mappings come and go all the time, and it ends in the middle of that, with memory to be given back. */
static int restless(const char *name)
{
	(void)name;
	char *kept = map(8 * MIB);
	if (kept)
		memset(kept, 1, 8 * MIB);
	for (long bytes = PAGE; kept && left_ms() > 0; bytes = bytes % (8 * MIB) + 37 * PAGE) {
		char *p = map(bytes);
		if (!p)
			return -1;
		p[0] = 1;
		sleep_ms(5);
		munmap(p, bytes);
	}
	return kept ? 0 : -1;
}

/* Its parent ends before it. */
static int orphan(const char *name)
{
	(void)name;
	pid_t child = fork();
	if (child != 0)
		return child > 0 ? 0 : -1;
	return live();
}

static int burst(const char *name)
{
	(void)name;
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();
		if (child < 0)
			return -1;
		if (child == 0) {
			sleep_ms(rand() % 50);
			_exit(0);
		}
	}
	return live();
}

/* Of 10,000 births; the dearest are rare, as nothing would be left of two processors. */
static const struct kind {
	const char *name;
	int (*run)(const char *name);
	int share;
} kinds[] = {
	{ "plain", plain, 0 }, { "arguments", large_arguments, 180 }, { "environment", large_environment, 180 },
	{ "name", named, 180 }, { "zombie", zombie, 180 }, { "file", mapped_file, 180 }, { "exec", execs, 180 },
	{ "thread", main_thread_ended, 180 }, { "stopped", stopped, 180 }, { "restless", restless, 180 },
	{ "orphan", orphan, 180 }, { "burst", burst, 180 }, { "mappings", many_mappings, 20 }, { "paths", long_paths, 5 },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static int is_wanted(const char *list, const char *name)
{
	size_t length = strlen(name);
	if (!strcmp(list, "all"))
		return 1;
	for (const char *at = list; (at = strstr(at, name)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ','))
			return 1;
	return 0;
}

static unsigned long started[KINDS], failed[KINDS];

static void reap(void)
{
	int status;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (WIFEXITED(status) && WEXITSTATUS(status) >= FAILED && WEXITSTATUS(status) < FAILED + (int)KINDS)
			failed[WEXITSTATUS(status) - FAILED]++;
}

static void give_birth(const char *wanted)
{
	size_t kind = 0;
	int chance = rand() % 10000;
	for (size_t i = 1; i < KINDS && !kind; i++) {
		if (!is_wanted(wanted, kinds[i].name))
			continue;
		if (chance < kinds[i].share)
			kind = i;
		chance -= kinds[i].share;
	}
	/* Many end at once, and some live for the whole time: 2 s on average. */
	double u = rand() / (RAND_MAX + 1.0);
	char ms[16];
	snprintf(ms, sizeof ms, "%.0f", MAX_LIFE_MS * u * u * u * u);
	char *const argv[] = { arguments[0], arguments[1], (char *)kinds[kind].name, ms, (char *)names[rand() % NAMES], NULL };
	pid_t child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(FAILED + (int)kind);
	}
	started[kind]++;
	if (child < 0)
		failed[kind]++;
}

static int start_all(double rate, const char *wanted)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	double due_ms = now_ms();
	for (;;) {
		long ms = (long)due_ms - now_ms();
		int ready = poll(&input, 1, ms > 0 ? (int)ms : 0);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			break;
		reap();
		if (now_ms() < (long)due_ms)
			continue;
		give_birth(wanted);
		due_ms += 1000 / rate;
	}
	printf("{");
	for (size_t i = 0; i < KINDS; i++)
		printf("%s\"%s\":[%lu,%lu]", i ? "," : "", kinds[i].name, started[i], failed[i]);
	printf("}\n");
	fflush(stdout);
	return kill(0, SIGKILL);
}

int main(int argc, char **argv)
{
	arguments = argv;
	born_ms = now_ms();
	if (argc == 6) {
		/* Signals from the terminal are for who started it. */
		signal(SIGINT, SIG_IGN);
		srand(atoi(argv[3]));
		if (getpgrp() != getpid() || atof(argv[2]) <= 0 || chdir(argv[4]) != 0)
			return 1;
		return start_all(atof(argv[2]), argv[5]);
	}
	if (argc != 5)
		return 1;
	tag = argv[1];
	life_ms = atol(argv[3]);
	srand(getpid());
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(argv[2], kinds[i].name))
			return kinds[i].run(argv[4]) == 0 ? 0 : FAILED + (int)i;
	return 1;
}
