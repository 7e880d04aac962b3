import { RegionTable } from '../../src/core/region-table.js';

/** A region as tests write it: [start, end, nrAccesses, age, lastNrAccesses]. */
export type Row = readonly [start: number, end: number, nrAccesses?: number, age?: number, last?: number];

export function tableOf(
  rows: readonly Row[],
  ranges: readonly (readonly [number, number])[] = [],
): RegionTable {
  const table = RegionTable.forLimits(10, Math.max(1_000, 4 * rows.length));
  table.setRanges(Float64Array.from(ranges.flat()));
  table.count = rows.length;
  rows.forEach(([start, end, nrAccesses = 0, age = 0, last = 0], i) => {
    table.setFresh(i, start, end);
    table.nrAccesses[i] = nrAccesses;
    table.age[i] = age;
    table.lastNrAccesses[i] = last;
  });
  return table;
}

/** [start, end] of each region. */
export function spans(table: RegionTable): [number, number][] {
  return Array.from({ length: table.count }, (_, i) => [table.startPage[i]!, table.endPage[i]!]);
}

/** What each page belongs to, as runs of touching regions: what adaptation has to keep. */
export function union(table: RegionTable): [number, number][] {
  const runs: [number, number][] = [];
  for (const [start, end] of spans(table)) {
    const last = runs.at(-1);
    if (last && last[1] === start) last[1] = end;
    else runs.push([start, end]);
  }
  return runs;
}

/** Why the table is no list of regions in order; undefined where it is. */
export function flawOf(table: RegionTable): string | undefined {
  let end = -1;
  for (const [start, itsEnd] of spans(table)) {
    if (start < end) return `a region at ${start} begins before ${end}, where another ends`;
    if (itsEnd <= start) return `the region at ${start} is empty`;
    end = itsEnd;
  }
  return undefined;
}
