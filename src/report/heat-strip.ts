import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { heatOf, seenPagesOf } from '../core/working-set.js';

/**
 * How hot each of `cells` equal parts of [startPage, endPage) is: the mean heat of its pages in regions, 0 .. 1; NaN without
 * any. One pass over the regions, some ten nanoseconds per region and cell; drawn at most ten times a second.
 */
export function heatStrip(
  columns: SnapshotColumns,
  maxNrAccesses: number,
  startPage: number,
  endPage: number,
  cells: number,
): Float64Array {
  const { startPages, endPages } = columns;
  const strip = new Float64Array(cells);
  const coveredPages = new Float64Array(cells);
  const pagesPerCell = (endPage - startPage) / cells;
  for (let i = 0; i < startPages.length; i++) {
    const from = Math.max(startPages[i]!, startPage);
    const to = Math.min(endPages[i]!, endPage);
    if (to <= from) continue;
    const heat = heatOf(columns, i, maxNrAccesses);
    for (let cell = Math.floor((from - startPage) / pagesPerCell); cell < cells; cell++) {
      const cellStart = startPage + cell * pagesPerCell;
      if (cellStart >= to) break;
      const overlap = Math.min(to, cellStart + pagesPerCell) - Math.max(from, cellStart);
      if (overlap <= 0) continue;
      strip[cell]! += heat * overlap;
      coveredPages[cell]! += overlap;
    }
  }
  // Rounding may put a sum slightly above the whole.
  for (let cell = 0; cell < cells; cell++) {
    strip[cell] = Math.min(1, strip[cell]! / coveredPages[cell]!);
  }
  return strip;
}

/**
 * How hot the resident memory of a snapshot is that counts accesses by mapping. Mappings are laid end to end in address
 * order, each as long as its visible resident memory, with one heat for all of it.
 */
export function residentStrip(columns: SnapshotColumns, maxNrAccesses: number, cells: number): Float64Array {
  const { startPages } = columns;
  const ends = new Float64Array(startPages.length);
  let pages = 0;
  for (let i = 0; i < ends.length; i++) {
    pages += seenPagesOf(columns, i);
    ends[i] = pages;
  }
  // The same columns without the gaps and without memory that is not resident.
  const starts = ends.map((end, i) => end - seenPagesOf(columns, i));
  const laid = { ...columns, startPages: starts, endPages: ends };
  return heatStrip(laid, maxNrAccesses, 0, pages, cells);
}

/** A run of regions that touch. */
export interface PageRange {
  readonly startPage: number;
  /** First page after the range. */
  readonly endPage: number;
}

/** The longest runs of touching regions, in address order. */
export function rangesOf({ startPages, endPages }: SnapshotColumns): PageRange[] {
  const ranges: PageRange[] = [];
  let first = 0;
  for (let i = 0; i < startPages.length; i++) {
    if (i + 1 < startPages.length && endPages[i] === startPages[i + 1]) continue;
    ranges.push({ startPage: startPages[first]!, endPage: endPages[i]! });
    first = i + 1;
  }
  return ranges;
}
