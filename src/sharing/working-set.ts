import type { Snapshot } from '../core/snapshot.js';

/** What was accessed in the snapshot's interval, as a survey takes it: [start, end) pairs of pages, in address order. */
export function accessedRanges({ columns }: Pick<Snapshot, 'columns'>): number[] {
  const { startPages, endPages, nrAccesses } = columns;
  const pairs: number[] = [];
  for (let i = 0; i < startPages.length; i++) {
    if (nrAccesses[i]! > 0) pairs.push(startPages[i]!, endPages[i]!);
  }
  return pairs;
}
