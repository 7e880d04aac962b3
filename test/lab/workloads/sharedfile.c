/*
 * sharedfile FILE MIB HOT_MIB [hold|slow]
 *
 * A shared mapping of a file, the middle of which is read all the time. With `hold` it is touched once and then never
 * again; that all of it is cold then is true only while no other process accesses the file, for the idle bit belongs to
 * the frame, and all who map a file have the same frames. With `slow` it is read once every 60 ms: what somebody marks
 * as idle stays so for a while.
 *
 * A file of the right size is taken as it is, so that several of these can share one.
 */
#include "common.h"
#include <fcntl.h>
#include <sys/stat.h>

static int open_filled(const char *path, size_t bytes)
{
	static char block[MIB];
	struct stat status;
	int file = open(path, O_RDWR | O_CREAT, 0600);
	if (file < 0 || fstat(file, &status) < 0)
		fail(path);
	if ((size_t)status.st_size == bytes)
		return file;
	if (ftruncate(file, 0) < 0)
		fail(path);
	memset(block, 'x', MIB);
	for (size_t i = 0; i < bytes; i += MIB)
		if (pwrite(file, block, MIB, i) != (ssize_t)MIB)
			fail(path);
	return file;
}

int main(int argc, char **argv)
{
	begin(argc, argv, 4, "FILE [MIB [HOT_MIB [hold|slow]]]");
	const char *path = text(1, 0), *mode = text(4, "");
	size_t total = number(2, 64) * MIB, hot = number(3, 16) * MIB;
	int holds = !strcmp(mode, "hold"), is_slow = !strcmp(mode, "slow");
	if (total == 0 || hot > total || (*mode && !holds && !is_slow))
		usage();

	int file = open_filled(path, total);
	char *base = mmap(0, total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (base == MAP_FAILED)
		fail(path);
	madvise(base, total, MADV_NOHUGEPAGE);
	read_pages(base, total);
	if (holds)
		add("cold", base, total);
	else
		add_cold_hot_cold(base, total, (total - hot) / 2, hot);
	tell();
	for (; is_slow; usleep(60000))
		read_pages(base, total);
	read_hot(0);
}
