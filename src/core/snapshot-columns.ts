import type { Layout } from './layout.js';
import type { RegionTable } from './region-table.js';

/** The columns of a published snapshot, one element per region, in address order. They own their memory. */
export interface SnapshotColumns {
  /** First page of each region (address / page size). */
  readonly startPages: Float64Array;
  /** First page after each region. */
  readonly endPages: Float64Array;
  /** Sampling intervals in which each region's sampled page was accessed: 0 .. snapshot.maxNrAccesses. */
  readonly nrAccesses: Uint32Array;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly ages: Uint32Array;
  /** `evidence` only: the number of samples behind each region's rate, including earlier intervals. */
  readonly samples?: Uint32Array;
  /** `evidence` only: the standard deviation of each region's start, in pages. */
  readonly deviations?: Float32Array;
  /** `evidence` only: how many pages of each region may be accessed differently from the rest of it. */
  readonly unlike?: Float32Array;
  /**
   * Pages of each region that are in memory: exact from a region source, estimated from samples with a page check. Absent from
   * records of versions before 0.2.
   */
  readonly residentPages?: Float64Array;
  /** Resident pages that the check cannot see (hugetlb, pages on no reclaim list): neither accessed nor cold. */
  readonly unseenPages?: Float64Array;
  /**
   * Pages of each region that are covered, if the regions lie over mapped memory alone: one may then reach over gaps. Without
   * this column, all pages from its start to its end are.
   */
  readonly mappedPages?: Float64Array;
  /** Pages accessed in the interval, from a region source. Without this column, one hit counts the whole region. */
  readonly accessedPages?: Float64Array;
}

const BYTES_PER_REGION = 2 * 8 + 2 * 4;

/** The optional columns of a snapshot, as bits. */
export const ColumnSet = {
  NONE: 0,
  /** samples, deviations and unlike. */
  EVIDENCE: 1,
  /** residentPages and unseenPages. */
  MEMORY: 2,
  /** accessedPages. */
  ACCESSED: 4,
  /** mappedPages. */
  MAPPED: 8,
} as const;

/** The columns that a snapshot of this table has. */
export function columnSetOf({ evidence, delivered }: RegionTable, layout?: Layout): number {
  if (delivered) return ColumnSet.MEMORY | ColumnSet.ACCESSED;
  return ColumnSet.MEMORY | (evidence ? ColumnSet.EVIDENCE : 0) | (layout ? ColumnSet.MAPPED : 0);
}

/**
 * Copies the table's regions to a buffer of their own, which can be transferred to another thread.
 *
 * @param presence the presence of a sampled table, measured before its regions were merged
 * @param layout that the table's regions lie in, if they do
 */
export function snapshotColumns(table: RegionTable, presence?: Presence, layout?: Layout): SnapshotColumns {
  const { count, evidence, delivered } = table;
  const sets = columnSetOf(table, layout);
  const columns = emptyColumns(count, presence || delivered ? sets : sets & ~ColumnSet.MEMORY);
  columns.startPages.set(table.startPage.subarray(0, count));
  columns.endPages.set(table.endPage.subarray(0, count));
  columns.nrAccesses.set(table.nrAccesses.subarray(0, count));
  columns.ages.set(table.age.subarray(0, count));
  if (evidence) {
    columns.samples!.set(evidence.trials.subarray(0, count));
    columns.deviations!.set(evidence.deviation.subarray(0, count));
    columns.unlike!.set(evidence.unlike.subarray(0, count));
  }
  if (delivered) {
    columns.residentPages!.set(delivered.residentPages.subarray(0, count));
    columns.unseenPages!.set(delivered.unseenPages.subarray(0, count));
    columns.accessedPages!.set(delivered.accessedPages.subarray(0, count));
  } else {
    presence?.writeTo(columns);
  }
  if (layout) toPages(columns, layout);
  return columns;
}

/** Replaces positions by pages. About 30 ns a region. */
function toPages({ startPages, endPages, mappedPages }: SnapshotColumns, layout: Layout): void {
  const { starts, positions } = layout;
  for (let i = 0, run = 0; i < startPages.length; i++) {
    const [start, last] = [startPages[i]!, endPages[i]! - 1];
    mappedPages![i] = last + 1 - start;
    run = layout.runAt(start, run);
    startPages[i] = starts[run]! + start - positions[run]!;
    run = layout.runAt(last, run);
    endPages[i] = starts[run]! + last - positions[run]! + 1;
  }
}

/**
 * Columns for `count` regions, all 0, in one buffer.
 *
 * @param sets bits of ColumnSet
 */
export function emptyColumns(count: number, sets: number = ColumnSet.NONE): SnapshotColumns {
  return columnsOver(new ArrayBuffer(count * bytesPerRegion(sets)), sets);
}

/** Columns over a buffer that was made for these sets. */
export function columnsOver(buffer: ArrayBuffer, sets: number = ColumnSet.NONE): SnapshotColumns {
  const count = buffer.byteLength / bytesPerRegion(sets);
  let offset = 0;
  const column = <T>(
    Kind: new (buffer: ArrayBuffer, offset: number, length: number) => T,
    bytes: number,
  ): T => {
    const made = new Kind(buffer, offset, count);
    offset += bytes * count;
    return made;
  };
  // The widest first, so that each is aligned.
  const startPages = column(Float64Array, 8);
  const endPages = column(Float64Array, 8);
  const memory = sets & ColumnSet.MEMORY && {
    residentPages: column(Float64Array, 8),
    unseenPages: column(Float64Array, 8),
  };
  const accessed = sets & ColumnSet.ACCESSED && { accessedPages: column(Float64Array, 8) };
  const mapped = sets & ColumnSet.MAPPED && { mappedPages: column(Float64Array, 8) };
  return {
    startPages,
    endPages,
    nrAccesses: column(Uint32Array, 4),
    ages: column(Uint32Array, 4),
    ...(sets & ColumnSet.EVIDENCE && {
      samples: column(Uint32Array, 4),
      deviations: column(Float32Array, 4),
      unlike: column(Float32Array, 4),
    }),
    ...memory,
    ...accessed,
    ...mapped,
  };
}

function bytesPerRegion(sets: number): number {
  return (
    BYTES_PER_REGION +
    (sets & ColumnSet.EVIDENCE ? 3 * 4 : 0) +
    (sets & ColumnSet.MEMORY ? 2 * 8 : 0) +
    (sets & ColumnSet.ACCESSED ? 8 : 0) +
    (sets & ColumnSet.MAPPED ? 8 : 0)
  );
}

/** Columns of a Presence: start page, end page, share of pages in memory, share of pages that the check cannot see. */
const PRESENCE_COLUMNS = 4;

/**
 * Estimates how much of a target's regions is in memory: for each region, the share of looked-up pages that were present in
 * one aggregation interval. This costs nothing, because a page check looks up each page anyway. It is exact if all or nothing
 * is resident. Regions without a lookup count as resident.
 *
 * Measured before regions are merged, and then written to the merged regions in proportion to their overlap.
 */
export class Presence {
  #rows = new Float64Array(0);
  #count = 0;

  /** Runs once per aggregation interval and target, at some nanoseconds a region. Reuses its memory. */
  measure({ count, startPage, endPage, lookedUp, present, unseen }: RegionTable): void {
    if (this.#rows.length < PRESENCE_COLUMNS * count)
      this.#rows = new Float64Array(2 * PRESENCE_COLUMNS * count);
    const rows = this.#rows;
    this.#count = count;
    for (let i = 0, at = 0; i < count; i++, at += PRESENCE_COLUMNS) {
      const samples = lookedUp[i]!;
      rows[at] = startPage[i]!;
      rows[at + 1] = endPage[i]!;
      rows[at + 2] = samples > 0 ? present[i]! / samples : 1;
      rows[at + 3] = samples > 0 ? unseen[i]! / samples : 0;
    }
  }

  /** Sets the resident and unseen pages of regions that cover the same pages as the rows, in one pass. */
  writeTo({ startPages, endPages, residentPages, unseenPages }: SnapshotColumns): void {
    if (!residentPages || !unseenPages) return;
    const rows = this.#rows;
    const end = PRESENCE_COLUMNS * this.#count;
    for (let i = 0, at = 0; i < startPages.length && at < end; ) {
      const overlap = Math.min(endPages[i]!, rows[at + 1]!) - Math.max(startPages[i]!, rows[at]!);
      if (overlap > 0) {
        residentPages[i]! += overlap * rows[at + 2]!;
        unseenPages[i]! += overlap * rows[at + 3]!;
      }
      if (endPages[i]! < rows[at + 1]!) i++;
      else at += PRESENCE_COLUMNS;
    }
  }
}
