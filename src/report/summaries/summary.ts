import type { Snapshot } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';
import type { Observation, SourceHeader } from '../source/observation.js';
import { type Unknown, unknownOf, whyUnknown } from '../status-text.js';

/** Takes the observations of a source one after the other, and says in the end what they amount to. */
export interface Summary<Result> {
  add(observation: Observation): void;
  result(): Result;
}

/** What every summary says of its source. Times are microseconds since the recording began. */
export interface SourceInfo {
  /** The record's name, or what was watched. */
  readonly source: string;
  readonly startedAt: string;
  readonly check: string;
  readonly pageSize: number;
  /** From the start of the first snapshot to the end of the last; both 0 without a snapshot. */
  readonly startUs: number;
  readonly endUs: number;
  readonly snapshots: number;
  /** What was wrong with the source. */
  readonly notes: readonly string[];
}

/** A process in a summary. */
export interface ProcessInfo {
  readonly pid: number;
  readonly startTime: string;
  readonly comm: string;
  /** From the start of its first snapshot to the end of its last. */
  readonly startUs: number;
  readonly endUs: number;
  readonly snapshots: number;
  /** Left out at the start, because its regions were still being found. */
  readonly warmUpUs: number;
  /** False if its regions were still being found at the end: nothing is left out then. */
  readonly isSettled: boolean;
  /** Why nothing is known of its accesses; null if something is. */
  readonly unknown: string | null;
}

/** The time that some snapshots span. */
export class Span {
  startUs = 0;
  endUs = 0;
  snapshots = 0;

  add(startUs: number, endUs: number): void {
    this.startUs = this.snapshots === 0 ? startUs : Math.min(this.startUs, startUs);
    this.endUs = Math.max(this.endUs, endUs);
    this.snapshots++;
  }

  get us(): number {
    return this.endUs - this.startUs;
  }
}

/** The time in which the regions of a process were still being found: what was accessed then looks too large. */
export class WarmUp {
  #startUs: number | undefined;
  us = 0;
  isSettled = true;

  /** @returns whether the regions have settled just before this snapshot */
  add({ isSettling, startUs }: Snapshot): boolean {
    this.#startUs ??= startUs;
    const hasSettled = !this.isSettled && !isSettling;
    if (hasSettled) this.us = startUs - this.#startUs;
    this.isSettled = !isSettling;
    return hasSettled;
  }
}

/** What a summary gathers of one process. */
export class ProcessSums {
  readonly span = new Span();
  #unknown: Unknown | undefined;
  /** Whether any snapshot says something of its accesses. */
  isKnown = false;

  constructor(
    readonly target: TargetInfo,
    readonly warmUp: WarmUp,
  ) {}

  /** @returns whether the snapshot says something of its accesses */
  knows({ snapshot, residentBytes }: Observation): boolean {
    const unknown = unknownOf(snapshot, residentBytes);
    if (unknown) this.#unknown = unknown;
    else this.isKnown = true;
    return !unknown;
  }

  get info(): ProcessInfo {
    const { pid, startTime, comm } = this.target;
    const { startUs, endUs, snapshots } = this.span;
    return {
      pid,
      startTime,
      comm,
      startUs,
      endUs,
      snapshots,
      warmUpUs: this.warmUp.us,
      isSettled: this.warmUp.isSettled,
      unknown: this.#unknown && !this.isKnown ? whyUnknown(this.#unknown) : null,
    };
  }
}

/**
 * The sums of a snapshot's process, with its time added. They are made when it is first seen, and made anew when its
 * regions have settled, which drops what was gathered before.
 */
export function sumsOfProcess<Sums extends ProcessSums>(
  processes: Map<number, Sums>,
  snapshot: Snapshot,
  make: (warmUp: WarmUp) => Sums,
): Sums {
  const { target, startUs, endUs } = snapshot;
  let sums = processes.get(target.id);
  const warmUp = sums?.warmUp ?? new WarmUp();
  if (warmUp.add(snapshot) || !sums) {
    sums = make(warmUp);
    processes.set(target.id, sums);
  }
  sums.span.add(startUs, endUs);
  return sums;
}

export function sourceInfo(
  { name, startedAt, check, pageSize }: SourceHeader,
  { startUs, endUs, snapshots }: Span,
  notes: readonly string[],
): SourceInfo {
  return { source: name, startedAt, check, pageSize, startUs, endUs, snapshots, notes };
}

/** For how long a region has been accessed about as it is now, at the intervals in force. */
export function ageUs({ stats }: Snapshot, age: number): number {
  return age * stats.inForce.attrs.aggrUs;
}
