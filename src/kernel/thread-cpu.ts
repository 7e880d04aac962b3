import { openSync, readSync, writeFileSync } from 'node:fs';
import { attempt, parseDecimal } from './text-file.js';

const bytes = Buffer.alloc(64);

/**
 * /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst): three numbers, the first the nanoseconds that
 * the thread has run on a processor. The descriptor stays that of the thread that opened it, in any thread: so one thread
 * can sum up all without waking the others.
 *
 * @returns -1 if the kernel has no such file
 */
export function openThreadCpu(): number {
  return attempt(() => openSync('/proc/thread-self/schedstat', 'r')) ?? -1;
}

/** CPU time of the thread behind the descriptor, in microseconds; NaN if it has ended or there is no clock. */
export function readThreadCpuUs(file: number): number {
  if (file < 0) return Number.NaN;
  try {
    return readSync(file, bytes, 0, bytes.length, 0) > 0 ? parseDecimal(bytes, 0) / 1_000 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

let own: number | undefined;

/**
 * CPU time of the calling thread in milliseconds, to the microsecond; NaN if the kernel does not say. Costs
 * some 6 us.
 *
 * What schedstat says of a thread that is running is as old as the last tick of the scheduler, up to 4 ms. Asking for the
 * CPU time of the whole process makes the kernel bring the calling thread's up to date (thread_group_cputime in
 * kernel/sched/cputime.c).
 */
export function threadCpuMs(): number {
  own ??= openThreadCpu();
  process.cpuUsage();
  return readThreadCpuUs(own) / 1_000;
}

/** Names the thread as `top -H` and /proc show it; at most 15 bytes. Nothing depends on it. */
export function nameThread(name: string): void {
  attempt(() => writeFileSync('/proc/thread-self/comm', name));
}
