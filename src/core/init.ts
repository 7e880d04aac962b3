import type { RegionTable } from './region-table.js';

/**
 * Fills the table with the first regions of a target: each of its ranges (`table.ranges`) in equal pieces of
 * about total pages / minRegions. A range smaller than that is one region; the last piece of a range takes
 * what the division leaves over. Yields at most minRegions + 2 regions.
 */
export function initRegions(table: RegionTable, minRegions: number): void {
  const { ranges, rangeCount } = table;
  let total = 0;
  for (let r = 0; r < rangeCount; r++) total += ranges[2 * r + 1]! - ranges[2 * r]!;

  let count = 0;
  for (let r = 0; r < rangeCount; r++) {
    const start = ranges[2 * r]!;
    const end = ranges[2 * r + 1]!;
    // size / piece with a piece of total / minRegions, at least one page, without rounding it first
    const pieces = Math.floor(((end - start) * Math.min(minRegions, total)) / total);
    count = splitEvenly(table, count, start, end, Math.max(1, pieces));
  }
  table.count = count;
}

/** Writes [start, end) as `pieces` fresh regions from row `at` on and returns the row after them. */
export function splitEvenly(
  table: RegionTable,
  at: number,
  start: number,
  end: number,
  pieces: number,
): number {
  const width = Math.floor((end - start) / pieces);
  for (let i = 0; i < pieces; i++) {
    const from = start + i * width;
    table.setFresh(at + i, from, i === pieces - 1 ? end : from + width);
  }
  return at + pieces;
}
