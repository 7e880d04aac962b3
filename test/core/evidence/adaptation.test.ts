import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { SAMPLE_US, TICKS } from '../../../bench/accuracy/intervals.js';
import { type Access, syntheticOf } from '../../../bench/accuracy/patterns.js';
import { scoreOf } from '../../../bench/accuracy/score.js';
import { Simulation } from '../../../bench/accuracy/simulation.js';
import { countRegions } from '../../../src/core/adaptation.js';
import { createAdaptation } from '../../../src/core/create-adaptation.js';
import { resetAggregated } from '../../../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../../../src/core/random.js';
import { divideRegions, leastRegions, limitsFor } from '../../../src/core/region-budget.js';
import { RegionTable } from '../../../src/core/region-table.js';
import { initRegions, updateRegions } from '../../../src/core/regions.js';
import { pickSamples } from '../../../src/core/sampling.js';
import type { SnapshotColumns } from '../../../src/core/snapshot-columns.js';
import { flawOf, union } from '../../helpers/tables.js';

const PAGES = 2 ** 24; // 64 GiB

/** 64 GiB with these accesses, each for so many aggregation intervals; the last phase goes on. */
function watch(phases: readonly (readonly [Access[], number])[], samples: number, seed = 1) {
  const timed = phases.map(([accesses, aggregations]) => ({
    accesses,
    lastsUs: aggregations * TICKS * SAMPLE_US,
  }));
  return new Simulation(syntheticOf(timed, PAGES), PAGES, 'evidence', samples, new RandomStreams(seed));
}

function afterAggregations(simulation: Simulation, count: number): SnapshotColumns {
  let columns = simulation.aggregate();
  for (let a = 1; a < count; a++) columns = simulation.aggregate();
  return columns;
}

const HOT: Access[] = [1_000_000, 5_000_000, 9_000_000, 12_345_678].map((start) => ({
  start,
  end: start + 25_600,
  share: 1,
}));

test('four hot ranges of 100 MiB in 64 GiB are known to the page after ten aggregations of 1,000 samples', (t) => {
  const { precision, recall } = scoreOf(afterAggregations(watch([[HOT, 1e6]], 1_000), 10), HOT, TICKS);
  t.true(precision > 0.999 && recall > 0.999, `precision ${precision}, recall ${recall}`);
});

test('memory that is all accessed now and then has one rate and no structure', (t) => {
  const columns = afterAggregations(watch([[[{ start: 0, end: PAGES, share: 0.05 }], 1e6]], 1_000), 60);
  let pages = 0;
  columns.startPages.forEach((start, i) => {
    if (columns.nrAccesses[i] === 1) pages += columns.endPages[i]! - start;
  });
  t.true(pages > 0.999 * PAGES, `${pages} of ${PAGES} pages have the right nrAccesses`);
  t.true(columns.startPages.length < 20, `${columns.startPages.length} regions`);
});

for (const [what, works, rests] of [
  ['in every third sampling interval', 1, 2],
  ['in half of each aggregation interval', 10, 10],
] as const) {
  test(`a program that works ${what} leaves little structure in what it works on`, (t) => {
    const spec = syntheticOf(
      [
        { accesses: HOT, lastsUs: works * SAMPLE_US },
        { accesses: [], lastsUs: rests * SAMPLE_US },
      ],
      PAGES,
    );
    let regions = 0;
    const seeds = [1, 2, 3];
    for (const seed of seeds) {
      const simulation = new Simulation(spec, PAGES, 'evidence', 1_000, new RandomStreams(seed));
      afterAggregations(simulation, 20);
      for (let a = 0; a < 80; a++) {
        const { startPages } = simulation.aggregate();
        for (const page of startPages)
          if (HOT.some(({ start, end }) => start <= page && page < end)) regions++;
      }
    }
    regions /= 80 * seeds.length;
    // If the places of a row were asked in their order, there would be 40 with half of each aggregation interval.
    t.true(regions < 20, `${regions} regions in four ranges on average`);
  });
}

test('ages: a hot range that is found is new, and the ground around it as old as it was', (t) => {
  const simulation = watch(
    [
      [[], 30],
      [HOT.slice(0, 1), 1e6],
    ],
    2_000,
  );
  const columns = afterAggregations(simulation, 60);
  const ages = (isHot: boolean) => [...columns.ages].filter((_, i) => columns.nrAccesses[i]! > 10 === isHot);
  t.true(Math.max(...ages(true)) < 30, `hot: ${ages(true)}`);
  t.true(Math.min(...ages(false)) >= 55, `cold: ${ages(false)}`);
});

test('a range that moves is given up at once, and found again as fast as the first time', (t) => {
  const elsewhere = HOT.map(({ start, end, share }) => ({ start: start + 2e6, end: end + 2e6, share }));
  const simulation = watch(
    [
      [HOT, 40],
      [elsewhere, 1e6],
    ],
    1_000,
  );
  afterAggregations(simulation, 40);
  const left = scoreOf(simulation.aggregate(), HOT, TICKS).recall;
  t.true(left < 0.05, `${left} of what was hot is still said to be`);
  const { precision, recall } = scoreOf(afterAggregations(simulation, 10), elsewhere, TICKS);
  t.true(precision > 0.99 && recall > 0.99, `precision ${precision}, recall ${recall}`);
});

test('ranges that are hit less often than before are not taken for shorter ones', (t) => {
  const less = HOT.map((hot) => ({ ...hot, share: 0.4 }));
  let recall = 0;
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  for (const seed of seeds) {
    const simulation = watch(
      [
        [HOT, 30],
        [less, 1e6],
      ],
      1_000,
      seed,
    );
    afterAggregations(simulation, 30);
    for (let a = 0; a < 20; a++) recall += scoreOf(simulation.aggregate(), less, TICKS).recall / 20;
  }
  t.true(recall / seeds.length > 0.93, `recall ${recall / seeds.length} on average of ${seeds.length} seeds`);
});

test('ground that stays cold costs less and less, and a change brings all samples back', (t) => {
  const simulation = watch(
    [
      [HOT.slice(0, 1), 400],
      [HOT, 1e6],
    ],
    20_000,
  );
  afterAggregations(simulation, 5);
  const atFirst = simulation.samples;
  afterAggregations(simulation, 395);
  const quiet = simulation.samples;
  t.true(quiet < atFirst / 12, `${atFirst} samples at first, ${quiet} when it is quiet`);
  // New ranges are found in time all the same.
  const { recall } = scoreOf(afterAggregations(simulation, 60), HOT, TICKS);
  t.true(recall > 0.99, `recall ${recall}`);
});

test('more hot spots than can be told apart: the budget is kept, and nothing is lost', (t) => {
  const spots = Array.from({ length: 2_000 }, (_, i) => ({
    start: 8_000 * i,
    end: 8_000 * i + 2_000,
    share: 1,
  }));
  const simulation = watch([[spots, 1e6]], 4_000);
  for (let a = 0; a < 40; a++) {
    const { startPages, endPages } = simulation.aggregate();
    t.true(simulation.samples <= 4_000);
    t.true(startPages.length <= 1_000);
    t.is(endPages.at(-1), PAGES);
  }
});

/** Here the samples of a row's pieces, each rounded up, would exceed the budget. */
const PASSED_BY_ROUNDING: [
  [number, number][][][],
  { minRegions: number; maxRegions: number },
  number,
  number,
] = [
  [
    [
      [[18, 414]],
      [
        [1, 147_952_043],
        [1, 1],
        [1, 224_170_295],
      ],
    ],
  ],
  { minRegions: 18, maxRegions: 39 },
  92,
  1_171_674_664,
];

test('no limit is exceeded, whatever the answers and however mappings change', (t) => {
  const size = fc.oneof(...[40, 4_000, 2 ** 30].map((max) => fc.integer({ min: 1, max })));
  const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), size), {
    minLength: 1,
    maxLength: 3,
  });
  const limits = fc
    .tuple(fc.integer({ min: 3, max: 50 }), fc.integer({ min: 0, max: 300 }))
    .map(([minRegions, more]) => ({ minRegions, maxRegions: minRegions + more }));
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.array(ranges, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 3 }),
        limits,
        fc.oneof(...[150, 3_000].map((max) => fc.integer({ min: 20, max }))),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        (phasesOf, attrs, maxSamples, seed) => {
          const streams = new RandomStreams(seed);
          const adaptation = createAdaptation('evidence');
          const limits = { ...limitsFor(attrs, phasesOf.length), maxNrAccesses: TICKS, maxSamples };
          const { minRegions, maxRegions } = limits;
          const targets = phasesOf.map(([first]) => {
            const table = RegionTable.forLimits(minRegions, maxRegions, adaptation.answersPerRegion);
            table.maxNrAccesses = TICKS;
            table.setRanges(pairsOf(first!));
            initRegions(table, minRegions);
            return { table, random: randomFrom(streams.next()) };
          });
          for (let round = 0; round < 7; round++) {
            let asked = 0;
            for (let tick = 0; tick < TICKS; tick++) {
              for (const { table, random } of targets) {
                pickSamples(table, random);
                asked += table.asked;
              }
            }
            if (round > 0) assert.ok(asked <= maxSamples, `${asked} samples of ${maxSamples}`);
            for (const { table } of targets) {
              answerAtRandom(table, seed + round);
              // Mappings may also change between the answers and the merge.
              if (round % 3 === 2 && table.hasRoomForUpdate) updateRegions(table);
            }
            const known = targets.map(({ table }) => union(table));
            const quotas = divideRegions(targets, maxRegions);
            adaptation.merge(targets, limits);
            targets.forEach(({ table }, i) => {
              assert.equal(flawOf(table), undefined, 'merged');
              assert.deepEqual(union(table), known[i]);
              const quota = targets.length > 1 ? quotas[i]! : maxRegions;
              const least = Math.min(quota, leastRegions(limits, targets, quota), table.totalPages());
              assert.ok(table.count >= least, `${table.count} regions, not ${least}`);
              resetAggregated(table);
            });
            assert.ok(countRegions(targets) <= maxRegions, `${countRegions(targets)} regions`);
            adaptation.split(targets, limits);
            targets.forEach(({ table }, i) => {
              assert.equal(flawOf(table), undefined, 'split');
              assert.deepEqual(union(table), known[i]);
              table.setRanges(pairsOf(phasesOf[i]![(round + 1) % phasesOf[i]!.length]!));
            });
            assert.ok(countRegions(targets) <= maxRegions, `${countRegions(targets)} regions`);
            const planned = targets.map(({ table: { evidence, count } }) =>
              evidence!.planned.subarray(0, count),
            );
            const sum = planned.reduce((all, its) => its.reduce((some, n) => some + n, all), 0);
            assert.ok(sum <= maxSamples, `${sum} samples planned`);
            for (const { table } of targets) if (table.hasRoomForUpdate) updateRegions(table);
          }
        },
      ),
      { numRuns: 300, includeErrorInReport: true, examples: [PASSED_BY_ROUNDING] },
    ),
  );
});

/** [start, end) pairs of ranges that are given by their gaps and sizes. */
function pairsOf(ranges: readonly (readonly [gap: number, size: number])[]): Float64Array {
  const pairs: number[] = [];
  for (const [gap, size] of ranges) {
    const start = (pairs.at(-1) ?? 0) + gap;
    pairs.push(start, start + size);
  }
  return Float64Array.from(pairs);
}

/** Answers of all kinds: rows that are hit always, never, at one end, here and there, or not asked. */
function answerAtRandom(table: RegionTable, seed: number): void {
  const random = randomFrom(new RandomStreams(seed).next());
  const chance = () => (random.next() >>> 0) / 2 ** 32;
  const { answers, answersPerRegion, pivot, kind } = table.evidence!;
  for (let i = 0; i < table.count; i++) {
    const [start, end] = [table.startPage[i]!, table.endPage[i]!];
    const [kindOf, edge] = [Math.floor(5 * chance()), chance()];
    const asked = kindOf === 4 ? Math.floor(3 * chance()) : TICKS;
    for (let k = 0; k < asked; k++) {
      let page = start + Math.floor(((k + chance()) / asked) * (end - start));
      if (kind[i] === 2 && k === asked >> 1) page = pivot[i]!;
      const isHit = [true, false, (page - start) / (end - start) < edge, chance() < edge, true][kindOf]!;
      answers[i * answersPerRegion + k] = isHit ? page + 1 : -(page + 1);
    }
  }
}
