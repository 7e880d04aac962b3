import type { Snapshot } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';
import type { Observation, SourceHeader } from '../source/observation.js';

/** A kind of report at work: observations go in one after the other, and in the end what they come to comes out. */
export interface Report<Result> {
  add(observation: Observation): void;
  result(): Result;
}

/** What every report says of its source. Times are microseconds since the recording began. */
export interface SourceSummary {
  /** The record's name, or what was watched. */
  readonly source: string;
  readonly startedAt: string;
  readonly check: string;
  readonly pageSize: number;
  /** From the first snapshot's begin to the last one's end; both 0 where there is none. */
  readonly startUs: number;
  readonly endUs: number;
  readonly snapshots: number;
  /** What was wrong with the source. */
  readonly notes: readonly string[];
}

/** A process in a report. */
export interface ProcessSummary {
  readonly pid: number;
  readonly startTime: string;
  readonly comm: string;
  /** From its first snapshot's begin to its last one's end. */
  readonly startUs: number;
  readonly endUs: number;
  readonly snapshots: number;
}

/** A stretch of time that snapshots make up. */
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

export function sourceSummary(
  { name, startedAt, check, pageSize }: SourceHeader,
  { startUs, endUs, snapshots }: Span,
  notes: readonly string[],
): SourceSummary {
  return { source: name, startedAt, check, pageSize, startUs, endUs, snapshots, notes };
}

export function processSummary(
  { pid, startTime, comm }: TargetInfo,
  { startUs, endUs, snapshots }: Span,
): ProcessSummary {
  return { pid, startTime, comm, startUs, endUs, snapshots };
}

/**
 * The time in which the regions of one process were still being found. Reports leave it out as soon as there is something
 * after it.
 */
export class WarmUp {
  #startUs: number | undefined;
  #us = 0;
  #isSettling = false;

  /** @returns whether this snapshot is the first that counts, and what came before is to be forgotten */
  add({ isSettling, startUs }: Snapshot): boolean {
    this.#startUs ??= startUs;
    const hasSettled = this.#isSettling && !isSettling;
    if (hasSettled) this.#us = startUs - this.#startUs;
    this.#isSettling = isSettling;
    return hasSettled;
  }

  /** How long it took, in microseconds; 0 if there was none, or it is not over. */
  get us(): number {
    return this.#us;
  }

  /** False if it was not over at the end: then everything counts, and may be several times too large. */
  get isSettled(): boolean {
    return !this.#isSettling;
  }
}

/**
 * Where memory is taken to be hot, warm, rare or cold, by its access share: nrAccesses / maxNrAccesses, 0 .. 1. Cold was
 * not accessed at all; what was, but below `warmShare`, is rare. Warm and hot memory are the working set.
 */
export interface AccessLimits {
  /** 0: any access makes it warm. */
  readonly warmShare: number;
  readonly hotShare: number;
}

/** Hot is what half of the samples found accessed. */
export const DEFAULT_LIMITS: AccessLimits = { warmShare: 0, hotShare: 0.5 };

export const CLASSES = ['hot', 'warm', 'rare', 'cold'] as const;
export type AccessClass = (typeof CLASSES)[number];

export function classOf(nrAccesses: number, maxNrAccesses: number, limits: AccessLimits): AccessClass {
  if (nrAccesses === 0) return 'cold';
  const share = nrAccesses / maxNrAccesses;
  return share < limits.warmShare ? 'rare' : share < limits.hotShare ? 'warm' : 'hot';
}

/** For how long a region has been accessed about as it is, or untouched, by the intervals in force. */
export function ageUs({ stats }: Snapshot, age: number): number {
  return age * stats.inForce.attrs.aggrUs;
}
