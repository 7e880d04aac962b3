import type { Snapshot } from '../../core/snapshot.js';

/** The access share, 0 .. 1, from which on memory is hot: found accessed in half of the samples. */
export const HOT_SHARE = 0.5;

/** For how long a region has been accessed about as it is, or untouched, by the intervals in force. */
export function ageUs({ stats }: Snapshot, age: number): number {
  return age * stats.inForce.attrs.aggrUs;
}
