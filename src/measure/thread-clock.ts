import { openThreadCpu, readThreadCpuUs } from '../engine/thread-cpu.js';

let file: number | undefined;

/**
 * CPU time of the calling thread in milliseconds, to the microsecond; NaN where the kernel does not tell. For one thread
 * of a process: the first that asks. Costs some 6 us.
 *
 * What schedstat says of a thread that is running is as old as the last tick of the scheduler, up to 4 ms. Asking for the
 * CPU time of the whole process makes the kernel bring the calling thread's up to date (thread_group_cputime in
 * kernel/sched/cputime.c).
 */
export function threadCpuMs(): number {
  file ??= openThreadCpu();
  process.cpuUsage();
  return readThreadCpuUs(file) / 1_000;
}
