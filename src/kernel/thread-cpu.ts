import { openSync, readSync, writeFileSync } from 'node:fs';

const bytes = Buffer.alloc(64);

/**
 * /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst): three numbers, the first the nanoseconds that
 * the thread has run on a processor. The descriptor stays that of the thread that opened it, in whatever thread it is
 * read: so one thread can sum up all, and the others need not be woken for it.
 *
 * @returns -1 where the kernel has no such file
 */
export function openThreadCpu(): number {
  try {
    return openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return -1;
  }
}

/** CPU time of the thread behind the descriptor, in microseconds; NaN where it has ended or there is no clock. */
export function readThreadCpuUs(file: number): number {
  if (file < 0) return Number.NaN;
  try {
    const length = readSync(file, bytes, 0, bytes.length, 0);
    let ns = 0;
    for (let i = 0; i < length && bytes[i] !== 0x20; i++) ns = ns * 10 + bytes[i]! - 0x30;
    return length > 0 ? ns / 1_000 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

let own: number | undefined;

/**
 * CPU time of the calling thread in milliseconds, to the microsecond; NaN where the kernel does not tell. For one thread
 * of a process: the first that asks. Costs some 6 us.
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

/** Names the thread as `top -H` and /proc show it; at most 15 bytes. Left as it was where that is not possible. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // Only a name: nothing depends on it.
  }
}
