/** The access checks there are; `synthetic` watches an address space that exists only in memory. */
export type CheckName = 'idle-page' | 'referenced' | 'synthetic';

/** A monitored address space. Process ids are reused, so a process is its id together with its start time. */
export interface TargetInfo {
  /** The monitor's own number for it, counted from 0 and never used again. */
  readonly id: number;
  /** Process id; 0 for a synthetic target. */
  readonly pid: number;
  /** When the process started, in clock ticks since boot (field 22 of /proc/PID/stat), as decimal digits. */
  readonly startTime: string;
  /** The name the kernel shows, at most 15 bytes. */
  readonly comm: string;
  readonly cmdline: readonly string[];
}

/** Another program, or another monitor of this one, that clears accessed bits which this monitor reads. */
export interface OtherWatcher {
  /** When it was noticed, in microseconds since the monitor started. */
  readonly atUs: number;
  readonly pid: number;
  readonly comm: string;
  /** PIDs of the targets that it disturbs; empty if it can be any of them, since it uses the idle page bitmap. */
  readonly targets: readonly number[];
}
