import { Bench } from 'tinybench';
import { count, prepare } from '../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { RegionTable } from '../src/core/region-table.js';
import { splitEvenly } from '../src/core/regions.js';
import { Samples } from '../src/core/sampling.js';
import { pageSize } from '../src/kernel/page-size.js';
import { SyntheticCheck } from '../src/sources/synthetic/check.js';

const REGIONS = 1_000;
const PAGES = 2 ** 30; // 4 TiB

/** What one tick costs a sampler beside the kernel's calls: pick a page of each region, look it up, count. */
export function tickSuite(): Bench {
  const bench = new Bench({ name: 'tick', time: 1_000, warmupTime: 300 });
  const range = { startAddress: 0, sizeBytes: PAGES * pageSize() };
  const hot = { startAddress: 2 ** 40, sizeBytes: 2 ** 38, share: 0.5 };
  const spec = { phases: [{ lastsUs: 1e9, mappings: [range], accesses: [hot] }] } as const;
  const random = randomFrom(new RandomStreams(1).next());
  const check = new SyntheticCheck(spec, random);
  const table = RegionTable.forLimits(10, REGIONS);
  table.count = splitEvenly(table, 0, 0, PAGES, REGIONS);
  const target = { samples: new Samples(table), check, random, salt: 0 };
  bench.add('one synthetic tick of 1,000 regions', () => {
    prepare(target, 0);
    count(target, 0);
  });
  return bench;
}
