import type { SnapshotColumns } from './snapshot-columns.js';

/** An estimate in pages, and the interval that holds what is estimated in 95 of 100 cases. */
export interface Estimate {
  readonly pages: number;
  readonly low: number;
  readonly high: number;
}

/** Pages that a region covers. */
export function sizeOf({ startPages, endPages }: SnapshotColumns, i: number): number {
  return endPages[i]! - startPages[i]!;
}

/** Pages of a region that can be told to be accessed or cold: those in memory that the check sees; all if that is not known. */
export function seenPagesOf(columns: SnapshotColumns, i: number): number {
  const { residentPages, unseenPages } = columns;
  if (!residentPages) return sizeOf(columns, i);
  return Math.max(0, residentPages[i]! - (unseenPages?.[i] ?? 0));
}

/** Pages of a region that count in the working set when it was accessed: the accessed, the resident, or all, as far as known. */
export function accessedPagesOf(columns: SnapshotColumns, i: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (nrAccesses[i] === 0) return 0;
  return accessedPages ? accessedPages[i]! : seenPagesOf(columns, i);
}

/** Pages of a region that were not accessed in the interval, of those that seenPagesOf counts. */
export function coldPagesOf(columns: SnapshotColumns, i: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (accessedPages) return Math.max(0, seenPagesOf(columns, i) - accessedPages[i]!);
  return nrAccesses[i] === 0 ? seenPagesOf(columns, i) : 0;
}

/**
 * How hot a region is, 0 .. 1: the share of samples that found it accessed, or where accessed pages are counted, their share
 * of the resident ones that can be seen.
 */
export function heatOf(columns: SnapshotColumns, i: number, maxNrAccesses: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (!accessedPages) return Math.min(1, nrAccesses[i]! / Math.max(1, maxNrAccesses));
  const pages = seenPagesOf(columns, i);
  return pages > 0 ? Math.min(1, accessedPages[i]! / pages) : 0;
}

/** Of a normal distribution, 95 % lie within so many standard deviations. */
const Z95 = 1.96;
/** What has less than this chance lies outside the interval, on either side of it. */
const UNLIKELY = 0.025;
/** What is so many standard deviations away from the threshold is on its side. */
const SURE = 3;

/**
 * The pages in regions with nrAccesses at or above the threshold, and how far that may be off (docs/adaptation.md): by where
 * regions begin, and by regions whose rate is so near to the threshold that their samples leave it open on which side it is.
 * Not by what no sample has hit yet.
 */
export function estimateWorkingSet(
  columns: SnapshotColumns,
  minNrAccesses: number,
  maxNrAccesses: number,
): Estimate {
  const { startPages, endPages, nrAccesses, samples, deviations, unlike } = columns;
  let [pages, variance] = [0, 0];
  /** Of what may be too much, and of what may be missing, inside of regions. */
  let [less, more] = [0, 0];
  /** The largest region that may be on the other side, of those that are counted and of those that are not. */
  let [mostLess, mostMore] = [0, 0];
  for (let i = 0; i < startPages.length; i++) {
    const size = seenPagesOf(columns, i);
    const isIn = nrAccesses[i]! >= minNrAccesses;
    if (isIn) pages += accessedPagesOf(columns, i);
    const touches = i > 0 && endPages[i - 1] === startPages[i];
    if (deviations && touches && isIn !== nrAccesses[i - 1]! >= minNrAccesses)
      variance += deviations[i]! ** 2;
    if (unlike) {
      if (isIn) less += unlike[i]! ** 2;
      else more += unlike[i]! ** 2;
    }
    if (samples) {
      const isOther = chanceOfOtherSide(
        nrAccesses[i]! / maxNrAccesses,
        samples[i]!,
        (minNrAccesses - 0.5) / maxNrAccesses,
      );
      variance += size * size * isOther * (1 - isOther);
      if (isOther > UNLIKELY && isIn) mostLess = Math.max(mostLess, size);
      if (isOther > UNLIKELY && !isIn) mostMore = Math.max(mostMore, size);
    }
  }
  return {
    pages,
    low: Math.max(0, pages - Math.max(Z95 * Math.sqrt(variance + less), mostLess)),
    high: pages + Math.max(Z95 * Math.sqrt(variance + more), mostMore),
  };
}

/** How likely a region's rate is on the other side of a threshold than it seems; by the logistic curve in place of the normal. */
function chanceOfOtherSide(rate: number, samples: number, threshold: number): number {
  if (samples === 0) return 0;
  const smoothed = (rate * samples + 0.5) / (samples + 1);
  const deviations = Math.abs(rate - threshold) / Math.sqrt((smoothed * (1 - smoothed)) / samples);
  return deviations > SURE ? 0 : 1 / (1 + Math.exp(1.702 * deviations));
}
