import type { SnapshotColumns } from '../../src/core/snapshot-columns.js';
import type { Access } from './patterns.js';

/** A page is hot that is accessed in this share of the sampling intervals or more; so is a region that is said to be. */
export const HOT_SHARE = 0.1;

/** How one snapshot stands to the truth. */
export interface Score {
  /** Of what is said to be hot, the part that is; 1 where nothing is said to be and nothing is. */
  readonly precision: number;
  /** Of what is hot, the part that is said to be; 1 where nothing is. */
  readonly recall: number;
  readonly foundPages: number;
}

/** The hot pages as disjoint ranges in order. Where accesses overlap, the first counts. */
export function hotRanges(accesses: readonly Access[]): Access[] {
  return accesses.filter(({ share }) => share >= HOT_SHARE).sort((a, b) => a.start - b.start);
}

export function pagesIn(ranges: readonly Access[]): number {
  return ranges.reduce((pages, { start, end }) => pages + end - start, 0);
}

/** @param hot as hotRanges gives them */
export function scoreOf(columns: SnapshotColumns, hot: readonly Access[], maxNrAccesses: number): Score {
  const { startPages, endPages, nrAccesses } = columns;
  const hotPages = pagesIn(hot);
  let [foundPages, right] = [0, 0];
  let from = 0;
  for (let i = 0; i < startPages.length; i++) {
    if (nrAccesses[i]! < HOT_SHARE * maxNrAccesses) continue;
    const [start, end] = [startPages[i]!, endPages[i]!];
    foundPages += end - start;
    while (from < hot.length && hot[from]!.end <= start) from++;
    for (let j = from; j < hot.length && hot[j]!.start < end; j++) {
      right += Math.min(end, hot[j]!.end) - Math.max(start, hot[j]!.start);
    }
  }
  const ifNone = hotPages === 0 ? 1 : 0;
  return {
    precision: foundPages > 0 ? right / foundPages : ifNone,
    recall: hotPages > 0 ? right / hotPages : 1,
    foundPages,
  };
}
