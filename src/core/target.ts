/** The access checks. `synthetic` watches an address space that exists only in memory. */
export type CheckName = 'idle-page' | 'referenced' | 'synthetic';

/** A monitored address space. PIDs are reused, so PID and start time together identify a process. */
export interface TargetInfo {
  /** The monitor's own ID, counted from 0 and never reused. */
  readonly id: number;
  /** PID; 0 if the target is not a process (`isProcess`). */
  readonly pid: number;
  /** When the process started, in clock ticks since boot (field 22 of /proc/PID/stat), as decimal digits. */
  readonly startTime: string;
  /** The name that the kernel shows (`/proc/PID/comm`), at most 15 bytes. If the target is not a process, the source names it. */
  readonly comm: string;
  /** Command and arguments; empty if the target is not a process. */
  readonly cmdline: readonly string[];
}

/** Whether a target is a process. Others, such as synthetic ones, have PID 0 in snapshots and records. */
export function isProcess({ pid }: Pick<TargetInfo, 'pid'>): boolean {
  return pid !== 0;
}

/** Another program, or another monitor in this process, that clears accessed bits which this monitor reads. */
export interface OtherWatcher {
  /** When it was detected, in microseconds since the monitor started. */
  readonly atUs: number;
  readonly pid: number;
  readonly comm: string;
  /** PIDs of the targets that it disturbs; empty if it may disturb all of them, because it uses the idle page bitmap. */
  readonly targets: readonly number[];
}
