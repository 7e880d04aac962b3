import { PagepulseError } from '../../core/errors.js';
import type { SharingPace } from './schedule.js';

/** A process whose memory is to be counted. */
export interface SharingTarget {
  /** The caller's number for it: results name it. */
  readonly id: number;
  readonly pid: number;
  /** Clock ticks since boot, as decimal digits (field 22 of /proc/PID/stat). Default: whatever process has the pid. */
  readonly startTime?: string;
  /** What was accessed: [start, end) pairs of pages in address order, that may touch and may be empty. */
  readonly workingSet: ArrayLike<number>;
}

/**
 * How pages were told apart. `frames`: by the frame they lie in, which needs root. `pss`: not at all; each page counts
 * by the share that a process has in it, 1 / how many times it is mapped, by the processes surveyed or by others.
 */
export type SharingMethod = 'frames' | 'pss';

/** What was found of a target. */
export interface TargetSharing {
  readonly id: number;
  readonly pid: number;
  /** Pages in memory that it maps; one that it maps twice counts twice, as in its Rss. */
  readonly residentBytes: number;
  /** Of these, what another target maps as well; with `pss`, what is mapped more than once by any process. */
  readonly sharedBytes: number;
  /** What of its working set is in memory. */
  readonly workingSetBytes: number;
  /**
   * Address space that was not looked at and may hold memory: the rest of its largest mappings, where they have more
   * than 16 GiB (4 Mi pages) with nothing in it. 0 for nearly every process.
   */
  readonly leftOutBytes: number;
}

/** What the memory of several processes comes to: a moment, or rather the time from the first target to the last. */
export interface SharingResult {
  readonly method: SharingMethod;
  /** In the order they were given, without those below. */
  readonly targets: readonly TargetSharing[];
  /** Ids of targets that may not be read: another user's. They are in no sum. */
  readonly unknown: readonly number[];
  /** Ids of targets that had ended or replaced themselves (exec). In no sum, but for what was read before they did. */
  readonly ended: readonly number[];
  /**
   * Memory of all targets, each frame counted once; never more than the machine has. With `pss`, the sum of their
   * shares: less than that, where others map the same pages.
   */
  readonly residentBytes: number;
  /** What of the working sets is in memory, likewise. With `pss`, each is taken to be shared as all of its process is. */
  readonly workingSetBytes: number;
  /** CPU it took, in milliseconds. */
  readonly cpuMs: number;
  /** From its begin to its end, in milliseconds. */
  readonly elapsedMs: number;
}

/** @throws PagepulseError `ATTRS` where the pairs are not in order */
export function checkWorkingSet({ id, workingSet }: SharingTarget): void {
  const { length } = workingSet;
  let isInOrder = length % 2 === 0;
  for (let i = 1; i < length; i++) if (!(workingSet[i - 1]! <= workingSet[i]!)) isInOrder = false;
  if (isInOrder) return;
  throw new PagepulseError(
    'ATTRS',
    `the working set of target ${id} is not made of [start, end) pairs of pages in address order; sort and join them`,
  );
}

export interface SharingOptions extends SharingPace {
  /** How pages are told apart. Default: `frames` where the kernel shows them (to root), otherwise `pss`. */
  readonly method?: SharingMethod;
}
