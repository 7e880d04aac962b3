/*
 * withpid PID PROGRAM ARG...
 *
 * Starts a program under a process id that is free again, as soon as it is: as happens by chance on a machine that
 * starts many. Needs root. Ends when the program does.
 */
#include "common.h"
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	begin(argc, argv, argc, "PID PROGRAM [ARG...]");
	pid_t wanted = number(1, 0);
	const char *program = text(2, 0);
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	long pid;
	while ((pid = syscall(SYS_clone3, &args, sizeof(args))) < 0)
		if (errno != EEXIST)
			fail("clone3");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(program, argv + 2);
		fail(program);
	}
	waitpid(pid, 0, 0);
}
