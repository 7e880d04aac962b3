import test from 'ava';
import { TimeBudget } from '../../../src/cli/bench/benchmark.js';
import { figureOf, onePercentOf, type WatchingCost } from '../../../src/cli/bench/result.js';
import { costOf, fixedAttrs } from '../../../src/cli/bench/watching-cost.js';
import type { MonitorStats } from '../../../src/core/stats.js';

test('a figure is the median, and its quartiles', (t) => {
  t.deepEqual(figureOf([50, 10, 30, 20, 40]), { median: 30, p25: 20, p75: 40, runs: 5 });
  t.deepEqual(figureOf([4, 1, 3, 2]), { median: 2.5, p25: 1.75, p75: 3.25, runs: 4 });
  t.deepEqual(figureOf([7]), { median: 7, p25: 7, p75: 7, runs: 1 });
});

test('the time is divided by weight, and what one section leaves is for the others', (t) => {
  let nowMs = 1_000;
  const time = new TimeBudget(10_700, ['sampling', 'intervals', 'slowdown'], () => nowMs);
  t.is(time.share('sampling'), (10_000 * 8) / 28);
  nowMs += 1_500; // it took less
  t.is(time.share('intervals'), (8_500 * 7) / 20);
  nowMs += 5_000; // this one more
  t.is(time.share('slowdown'), 3_500);
});

test('no section gets a share after the time is up', (t) => {
  let nowMs = 0;
  const time = new TimeBudget(10_000, ['sampling', 'slowdown'], () => nowMs);
  nowMs = 11_000;
  t.is(time.share('sampling'), 0);
});

const stats = (elapsedUs: number, cpuPercent: number, ticks: number, regions: number, overruns = 0) =>
  ({ elapsedUs, cpuPercent, ticks, samples: 100 * ticks, regions, overruns }) as MonitorStats;

const RUN = {
  check: 'referenced',
  targets: [{ pid: 1 }, { pid: 2 }],
  sampleUs: 5_000,
  regions: 100,
} as const;

test('the cost of a monitor is the difference of its counts, window by window', (t) => {
  // 1 s at 10 % before; then 1 s that took 20,000 us, and one that took 40,000 us, for 100 ticks each.
  const all = [stats(1e6, 10, 100, 90), stats(2e6, 6, 200, 100, 3), stats(3e6, 16 / 3, 300, 110, 4)];
  const cost = costOf(all, RUN);
  t.like(cost, { sampleUs: 5_000, targets: 2, regions: 100, ticks: 200, overruns: 4 });
  t.is(Math.round(cost.cpuPercent.median * 10) / 10, 3);
  t.is(Math.round(cost.cpuUsPerTick.median), 300);
  t.is(Math.round(cost.cpuUsPerSample.median * 10) / 10, 3);
  t.is(cost.cpuPercent.runs, 2);
});

test('a window without a tick does not count towards the cost of one', (t) => {
  const cost = costOf([stats(1e6, 10, 100, 90), stats(2e6, 6, 200, 100), stats(2.1e6, 6, 200, 100)], RUN);
  t.is(cost.cpuPercent.runs, 2);
  t.is(cost.cpuUsPerTick.runs, 1);
  t.is(Math.round(cost.cpuUsPerTick.median), 200);
});

test('the limits of a run hold its number of regions', (t) => {
  const run = { ...RUN, check: 'idle-page' } as const;
  t.like(fixedAttrs(run), { sampleUs: 5_000, aggrUs: 100_000, minRegions: 50, maxRegions: 100 });
  t.like(fixedAttrs(RUN), { sampleUs: 5_000, aggrUs: 5_000 });
  const many = { ...run, targets: Array(16).fill({ pid: 1 }), regions: 10 };
  t.like(fixedAttrs(many), { minRegions: 3, maxRegions: 10 });
});

const tickOf = (regions: number, cpuUsPerTick: number) =>
  ({ regions, cpuUsPerTick: figureOf([cpuUsPerTick]) }) as WatchingCost;

test('1 % of a core buys what the line through the ticks says', (t) => {
  // 30 us a tick and 2 us a region.
  const costs = [tickOf(10, 50), tickOf(100, 230), tickOf(1_000, 2_030)];
  const { cpuUsPerTick, cpuUsPerRegion, atInterval, withRegions } = onePercentOf(
    costs,
    [1_000, 5_000, 100_000, 10e6],
    [10, 100],
  );
  t.is(Math.round(cpuUsPerTick), 30);
  t.is(Math.round(cpuUsPerRegion * 100) / 100, 2);
  t.deepEqual(atInterval, [
    // 10 us of CPU a tick: less than a tick without any region.
    { sampleUs: 1_000, regions: null, samplesPerSecond: null },
    { sampleUs: 5_000, regions: 10, samplesPerSecond: 2_000 },
    { sampleUs: 100_000, regions: 485, samplesPerSecond: 4_850 },
    // 49,985 are further than was measured.
    { sampleUs: 10e6, regions: 1_000, samplesPerSecond: 100 },
  ]);
  t.deepEqual(
    withRegions.map(({ regions, sampleUs }) => [regions, Math.round(sampleUs)]),
    [
      [10, 5_000],
      [100, 23_000],
    ],
  );
});

test('more regions never cost less, whatever was measured', (t) => {
  const { cpuUsPerTick, cpuUsPerRegion } = onePercentOf([tickOf(10, 500), tickOf(100, 490)], [5_000], [10]);
  t.true(cpuUsPerRegion > 0);
  t.true(cpuUsPerTick > 0);
});
