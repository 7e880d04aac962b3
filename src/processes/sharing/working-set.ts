import type { Snapshot } from '../../core/snapshot.js';
import { accessedPagesOf } from '../../core/working-set.js';

/**
 * What was accessed in the snapshot's interval, as a survey takes it: [start, end) pairs of pages, in address order. A mapping
 * whose accesses are counted is whole in it, so that the survey's sum is an upper bound. Nothing is where nothing is known.
 */
export function accessedRanges(snapshot: Pick<Snapshot, 'columns' | 'isKnown'>): number[] {
  if (!snapshot.isKnown) return [];
  const { columns } = snapshot;
  const pairs: number[] = [];
  for (let i = 0; i < columns.startPages.length; i++) {
    if (accessedPagesOf(columns, i) > 0) pairs.push(columns.startPages[i]!, columns.endPages[i]!);
  }
  return pairs;
}
