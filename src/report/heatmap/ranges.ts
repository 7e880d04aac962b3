import type { Mapping } from '../../kernel/maps.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import type { PageRange } from '../heat-strip.js';
import { kindOf } from '../region-mappings.js';
import type { Profile } from './profile.js';

/** Which addresses to show. `hottest`: where nearly all accesses were; `all`: all that were watched. */
export type RangeChoice = 'hottest' | 'all' | readonly PageRange[];

export interface ChosenRanges {
  /** In address order. */
  readonly shown: readonly PageRange[];
  /** Not shown, because there were too many. */
  readonly leftOut: readonly PageRange[];
}

/** A gap between watched ranges is cut out if it would take more than a ninth of the picture. */
const GAP_TO_REST = 1 / 8;
/** A gap of memory that is not hot is cut out above a third: hot memory stands out from it. */
const COLD_TO_REST = 1 / 2;
const MAX_RANGES = 6;
/** Pieces are hot from this part of the mean share on, weighted by accesses. */
const HOT_PART = 1 / 8;
/** The part of a hot range's size that is shown on each side of it, for comparison. */
const MARGIN = 1 / 16;

/**
 * @param total what happened in the whole time
 * @param mappings in address order; empty if none are known
 */
export function chooseRanges(
  total: Profile,
  mappings: readonly Mapping[],
  choice: RangeChoice,
): ChosenRanges {
  if (typeof choice === 'object') return { shown: choice, leftOut: [] };
  const covered = runsOf(total, (i) => total.watchedUs(i) > 0);
  const hot = choice === 'hottest' ? hotRuns(total) : [];
  if (hot.length > 0) return mostAccessed(total, withMargins(cutGaps(hot, COLD_TO_REST), covered));
  const mapped = mappings.length > 0 ? common(covered, mappings) : [];
  return mostAccessed(total, cutGaps(mapped.length > 0 ? mapped : covered));
}

/** The longest runs of pieces of which this is true. */
function runsOf(total: Profile, isIn: (i: number) => boolean): PageRange[] {
  const runs: PageRange[] = [];
  for (let i = 0; i < total.length; i++) {
    if (!isIn(i)) continue;
    const startPage = total.edge(i);
    while (i + 1 < total.length && isIn(i + 1)) i++;
    runs.push({ startPage, endPage: total.edge(i + 1) });
  }
  return runs;
}

/**
 * Hot is relative to the mean share that accesses meet. That finds a few hot pages among terabytes that are accessed once
 * in a while, and a warm heap beside one hot page of a stack.
 */
function hotRuns(total: Profile): PageRange[] {
  let accessed = 0;
  let weighted = 0;
  for (let i = 0; i < total.length; i++) {
    const here = total.accessedUs(i) * total.pagesOf(i);
    accessed += here;
    weighted += here * total.share(i);
  }
  if (accessed === 0) return [];
  return runsOf(total, (i) => total.share(i) >= (weighted / accessed) * HOT_PART);
}

/** Runs and the gaps between them as ranges, cut at gaps of more than `part` of the rest. */
function cutGaps(runs: readonly PageRange[], part = GAP_TO_REST): PageRange[] {
  const gapBefore = (i: number) => runs[i]!.startPage - runs[i - 1]!.endPage;
  let extent = (runs.at(-1)?.endPage ?? 0) - (runs[0]?.startPage ?? 0);
  const cuts = new Set<number>();
  const byGap = runs.map((_, i) => i).slice(1);
  for (const i of byGap.sort((a, b) => gapBefore(b) - gapBefore(a))) {
    if (gapBefore(i) <= (extent - gapBefore(i)) * part) break;
    extent -= gapBefore(i);
    cuts.add(i);
  }
  const ranges: PageRange[] = [];
  let first = 0;
  for (let i = 1; i <= runs.length; i++) {
    if (i < runs.length && !cuts.has(i)) continue;
    ranges.push({ startPage: runs[first]!.startPage, endPage: runs[i - 1]!.endPage });
    first = i;
  }
  return ranges;
}

/** Margins end where memory was not watched, and where another range begins. */
function withMargins(ranges: readonly PageRange[], covered: readonly PageRange[]): PageRange[] {
  return ranges.map(({ startPage, endPage }, i) => {
    const margin = Math.ceil((endPage - startPage) * MARGIN);
    const from = covered.find((run) => run.endPage > startPage)!.startPage;
    const to = covered.findLast((run) => run.startPage < endPage)!.endPage;
    return {
      startPage: Math.max(startPage - margin, from, ranges[i - 1]?.endPage ?? 0),
      endPage: Math.min(endPage + margin, to, ranges[i + 1]?.startPage ?? Number.POSITIVE_INFINITY),
    };
  });
}

function mostAccessed(total: Profile, ranges: readonly PageRange[]): ChosenRanges {
  const byAccesses = ranges
    .map((range) => ({ range, accessed: accessedIn(total, range) }))
    .sort((a, b) => b.accessed - a.accessed)
    .map(({ range }) => range);
  const inOrder = (some: readonly PageRange[]) => [...some].sort((a, b) => a.startPage - b.startPage);
  return { shown: inOrder(byAccesses.slice(0, MAX_RANGES)), leftOut: inOrder(byAccesses.slice(MAX_RANGES)) };
}

/** Page-microseconds in which a range was found accessed. */
export function accessedIn(total: Profile, { startPage, endPage }: PageRange): number {
  let sum = 0;
  for (let i = 0; i < total.length; i++) {
    const pages = Math.min(total.edge(i + 1), endPage) - Math.max(total.edge(i), startPage);
    if (pages > 0) sum += total.accessedUs(i) * pages;
  }
  return sum;
}

/** Accessible mappings: gaps and reserved addresses hold no memory. Empty if no mappings are known. */
export function usableRanges(mappings: readonly ObservedMapping[]): PageRange[] {
  return mappings.filter((mapping) => kindOf(mapping) !== 'reserved');
}

/**
 * Pages of a range that were watched at any time.
 *
 * @param usable in order; only pages in there count, unless it is empty
 */
export function watchedPages(total: Profile, range: PageRange, usable: readonly PageRange[]): number {
  const watched = runsOf(total, (i) => total.watchedUs(i) > 0);
  const counted = usable.length > 0 ? common(watched, usable) : watched;
  return counted.reduce(
    (pages, { startPage, endPage }) =>
      pages + Math.max(0, Math.min(endPage, range.endPage) - Math.max(startPage, range.startPage)),
    0,
  );
}

/** Where both lie. Both in order. */
function common(a: readonly PageRange[], b: readonly PageRange[]): PageRange[] {
  const both: PageRange[] = [];
  let j = 0;
  for (const { startPage, endPage } of a) {
    while (j < b.length && b[j]!.endPage <= startPage) j++;
    for (let k = j; k < b.length && b[k]!.startPage < endPage; k++) {
      const from = Math.max(startPage, b[k]!.startPage);
      const to = Math.min(endPage, b[k]!.endPage);
      const last = both.at(-1);
      if (last?.endPage === from) both[both.length - 1] = { ...last, endPage: to };
      else if (to > from) both.push({ startPage: from, endPage: to });
    }
  }
  return both;
}
