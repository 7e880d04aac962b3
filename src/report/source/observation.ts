import type { Snapshot } from '../../core/snapshot.js';
import type { CheckName } from '../../core/target.js';
import type { ObservedMapping } from '../../record/observed-memory.js';

/** One snapshot, and what was known of its target's memory then. */
export interface Observation {
  readonly snapshot: Snapshot;
  /** In address order; empty where they are not known. The same array until they change. */
  readonly mappings: readonly ObservedMapping[];
  /** Of the whole process; undefined where nobody has read it. */
  readonly residentBytes: number | undefined;
}

/** Where a report's observations come from: what every one of them has in common. */
export interface SourceHeader {
  /** A file's name, or what is watched. */
  readonly name: string;
  /** ISO 8601; empty where a record does not say. */
  readonly startedAt: string;
  readonly check: CheckName;
  readonly pageSize: number;
}

/**
 * What reports are made of, live or recorded: snapshots in the order of their ends, those of several targets mixed. Reports
 * go through it once and keep sums, not snapshots: a record may be larger than the memory.
 */
export interface ObservationSource {
  readonly header: SourceHeader;
  observations(): AsyncIterable<Observation>;
  /** What was wrong with it, a sentence each; whole when the last observation was given. */
  notes(): readonly string[];
}

/** A part of a recording, in microseconds since it began: all of it, a stretch of it, or a moment. */
export interface Window {
  readonly fromUs?: number;
  readonly toUs?: number;
  /** Of each process the one snapshot that covers it; infinite for the last one. */
  readonly atUs?: number;
}

/** The observations of a part: those that overlap it. They are all read, so that what is wrong with the source is known. */
export function within(observations: AsyncIterable<Observation>, window: Window): AsyncIterable<Observation> {
  if (window.atUs !== undefined) return atMoment(observations, window.atUs);
  if (window.fromUs === undefined && window.toUs === undefined) return observations;
  return between(observations, window.fromUs ?? 0, window.toUs ?? Number.POSITIVE_INFINITY);
}

async function* between(
  observations: AsyncIterable<Observation>,
  fromUs: number,
  toUs: number,
): AsyncGenerator<Observation> {
  for await (const observation of observations) {
    const { startUs, endUs } = observation.snapshot;
    if (endUs > fromUs && startUs < toUs) yield observation;
  }
}

/** Where a snapshot is missing, the one before it holds until the next; a process that has ended before is not there. */
async function* atMoment(
  observations: AsyncIterable<Observation>,
  atUs: number,
): AsyncGenerator<Observation> {
  const latest = new Map<number, Observation>();
  const livesOn = new Set<number>();
  for await (const observation of observations) {
    const { target, startUs, endUs } = observation.snapshot;
    if (startUs < atUs) latest.set(target.id, observation);
    if (endUs >= atUs) livesOn.add(target.id);
  }
  for (const [id, observation] of latest) {
    if (atUs === Number.POSITIVE_INFINITY || livesOn.has(id)) yield observation;
  }
}
