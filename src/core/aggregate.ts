import type { Attrs } from './attrs.js';
import { maxNrAccesses } from './attrs.js';
import type { Presence } from './presence.js';
import type { RegionTable } from './region-table.js';
import type { SnapshotColumns } from './snapshot.js';

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

/**
 * Brings counts of `ticks` sampling intervals to what `max` of them would have shown: for a target that was not checked
 * in every interval of the aggregation interval, because the machine was too busy or it came late.
 */
export function extrapolate(table: RegionTable, ticks: number, max: number): void {
  if (ticks === max || ticks === 0) return;
  const { nrAccesses, count } = table;
  for (let i = 0; i < count; i++) nrAccesses[i] = Math.min(max, Math.round((nrAccesses[i]! * max) / ticks));
}

/** After a snapshot: what was counted becomes the last count, and counting begins anew. */
export function resetAggregated(table: RegionTable): void {
  const { nrAccesses, lastNrAccesses, count } = table;
  for (let i = 0; i < count; i++) lastNrAccesses[i] = nrAccesses[i]!;
  nrAccesses.fill(0, 0, count);
  table.clearPresence();
  table.evidence?.answers.fill(0, 0, count * table.evidence.answersPerRegion);
  table.tick = 0;
}

/** Brings counts and ages, which are in old intervals, to new ones: the share of accesses and the time stay. */
export function rescale(table: RegionTable, from: Attrs, to: Attrs): void {
  const { nrAccesses, lastNrAccesses, age, count } = table;
  const oldMax = maxNrAccesses(from);
  const newMax = maxNrAccesses(to);
  table.maxNrAccesses = newMax;
  for (let i = 0; i < count; i++) {
    nrAccesses[i] = Math.floor((nrAccesses[i]! * newMax) / oldMax);
    lastNrAccesses[i] = Math.floor((lastNrAccesses[i]! * newMax) / oldMax);
    age[i] = Math.floor((age[i]! * from.aggrUs) / to.aggrUs);
  }
}
