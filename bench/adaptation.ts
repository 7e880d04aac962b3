import { Bench } from 'tinybench';
import { resetAggregated, snapshotColumns } from '../src/core/aggregate.js';
import { DamonAdaptation } from '../src/core/damon-adaptation.js';
import { splitEvenly } from '../src/core/init.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { RegionTable } from '../src/core/region-table.js';

/**
 * One aggregation interval's work on the tables: merge, copy out, reset, split. Every region differs from its
 * neighbours, so nothing merges and the table stays as full as it is.
 */
export function adaptationSuite(): Bench {
  const bench = new Bench({ name: 'adaptation', time: 1_000, warmupTime: 300 });
  for (const regions of [1_000, 10_000]) {
    const table = RegionTable.forLimits(10, regions);
    const limits = { minRegions: 10, maxRegions: regions, maxNrAccesses: 20 };
    const targets = [{ table, random: randomFrom(new RandomStreams(1).next()) }];
    const adaptation = new DamonAdaptation();
    bench.add(
      `adapt ${regions.toLocaleString('en')} regions`,
      () => {
        adaptation.merge(targets, limits);
        snapshotColumns(table);
        resetAggregated(table);
        adaptation.split(targets, limits);
      },
      {
        beforeEach: () => {
          table.count = splitEvenly(table, 0, 0x1000, 0x1000 + 1_000 * regions, regions);
          for (let i = 0; i < regions; i++) {
            table.nrAccesses[i] = (i * 7) % 21;
            table.lastNrAccesses[i] = (i * 5) % 21;
          }
        },
      },
    );
  }
  return bench;
}
