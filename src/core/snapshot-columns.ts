import type { RegionTable } from './region-table.js';

/** The columns of a published snapshot, one element a region, in address order. They own their memory. */
export interface SnapshotColumns {
  /** First page of each region: address / page size. */
  readonly startPages: Float64Array;
  /** First page after each region. */
  readonly endPages: Float64Array;
  readonly nrAccesses: Uint32Array;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly ages: Uint32Array;
  /** With the `evidence` adaptation: the samples behind each region's rate, also those of intervals before. */
  readonly samples?: Uint32Array;
  /** With the `evidence` adaptation: by how many pages the begin of each region may be off, as a standard deviation. */
  readonly deviations?: Float32Array;
  /** With the `evidence` adaptation: how many pages of each region may be accessed unlike the rest of it. */
  readonly unlike?: Float32Array;
  /**
   * Pages of each region that are in memory: exact from a region source, estimated from its samples by a page check. Absent
   * from records of versions before 0.2.
   */
  readonly residentPages?: Float64Array;
  /** Of the resident pages, those the check cannot see (hugetlb, pages on no list): neither accessed nor cold. */
  readonly unseenPages?: Float64Array;
  /** Pages accessed in the interval, counted by a region source. Without them, a region counts whole once it is hit. */
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
} as const;

/** The columns that a snapshot of this table has. */
export function columnSetOf({ evidence, delivered }: RegionTable): number {
  if (delivered) return ColumnSet.MEMORY | ColumnSet.ACCESSED;
  return ColumnSet.MEMORY | (evidence ? ColumnSet.EVIDENCE : 0);
}

/**
 * The table's regions in memory of their own, one buffer, ready to be transferred to another thread.
 *
 * @param presence of a table that is sampled, as it was before its regions were merged
 */
export function snapshotColumns(table: RegionTable, presence?: Presence): SnapshotColumns {
  const { count, evidence, delivered } = table;
  const columns = emptyColumns(
    count,
    presence || delivered ? columnSetOf(table) : evidence ? ColumnSet.EVIDENCE : 0,
  );
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
  return columns;
}

/**
 * Columns for `count` regions, all 0, in one buffer.
 *
 * @param sets bits of ColumnSet
 */
export function emptyColumns(count: number, sets: number = ColumnSet.NONE): SnapshotColumns {
  return columnsOver(new ArrayBuffer(count * bytesPerRegion(sets)), sets);
}

/** The columns inside a buffer that was made for these sets. */
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
  };
}

function bytesPerRegion(sets: number): number {
  return (
    BYTES_PER_REGION +
    (sets & ColumnSet.EVIDENCE ? 3 * 4 : 0) +
    (sets & ColumnSet.MEMORY ? 2 * 8 : 0) +
    (sets & ColumnSet.ACCESSED ? 8 : 0)
  );
}

/** Columns of a Presence: where the rows lay, and the shares of their pages that are in memory, and not to be seen. */
const PRESENCE_COLUMNS = 4;

/**
 * How much of a target's regions is in memory, estimated from the samples of one aggregation interval: of each region the
 * share of looked-up pages that were present. It costs nothing, for a page check looks up each page anyway, and it is
 * exact where all or nothing is resident. Regions that were not looked up count as resident.
 *
 * Taken before regions are merged, and written to the regions that come of it, by how much they overlap.
 */
export class Presence {
  #rows = new Float64Array(0);
  #count = 0;

  /** Once an aggregation interval and target; some nanoseconds a region. Keeps its memory. */
  take({ count, startPage, endPage, lookedUp, present, unseen }: RegionTable): void {
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

  /** Sets the resident and unseen pages of regions that cover what the rows did. Both are in address order: one pass. */
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
