import test from 'ava';
import { countRegions } from '../../src/core/adaptation.js';
import { createAdaptation } from '../../src/core/create-adaptation.js';
import { resetAggregated } from '../../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { divideRegions, LEAST_REGIONS, limitsFor } from '../../src/core/region-budget.js';
import { pickSamples } from '../../src/core/sampling.js';
import { type Row, spans, tableOf } from '../helpers/tables.js';

const LIMITS = { minRegions: 10, maxRegions: 1_000 };
const random = randomFrom(new RandomStreams(1).next());

/** A target with `pages` pages, of which the first `accessed` are accessed. */
function target(pages: number, accessed: number) {
  const rows =
    accessed > 0
      ? ([
          [0, accessed, 20],
          [accessed, pages],
        ] as const)
      : ([[0, pages]] as const);
  return { table: tableOf(rows), random };
}

test('with few targets the limits are as given', (t) => {
  t.deepEqual(limitsFor(LIMITS, 1), LIMITS);
  t.deepEqual(limitsFor(LIMITS, 50), LIMITS);
});

test('with many targets each gets fewer regions, at least three, and half of maxRegions goes by need', (t) => {
  t.deepEqual(limitsFor(LIMITS, 100), { minRegions: 5, maxRegions: 1_000 });
  t.deepEqual(limitsFor(LIMITS, 500), { minRegions: 3, maxRegions: 2_000 });
});

test('busy targets get the regions that idle ones cannot use', (t) => {
  const targets = Array.from({ length: 500 }, (_, i) => target(25_600, i < 5 ? 8_192 : 0));
  const quotas = divideRegions(targets, 2_000);
  t.true(quotas.subarray(0, 5).every((quota) => quota >= LEAST_REGIONS + 99));
  t.true(quotas.subarray(5).every((quota) => quota === LEAST_REGIONS));
});

test('more accesses mean more regions, and equal need means equal parts', (t) => {
  const [much, little, none] = divideRegions([target(1e6, 1e5), target(1e6, 100), target(1e6, 0)], 100);
  t.true(much! > little! && little! > none!);
  const same = divideRegions([target(1_000, 10), target(1_000, 10)], 100);
  t.deepEqual([...same], [50, 50]);
});

test('parts never exceed maxRegions in total, nor fall below three each', (t) => {
  const targets = Array.from({ length: 40 }, (_, i) => target(1_000 * (i + 1), i * 20));
  for (const maxRegions of [10, 120, 200, 1_000]) {
    const quotas = divideRegions(targets, maxRegions);
    t.true(quotas.every((quota) => quota >= LEAST_REGIONS));
    const sum = quotas.reduce((total, quota) => total + quota, 0);
    t.true(sum <= Math.max(maxRegions, 40 * LEAST_REGIONS), `${sum} of ${maxRegions}`);
  }
});

test('many idle targets leave busy ones enough room to find their edges', (t) => {
  // Three ranges each. Halves of thirds of the large one are too large to be merged.
  const idle: Row[] = [
    [0, 8],
    [1_000, 1_030],
    [1_030, 1_060],
    [1_060, 1_090],
    [1_090, 1_120],
    [5_000, 5_001],
  ];
  const targets = Array.from({ length: 100 }, (_, i) => ({
    table: i < 5 ? target(8_192, 0).table : tableOf(idle),
    random: randomFrom(new RandomStreams(i).next()),
  }));
  const limits = { ...limitsFor({ minRegions: 10, maxRegions: 550 }, 100), maxNrAccesses: 20 };
  const damon = createAdaptation('damon');
  for (let round = 0; round < 60; round++) {
    for (const { table, random } of targets) {
      for (let tick = 0; tick < 20; tick++) {
        pickSamples(table, random);
        for (let i = 0; i < table.count; i++) {
          const page = table.samplePage[i]!;
          if (page >= 6_000 && page < 7_000) table.nrAccesses[i]!++;
        }
      }
    }
    damon.merge(targets, limits);
    t.true(countRegions(targets) <= limits.maxRegions);
    if (round === 59) break;
    for (const { table } of targets) resetAggregated(table);
    damon.split(targets, limits);
  }
  for (const { table } of targets.slice(0, 5)) {
    const hot = spans(table).filter((_, i) => table.nrAccesses[i]! >= 2);
    const pages = hot.reduce((sum, [start, end]) => sum + end - start, 0);
    t.true(Math.abs(pages - 1_000) < 100, `${pages} pages are said to be hot, of 1,000`);
  }
  for (const { table } of targets.slice(5)) t.is(table.count, LEAST_REGIONS);
});
