import { Bench } from 'tinybench';
import { createAdaptation } from '../src/core/create-adaptation.js';
import { aggregate } from '../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { RegionTable } from '../src/core/region-table.js';
import { splitEvenly } from '../src/core/regions.js';
import { Presence, snapshotColumns } from '../src/core/snapshot-columns.js';

const TICKS = 20;

/**
 * One aggregation interval's work on the tables: merge, copy out, reset, split. Every region differs from its
 * neighbours, so nothing merges and the table stays as full as it is. With the evidence adaptation two in ten regions
 * have hits and misses in them, as when memory is watched, or nearly all: then each may hold boundaries.
 */
export function adaptationSuite(): Bench {
  const bench = new Bench({ name: 'adaptation', time: 1_000, warmupTime: 300 });
  const cases = [
    { name: 'damon', label: '', mixed: 1 },
    { name: 'evidence', label: ', by evidence', mixed: 0.2 },
    { name: 'evidence', label: ', by evidence, hits and misses in all', mixed: 1 },
  ] as const;
  for (const { name, label, mixed } of cases) {
    for (const regions of [1_000, 10_000]) {
      const adaptation = createAdaptation(name);
      const limits = { minRegions: 10, maxRegions: regions, maxNrAccesses: TICKS };
      const table = RegionTable.forLimits(10, regions, adaptation.answersPerRegion);
      table.maxNrAccesses = TICKS;
      const random = randomFrom(new RandomStreams(1).next());
      const target = { table, random, ticks: TICKS, presence: new Presence() };
      const work = () => aggregate([target], TICKS, adaptation, limits, () => snapshotColumns(table));
      bench.add(`adapt ${regions.toLocaleString('en')} regions${label}`, work, {
        beforeEach: () => {
          fill(table, regions, mixed);
          target.ticks = TICKS;
        },
      });
    }
  }
  return bench;
}

function fill(table: RegionTable, regions: number, mixed: number): void {
  table.count = splitEvenly(table, 0, 0x1000, 0x1000 + 1_000 * regions, regions);
  const { evidence } = table;
  for (let i = 0; i < regions; i++) {
    const isMixed = i % 10 < 10 * mixed;
    const hits = isMixed ? (i * 7) % 21 : (i % 2) * TICKS;
    table.nrAccesses[i] = hits;
    table.lastNrAccesses[i] = (i * 5) % 21;
    if (!evidence) continue;
    evidence.hits[i] = 10 * hits;
    evidence.trials[i] = 10 * TICKS;
    for (let k = 0; k < TICKS; k++) {
      const page = table.startPage[i]! + 50 * k + 1;
      evidence.answers[i * evidence.answersPerRegion + k] = (k * 13 + i) % TICKS < hits ? page : -page;
    }
  }
}
