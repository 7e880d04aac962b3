import type { Attrs } from './attrs.js';
import { maxNrAccesses } from './attrs.js';
import type { RegionTable } from './region-table.js';
import type { SnapshotColumns } from './snapshot.js';

const SNAPSHOT_BYTES_PER_REGION = 2 * 8 + 2 * 4;
/** With samples, deviations and unlike pages. */
const EVIDENCE_BYTES_PER_REGION = 3 * 4;

/** The table's regions in memory of their own, one buffer, ready to be transferred to another thread. */
export function snapshotColumns(table: RegionTable): SnapshotColumns {
  const { count, evidence } = table;
  const columns = emptyColumns(count, evidence !== undefined);
  columns.startPages.set(table.startPage.subarray(0, count));
  columns.endPages.set(table.endPage.subarray(0, count));
  columns.nrAccesses.set(table.nrAccesses.subarray(0, count));
  columns.ages.set(table.age.subarray(0, count));
  if (evidence) {
    columns.samples!.set(evidence.trials.subarray(0, count));
    columns.deviations!.set(evidence.deviation.subarray(0, count));
    columns.unlike!.set(evidence.unlike.subarray(0, count));
  }
  return columns;
}

/** Columns for so many regions, all 0, in one buffer. */
export function emptyColumns(count: number, hasEvidence = false): SnapshotColumns {
  return columnsOver(new ArrayBuffer(count * bytesPerRegion(hasEvidence)), hasEvidence);
}

/** The columns inside a buffer that snapshotColumns made of a table with or without evidence. */
export function columnsOver(buffer: ArrayBuffer, hasEvidence = false): SnapshotColumns {
  const count = buffer.byteLength / bytesPerRegion(hasEvidence);
  return {
    startPages: new Float64Array(buffer, 0, count),
    endPages: new Float64Array(buffer, 8 * count, count),
    nrAccesses: new Uint32Array(buffer, 16 * count, count),
    ages: new Uint32Array(buffer, 20 * count, count),
    ...(hasEvidence && {
      samples: new Uint32Array(buffer, 24 * count, count),
      deviations: new Float32Array(buffer, 28 * count, count),
      unlike: new Float32Array(buffer, 32 * count, count),
    }),
  };
}

function bytesPerRegion(hasEvidence: boolean): number {
  return SNAPSHOT_BYTES_PER_REGION + (hasEvidence ? EVIDENCE_BYTES_PER_REGION : 0);
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
