import type { SnapshotColumns } from './snapshot-columns.js';

/** An estimate in pages, with its 95 % confidence interval. */
export interface Estimate {
  readonly pages: number;
  readonly low: number;
  readonly high: number;
}

/** Pages that a region covers, without the gaps that it reaches over. */
export function sizeOf({ startPages, endPages, mappedPages }: SnapshotColumns, i: number): number {
  return mappedPages ? mappedPages[i]! : endPages[i]! - startPages[i]!;
}

/** Pages of a region that are either accessed or cold: those in memory that the check can see, or all if that is unknown. */
export function seenPagesOf(columns: SnapshotColumns, i: number): number {
  const { residentPages, unseenPages } = columns;
  if (!residentPages) return sizeOf(columns, i);
  return Math.max(0, residentPages[i]! - (unseenPages?.[i] ?? 0));
}

/** Pages that an accessed region adds to the working set: accessed pages if counted, else resident pages, else all. */
export function accessedPagesOf(columns: SnapshotColumns, i: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (nrAccesses[i] === 0) return 0;
  return accessedPages ? accessedPages[i]! : seenPagesOf(columns, i);
}

/** Pages of `seenPagesOf` that were not accessed in the interval. */
export function coldPagesOf(columns: SnapshotColumns, i: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (accessedPages) return Math.max(0, seenPagesOf(columns, i) - accessedPages[i]!);
  return nrAccesses[i] === 0 ? seenPagesOf(columns, i) : 0;
}

/**
 * How hot a region is, 0 .. 1: the accessed share of its samples. If accessed pages are counted, their share of the resident
 * pages that the check can see.
 */
export function heatOf(columns: SnapshotColumns, i: number, maxNrAccesses: number): number {
  const { nrAccesses, accessedPages } = columns;
  if (!accessedPages) return Math.min(1, nrAccesses[i]! / Math.max(1, maxNrAccesses));
  const pages = seenPagesOf(columns, i);
  return pages > 0 ? Math.min(1, accessedPages[i]! / pages) : 0;
}

/** 95 % of a normal distribution lie within this many standard deviations. */
const Z95 = 1.96;
/** The interval leaves out outcomes with less than this probability, on either side. */
const UNLIKELY = 0.025;
/** A rate this many standard deviations from the threshold is certainly on its side of it. */
const SURE = 3;

/**
 * The pages in regions with nrAccesses at or above the threshold, and how far off that may be (docs/adaptation.md). The
 * interval covers errors of region borders, and of regions whose rate is too close to the threshold to decide from their
 * samples. It does not cover accesses that no sample has hit yet.
 */
export function estimateWorkingSet(
  columns: SnapshotColumns,
  minNrAccesses: number,
  maxNrAccesses: number,
): Estimate {
  const { startPages, endPages, mappedPages, nrAccesses, samples, deviations, unlike } = columns;
  let [pages, variance] = [0, 0];
  /** Variances of pages inside regions that may be counted in excess, and that may be missing. */
  let [less, more] = [0, 0];
  /** The largest counted, and the largest uncounted, region that may be on the other side of the threshold. */
  let [mostLess, mostMore] = [0, 0];
  for (let i = 0; i < startPages.length; i++) {
    const size = seenPagesOf(columns, i);
    const isIn = nrAccesses[i]! >= minNrAccesses;
    if (isIn) pages += accessedPagesOf(columns, i);
    const touches = i > 0 && (mappedPages || endPages[i - 1] === startPages[i]);
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

/** The probability that a region's true rate is on the other side of the threshold; approximates the normal by the logistic. */
function chanceOfOtherSide(rate: number, samples: number, threshold: number): number {
  if (samples === 0) return 0;
  const smoothed = (rate * samples + 0.5) / (samples + 1);
  const deviations = Math.abs(rate - threshold) / Math.sqrt((smoothed * (1 - smoothed)) / samples);
  return deviations > SURE ? 0 : 1 / (1 + Math.exp(1.702 * deviations));
}
