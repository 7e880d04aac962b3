import { PagepulseError } from '../../core/errors.js';
import { integerIn, numberIn, oneOf, type Rule } from '../../core/rules.js';
import { checked, list, object, optional, value } from '../../core/schema.js';

/** A process to survey. */
export interface SharingTarget {
  /** The caller's number for it, which the results repeat. */
  readonly id: number;
  readonly pid: number;
  /** Clock ticks since boot, as decimal digits (field 22 of /proc/PID/stat). Default: any process with this PID. */
  readonly startTime?: string;
  /** What was accessed: [start, end) pairs of pages in address order; they may touch and may be empty. */
  readonly workingSet: ArrayLike<number>;
}

/**
 * How pages were told apart. `frames`: by the frame they lie in, which needs root. `pss`: not at all; each page counts
 * by the share that a process has in it, 1 / how many times it is mapped, by the processes surveyed or by others.
 */
export type SharingMethod = 'frames' | 'pss';

/** The memory of one target. */
export interface TargetSharing {
  readonly id: number;
  readonly pid: number;
  /** Pages in memory that it maps; one that it maps twice counts twice, as in its Rss. */
  readonly residentBytes: number;
  /** Of these, bytes that another target maps too; with `pss`, bytes that are mapped more than once by any process. */
  readonly sharedBytes: number;
  /** Resident bytes of its working set. */
  readonly workingSetBytes: number;
  /**
   * Address space that was not read and may hold memory: the rest of its largest mappings, if more than 16 GiB (4 Mi
   * pages) of them were empty. 0 for nearly every process.
   */
  readonly leftOutBytes: number;
}

/** The memory of several processes together, as it was between reading the first target and the last. */
export interface SharingResult {
  readonly method: SharingMethod;
  /** In the order they were given, without those below. */
  readonly targets: readonly TargetSharing[];
  /** IDs of targets that may not be read: another user's. They are in no sum. */
  readonly unknown: readonly number[];
  /** IDs of targets that had ended or replaced themselves (exec). In no sum, but for what was read before they did. */
  readonly ended: readonly number[];
  /**
   * Memory of all targets, each frame counted once; never more than the machine has. With `pss`, the sum of their
   * shares, which is less if other processes map the same pages.
   */
  readonly residentBytes: number;
  /** Resident bytes of the working sets, likewise. With `pss`, each is assumed to be shared as its whole process is. */
  readonly workingSetBytes: number;
  /** CPU it took, in milliseconds. */
  readonly cpuMs: number;
  /** From start to end, in milliseconds. */
  readonly elapsedMs: number;
}

/** How often surveys are made. */
export interface SharingPace {
  /** What surveys may cost on average, in percent of one core; above 0. Default 0.2. */
  readonly maxCpuPercent?: number;
  /** The least time from the end of a survey to the start of the next, in milliseconds. Default 5,000. */
  readonly minIntervalMs?: number;
}

export interface SharingOptions extends SharingPace {
  /** How pages are told apart. Default: `frames` if the kernel shows them (to root), otherwise `pss`. */
  readonly method?: SharingMethod;
}

const ABOVE_0 = numberIn(Number.MIN_VALUE, Number.POSITIVE_INFINITY, 'above 0 % of a core');
const ANY_NUMBER = numberIn(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 'a number');
const FROM_0 = numberIn(0, Number.POSITIVE_INFINITY, '0 ms or more');

const options = object<SharingOptions>({
  method: optional(value(oneOf(['frames', 'pss']))),
  maxCpuPercent: optional(value(ABOVE_0)),
  minIntervalMs: optional(value(FROM_0)),
});

/** An array or a typed array. `checkWorkingSet` checks its order. */
const PAGES: Rule = {
  is: (given) =>
    (Array.isArray(given) || ArrayBuffer.isView(given)) &&
    (given as readonly unknown[]).every?.((page) => typeof page === 'number'),
  wanted: 'an array of page numbers',
};

const targets = list<SharingTarget>(
  object<SharingTarget>({
    id: value(ANY_NUMBER),
    pid: value(integerIn(1, 0x7fff_ffff, 'a PID (a positive integer)')),
    startTime: optional(
      value({
        is: (given) => typeof given === 'string' && /^\d+$/.test(given),
        wanted: 'a string of decimal digits',
      }),
    ),
    workingSet: value(PAGES),
  }),
  'an array of targets',
);

/** Both: @throws PagepulseError `ATTRS` that names the member */
export const checkedOptions = (given: unknown): SharingOptions => checked(options, given, 'options');
export const checkedTargets = (given: unknown): readonly SharingTarget[] =>
  checked(targets, given, 'targets');

/** @throws PagepulseError `ATTRS` if the pairs are not in order */
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
