import test from 'ava';
import { completeAttrs, maxNrAccesses } from '../../src/core/attrs.js';
import { extrapolate, resetAggregated } from '../../src/core/cycle.js';
import { countAges, DamonAdaptation } from '../../src/core/damon-adaptation.js';
import { PagepulseError } from '../../src/core/errors.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import { initRegions } from '../../src/core/regions.js';
import { pickSamples } from '../../src/core/sampling.js';
import { Snapshot } from '../../src/core/snapshot.js';
import { columnsOver, snapshotColumns } from '../../src/core/snapshot-columns.js';
import { spans, tableOf } from '../helpers/tables.js';

const random = (seed = 7) => randomFrom(new RandomStreams(seed).next());

test('a region that changed by more than the threshold is new, others grow older', (t) => {
  const table = tableOf([
    [0, 1, 10, 5, 7],
    [1, 2, 10, 5, 8],
    [2, 3, 8, 5, 11],
  ]);
  countAges(table, 2);
  t.deepEqual([...table.age.subarray(0, 3)], [0, 6, 0]);
});

test('a busy target does not blur a quiet one', (t) => {
  const busy = tableOf([
    [0, 100, 20],
    [100, 200, 10],
  ]);
  const quiet = tableOf([
    [0, 100, 1],
    [100, 200, 0],
  ]);
  const targets = [busy, quiet].map((table) => ({ table, random: random() }));
  new DamonAdaptation().merge(targets, { minRegions: 3, maxRegions: 100, maxNrAccesses: 20 });
  t.is(quiet.count, 2); // a threshold of 20 / 10 would have joined 1 and 0
});

test('too many regions are merged with a growing threshold, without counting ages again', (t) => {
  const table = tableOf(
    Array.from({ length: 40 }, (_, i) => [10 * i, 10 * i + 10, i % 2 ? 20 : 4, 3, i % 2 ? 20 : 4]),
  );
  new DamonAdaptation().merge([{ table, random: random() }], {
    minRegions: 3,
    maxRegions: 10,
    maxNrAccesses: 20,
  });
  t.true(table.count <= 10);
  t.deepEqual(new Set(table.age.subarray(0, table.count)), new Set([4]));
});

test('regions are split in three if the last split found nothing new', (t) => {
  const table = tableOf([
    [0, 1_000],
    [1_000, 2_000],
  ]);
  const adaptation = new DamonAdaptation();
  const targets = [{ table, random: random() }];
  const limits = { minRegions: 3, maxRegions: 1_000, maxNrAccesses: 20 };
  adaptation.split(targets, limits);
  t.is(table.count, 4);
  const again = tableOf([
    [0, 1_000],
    [1_000, 2_000],
  ]);
  adaptation.split([{ table: again, random: random() }], limits);
  t.true(again.count > 4);
});

test('above half of maxRegions nothing is split, and a region of two pages never', (t) => {
  const limits = { minRegions: 3, maxRegions: 10, maxNrAccesses: 20 };
  const many = tableOf(Array.from({ length: 6 }, (_, i) => [10 * i, 10 * i + 10]));
  new DamonAdaptation().split([{ table: many, random: random() }], limits);
  t.is(many.count, 6);
  const small = tableOf([
    [0, 2],
    [2, 3],
  ]);
  new DamonAdaptation().split([{ table: small, random: random() }], limits);
  t.deepEqual(spans(small), [
    [0, 2],
    [2, 3],
  ]);
});

test('a snapshot keeps the counts, and counting starts again', (t) => {
  const table = tableOf([
    [0x10, 0x20, 3, 1],
    [0x20, 0x30, 0, 9],
  ]);
  const columns = columnsOver(snapshotColumns(table).startPages.buffer as ArrayBuffer);
  resetAggregated(table);
  t.deepEqual([...columns.startPages], [0x10, 0x20]);
  t.deepEqual([...columns.endPages], [0x20, 0x30]);
  t.deepEqual([...columns.nrAccesses], [3, 0]);
  t.deepEqual([...columns.ages], [1, 9]);
  t.deepEqual([table.nrAccesses[0], table.lastNrAccesses[0]], [0, 3]);
});

test('counts of an interval with missed ticks are extrapolated, never above the maximum', (t) => {
  const table = tableOf([
    [0, 1, 5],
    [1, 2, 2],
    [2, 3, 0],
  ]);
  extrapolate(table, 5, 20);
  t.deepEqual([...table.nrAccesses.subarray(0, 3)], [20, 8, 0]);
});

test('the working set counts regions at or above the threshold', (t) => {
  const columns = snapshotColumns(
    tableOf([
      [0, 10, 0],
      [10, 30, 1],
      [30, 60, 20],
    ]),
  );
  const snapshot = new Snapshot({ pageSize: 4096 } as Snapshot, columns);
  t.is(snapshot.workingSetBytes(), 50 * 4096);
  t.is(snapshot.workingSetBytes(2), 30 * 4096);
  t.deepEqual(snapshot.regions[1], {
    startAddress: 40_960,
    endAddress: 122_880,
    mappedBytes: 81_920,
    nrAccesses: 1,
    age: 0,
  });
});

test('the same seed gives the same numbers, different ones for each target', (t) => {
  const picks = (seed: number, stream: number) => {
    const streams = new RandomStreams(seed);
    for (let i = 0; i < stream; i++) streams.next();
    const table = tableOf([
      [0, 2 ** 30],
      [2 ** 30, 2 ** 40],
    ]);
    pickSamples(table, randomFrom(streams.next()));
    return [...table.samplePage.subarray(0, 2)];
  };
  t.deepEqual(picks(5, 0), picks(5, 0));
  t.notDeepEqual(picks(5, 0), picks(5, 1));
  t.notDeepEqual(picks(5, 0), picks(6, 0));
});

test('all pages of a region are equally likely to be sampled', (t) => {
  const table = tableOf([[100, 110]]);
  const stream = random(1);
  const hits = new Uint32Array(10);
  for (let i = 0; i < 20_000; i++) {
    pickSamples(table, stream);
    hits[table.samplePage[0]! - 100]!++;
  }
  for (const count of hits) t.true(count > 1_800 && count < 2_200, `${count} of 20,000`);
});

test('contradictory attrs are rejected with advice', (t) => {
  const refused = (given: object) => {
    const error = t.throws(() => completeAttrs(given), { instanceOf: PagepulseError });
    t.is(error.code, 'ATTRS');
    return error.message;
  };
  t.regex(refused({ sampleUs: 10_000, aggrUs: 5_000 }), /below the sampling interval/);
  t.regex(refused({ minRegions: 2 }), /an integer from 3 to/);
  t.regex(refused({ minRegions: 20, maxRegions: 10 }), /maxRegions \(10\) is below minRegions \(20\)/);
  t.regex(refused({ sampleUs: Number.NaN }), /1 us to 1 day/);
  t.regex(refused({ maxRegions: 1e9 }), /an integer from 3 to/);
});

test('an aggregation interval is rounded to whole sampling intervals', (t) => {
  const attrs = completeAttrs({ sampleUs: 3_000, aggrUs: 100_000 });
  t.is(attrs.aggrUs, 99_000);
  t.is(maxNrAccesses(attrs), 33);
});

test('the algorithm finds a hot range: closed simulation without threads or Linux', (t) => {
  const seed = 11;
  t.log(`seed ${seed}`);
  const PAGES = 65_536; // 256 MiB
  const [hotStart, hotEnd] = [25_600, 33_792];
  const table = RegionTable.forLimits(10, 1_000);
  table.setRanges(Float64Array.of(0, PAGES));
  initRegions(table, 10);
  const streams = new RandomStreams(seed);
  const sampling = randomFrom(streams.next());
  const targets = [{ table, random: randomFrom(streams.next()) }];
  const adaptation = new DamonAdaptation();
  const limits = { minRegions: 10, maxRegions: 1_000, maxNrAccesses: 20 };
  let [said, hit, hot] = [0, 0, 0];
  for (let aggregation = 0; aggregation < 100; aggregation++) {
    for (let tick = 0; tick < 20; tick++) {
      pickSamples(table, sampling);
      for (let i = 0; i < table.count; i++) {
        if (table.samplePage[i]! >= hotStart && table.samplePage[i]! < hotEnd) table.nrAccesses[i]!++;
      }
    }
    adaptation.merge(targets, limits);
    for (let i = 0; aggregation >= 40 && i < table.count; i++) {
      if (table.nrAccesses[i]! < 2) continue;
      said += table.endPage[i]! - table.startPage[i]!;
      hit += Math.max(0, Math.min(table.endPage[i]!, hotEnd) - Math.max(table.startPage[i]!, hotStart));
    }
    if (aggregation >= 40) hot += hotEnd - hotStart;
    resetAggregated(table);
    adaptation.split(targets, limits);
  }
  t.log(`precision ${(hit / said).toFixed(4)}, recall ${(hit / hot).toFixed(4)}`);
  t.true(hit / said >= 0.98);
  t.true(hit / hot >= 0.98);
});
