/*
 * Keeps the emulator honest: wakes every 300 us and sleeps again. Run one on each processor, pinned. Each switch to
 * another address space makes the emulator drop its cached translations; through one that is cached a page is accessed
 * without its accessed bit being set, however often that bit is cleared.
 */
#include <unistd.h>

int main(void)
{
	for (;;)
		usleep(300);
}
