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
