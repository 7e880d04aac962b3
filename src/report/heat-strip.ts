import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { heatOf, seenPagesOf, sizeOf } from '../core/working-set.js';
import type { Mapping } from '../kernel/maps.js';
import { isCovered, kindOf, type MappingKind } from './region-mappings.js';

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
 * How hot the memory of a snapshot is, with its regions laid end to end in address order: as long as their visible resident
 * memory if accesses are counted by mapping, else as the memory that they cover.
 */
export function denseStrip(columns: SnapshotColumns, maxNrAccesses: number, cells: number): Float64Array {
  const { startPages, accessedPages } = columns;
  const lengthOf = accessedPages ? seenPagesOf : sizeOf;
  const ends = new Float64Array(startPages.length);
  let pages = 0;
  for (let i = 0; i < ends.length; i++) {
    pages += lengthOf(columns, i);
    ends[i] = pages;
  }
  // The same columns without the gaps.
  const starts = ends.map((end, i) => end - lengthOf(columns, i));
  const laid = { ...columns, startPages: starts, endPages: ends };
  return heatStrip(laid, maxNrAccesses, 0, pages, cells);
}

/**
 * What the cells of a `denseStrip` over mapped memory are, such as `|heap    |anonymous   |file`: a mark where the kind of
 * mapping changes, and its name if there is room.
 */
export function kindsLine(mappings: readonly Mapping[], cells: number): string {
  const covered = mappings.filter(isCovered);
  const pages = covered.reduce((sum, { startPage, endPage }) => sum + endPage - startPage, 0);
  let line = '';
  let [m, before] = [0, 0];
  for (let cell = 0, runStart = 0; pages > 0 && cell < cells; cell++) {
    const kind = kindAt(cell);
    if (cell + 1 < cells && kindAt(cell + 1) === kind) continue;
    const length = cell + 1 - runStart;
    line += `|${kind}`.slice(0, kind.length < length ? length : 1).padEnd(length);
    runStart = cell + 1;
  }
  return line.trimEnd();

  /** The kind in the middle of a cell. Cells are asked in order. */
  function kindAt(cell: number): MappingKind {
    const page = ((cell + 0.5) * pages) / cells;
    for (let size = 0; ; m++, before += size) {
      size = covered[m]!.endPage - covered[m]!.startPage;
      if (page < before + size || m + 1 === covered.length) return kindOf(covered[m]!);
    }
  }
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
