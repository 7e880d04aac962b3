import test from 'ava';
import fc from 'fast-check';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { PagepulseError } from '../../src/core/errors.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import {
  AccessEvents,
  completeGoal,
  DEFAULT_GOAL,
  nextSampleUs,
  scoreOf,
  tuningFactor,
} from '../../src/core/tuning.js';
import { tableOf } from '../helpers/tables.js';

/** `observed` events of `possible` samples of one page each, with any variance. */
function events(observed: number, possible = 10_000, variance = 0): AccessEvents {
  return Object.assign(new AccessEvents(), { observed, possible, variance });
}

test('access events are pages times hits, over all tables', (t) => {
  const sum = new AccessEvents();
  sum.add(
    tableOf([
      [0, 10, 20],
      [10, 40, 5],
    ]),
    20,
  );
  sum.add(tableOf([[0, 100, 0]]), 20);
  t.is(sum.observed, 10 * 20 + 30 * 5);
  t.is(sum.possible, 140 * 20);
  t.is(sum.variance, 30 * 30 * 5 * (1 - 5 / 20)); // pages that are always or never hit have no variance
});

test('score = observed / target', (t) => {
  t.is(scoreOf(events(400), DEFAULT_GOAL), 1);
  t.is(scoreOf(events(100), DEFAULT_GOAL), 0.25);
  t.is(scoreOf(events(0, 0), DEFAULT_GOAL), 0);
});

test('the intervals follow the score as the kernel’s do', (t) => {
  // damon_feed_loop_next_input(100000000, score) / 10000, then 5000 + it / 2 up to 10000: mm/damon/core.c
  for (const [score, factor] of [
    [0, 2],
    [0.5, 1.5],
    [1, 1],
    [1.2, 0.9],
    [1.5, 0.75],
    [2, 0.5],
    [25, 0.5],
  ] as const) {
    t.true(Math.abs(tuningFactor(score) - factor) < 1e-12, `${score}: ${tuningFactor(score)}`);
  }
});

test('a step stays within its bounds, and changes nothing near the goal', (t) => {
  t.is(nextSampleUs(20_000, events(0), DEFAULT_GOAL), 40_000);
  t.is(nextSampleUs(20_000, events(200), DEFAULT_GOAL), 30_000);
  t.is(nextSampleUs(20_000, events(10_000), DEFAULT_GOAL), 10_000);
  t.is(nextSampleUs(6_000, events(10_000), DEFAULT_GOAL), 5_000);
  t.is(nextSampleUs(6_000_000, events(0), DEFAULT_GOAL), 10_000_000);
  for (const observed of [361, 400, 439]) t.is(nextSampleUs(20_000, events(observed), DEFAULT_GOAL), 20_000);
  t.not(nextSampleUs(20_000, events(359), DEFAULT_GOAL), 20_000);
});

test('a score that may be chance changes nothing, up to twice the goal', (t) => {
  // 280 events where 400 are the goal: four deviations of 31 reach it, four of 29 do not.
  t.is(nextSampleUs(20_000, events(280, 10_000, 31 ** 2), DEFAULT_GOAL), 20_000);
  t.not(nextSampleUs(20_000, events(280, 10_000, 29 ** 2), DEFAULT_GOAL), 20_000);
  t.is(nextSampleUs(20_000, events(800, 10_000, 1e6), DEFAULT_GOAL), 20_000);
  t.is(nextSampleUs(20_000, events(801, 10_000, 1e6), DEFAULT_GOAL), 10_000);
});

test('impossible goals are rejected', (t) => {
  for (const given of [
    { accessBp: 0 },
    { accessBp: 10_001 },
    { accessBp: Number.NaN },
    { aggrs: 0 },
    { aggrs: 1.5 },
    { minSampleUs: 0 },
    { minSampleUs: 2, maxSampleUs: 1 },
    { maxSampleUs: Number.POSITIVE_INFINITY },
  ]) {
    const error = t.throws(() => completeGoal(given), { instanceOf: PagepulseError });
    t.is(error?.code, 'ATTRS');
  }
  t.deepEqual(completeGoal({}), { accessBp: 400, aggrs: 3, minSampleUs: 5_000, maxSampleUs: 10_000_000 });
});

test('a step at most doubles or halves, in the right direction', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5_000, max: 10_000_000 }),
      fc
        .integer({ min: 1, max: 1e12 })
        .chain((possible) => fc.tuple(fc.constant(possible), fc.nat(possible))),
      fc.double({ min: 0, max: 1e24, noNaN: true }),
      (sampleUs, [possible, observed], variance) => {
        const seen = events(observed, possible, variance);
        const next = nextSampleUs(sampleUs, seen, DEFAULT_GOAL);
        t.true(next >= sampleUs / 2 - 1 && next <= sampleUs * 2);
        t.true(next >= DEFAULT_GOAL.minSampleUs && next <= DEFAULT_GOAL.maxSampleUs);
        t.true(scoreOf(seen, DEFAULT_GOAL) < 1 ? next >= sampleUs : next <= sampleUs);
      },
    ),
  );
});

/**
 * A process some of whose pages are accessed every `everyUs` on average: in an interval of s, a sampled
 * page of these was accessed with the probability 1 - exp(-s / everyUs).
 */
function settle(
  { regions, everyUs, hotShare }: { regions: number; everyUs: number; hotShare: number },
  uniform: () => number,
  steps: number,
): number[] {
  const intervals = [DEFAULT_GOAL.minSampleUs];
  while (intervals.length < steps) {
    const sampleUs = intervals.at(-1)!;
    const seen = new AccessEvents();
    for (let aggregation = 0; aggregation < DEFAULT_GOAL.aggrs; aggregation++) {
      const rows = Array.from({ length: regions }, (_, i) => {
        let hits = 0;
        for (let tick = 0; tick < 20; tick++) {
          if (i < regions * hotShare && uniform() < 1 - Math.exp(-sampleUs / everyUs)) hits++;
        }
        return [100 * i, 100 * i + 100, hits] as const;
      });
      seen.add(tableOf(rows), 20);
    }
    intervals.push(nextSampleUs(sampleUs, seen, DEFAULT_GOAL));
  }
  return intervals;
}

test('at any rate, the interval settles within 20 steps, and stays within 10 %', (t) => {
  let moved = 0;
  const runs = 300;
  const seed = Date.now() % 2 ** 31;
  fc.assert(
    fc.property(
      fc.double({ min: 4, max: 8, noNaN: true }),
      fc.constantFrom(0, 0.25, 0.5, 1),
      fc.constantFrom(12, 40, 200),
      fc.integer(),
      (exponent, hotShare, regions, seed) => {
        const random = randomFrom(new RandomStreams(seed).next());
        const last = settle(
          { regions, everyUs: 10 ** exponent, hotShare },
          () => uniformFloat64(random),
          30,
        ).slice(-10);
        if (Math.max(...last) / Math.min(...last) > 1.1) moved++;
      },
    ),
    { numRuns: runs, seed },
  );
  // About 4 % change by chance; without the band, half of them would.
  t.true(moved <= runs * 0.1, `${moved} of ${runs} runs went on (seed ${seed})`);
});
