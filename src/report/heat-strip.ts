import type { SnapshotColumns } from '../core/snapshot.js';

/**
 * How hot each of `cells` equal parts of [startPage, endPage) is: the mean of nrAccesses over its pages as a share of
 * `maxNrAccesses`, 0 .. 1; 0 where no region lies.
 */
export function heatStrip(
  columns: SnapshotColumns,
  maxNrAccesses: number,
  startPage: number,
  endPage: number,
  cells: number,
): Float64Array {
  const { startPages, endPages, nrAccesses } = columns;
  const strip = new Float64Array(cells);
  const pagesPerCell = (endPage - startPage) / cells;
  for (let i = 0; i < startPages.length; i++) {
    const share = nrAccesses[i]! / maxNrAccesses;
    const from = Math.max(startPages[i]!, startPage);
    const to = Math.min(endPages[i]!, endPage);
    if (share === 0 || to <= from) continue;
    const firstCell = Math.floor((from - startPage) / pagesPerCell);
    for (let cell = firstCell; cell < cells && startPage + cell * pagesPerCell < to; cell++) {
      const cellStart = startPage + cell * pagesPerCell;
      const overlap = Math.min(to, cellStart + pagesPerCell) - Math.max(from, cellStart);
      strip[cell]! += Math.max(0, share * (overlap / pagesPerCell));
    }
  }
  // Rounding of the edges may add up to a hair more than all of a cell.
  for (let cell = 0; cell < cells; cell++) strip[cell] = Math.min(1, strip[cell]!);
  return strip;
}

/** [start, end) pairs of pages: the longest runs of regions that touch. A target has at most three. */
export function rangesOf({ startPages, endPages }: SnapshotColumns): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < startPages.length; i++) {
    const last = ranges.at(-1);
    if (last && last[1] === startPages[i]) last[1] = endPages[i]!;
    else ranges.push([startPages[i]!, endPages[i]!]);
  }
  return ranges;
}
