import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from './region-table.js';

/** Picks a uniformly random page of every region. Once a tick and target, some 20 ns a region. */
export function pickSamples(table: RegionTable, random: RandomGenerator): void {
  const { startPage, endPage, samplePage, count } = table;
  for (let i = 0; i < count; i++) {
    const start = startPage[i]!;
    samplePage[i] = uniformInt(random, start, endPage[i]! - 1);
  }
}
