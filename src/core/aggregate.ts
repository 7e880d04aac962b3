import { type Attrs, maxNrAccesses } from './attrs.js';
import type { RegionTable } from './region-table.js';

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
