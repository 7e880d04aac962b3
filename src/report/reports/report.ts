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
