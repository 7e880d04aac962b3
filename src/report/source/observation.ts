import type { Snapshot } from '../../core/snapshot.js';
import type { ObservedMapping } from '../../record/observed-memory.js';

/** A snapshot, and what was known of its target's memory then. */
export interface Observation {
  readonly snapshot: Snapshot;
  /** In address order; empty if they are not known. The same array until they change. */
  readonly mappings: readonly ObservedMapping[];
  /** Of the whole process; undefined if it was not read. */
  readonly residentBytes: number | undefined;
}

/** What all observations of a source have in common. */
export interface SourceHeader {
  /** A file's name, or what is watched. */
  readonly name: string;
  /** ISO 8601; empty if a record does not say. */
  readonly startedAt: string;
  readonly check: string;
  readonly pageSize: number;
}

/**
 * A recording, or what is watched live: the snapshots of all targets in the order of their ends. It is read once, and
 * readers keep sums, not snapshots, because a record may be larger than memory.
 */
export interface ObservationSource {
  readonly header: SourceHeader;
  observations(): AsyncIterable<Observation>;
  /** What was wrong with it, a sentence each; complete after the last observation. */
  notes(): readonly string[];
}

/** A part of a recording, in microseconds since it began: all, a stretch, or a moment. */
export interface Window {
  readonly fromUs?: number;
  readonly toUs?: number;
  /** The one snapshot of each process that covers this moment; the last one for infinity. */
  readonly atUs?: number;
}

/** The observations that overlap a part. The source is read to its end, so that its notes are complete. */
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

/** A snapshot holds until the next one of its process; a process that has ended before the moment is left out. */
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
