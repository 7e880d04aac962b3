import test from 'ava';
import fc from 'fast-check';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { type Attrs, DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { Budget } from '../../src/engine/budget.js';
import { Monitor } from '../../src/index.js';
import { hotCold } from '../helpers/synthetic.js';

/** A model of the cost of watching, in microseconds of CPU time. */
interface Model {
  readonly perTick: number;
  readonly perRegion: number;
  readonly perUpdate: number;
  readonly perSecond: number;
  /** Number of regions without a limit. */
  readonly regions: number;
  readonly targets: number;
}

const CHEAP: Model = { perTick: 60, perRegion: 1, perUpdate: 200, perSecond: 300, regions: 30, targets: 1 };

/** Windows of a second or a tick under a budget. Costs vary by up to `noise` in both directions. */
class Run {
  readonly budget: Budget;
  attrs: Attrs;
  readonly shares: number[] = [];
  #elapsedUs: number[] = [];

  constructor(
    readonly share: number,
    readonly wanted: Attrs = DEFAULT_ATTRS,
    durationUs = Number.POSITIVE_INFINITY,
  ) {
    this.budget = new Budget(share, durationUs);
    this.attrs = this.budget.allow(wanted);
  }

  windows(count: number, model: Model, vary: () => number = () => 1, overruns = 0): void {
    const { budget, wanted } = this;
    for (let i = 0; i < count; i++) {
      const { sampleUs, updateUs, maxRegions } = this.attrs;
      const intervals = Math.ceil(1e6 / sampleUs);
      const elapsedUs = intervals * sampleUs;
      const regions = Math.min(model.regions, maxRegions);
      const updates = elapsedUs / updateUs;
      const updateCpuUs = updates * model.perUpdate * vary();
      const ticksCpuUs = intervals * (model.perTick + model.perRegion * regions) * vary();
      const cpuUs = ticksCpuUs + updateCpuUs + (model.perSecond * elapsedUs) / 1e6;
      this.shares.push(cpuUs / elapsedUs);
      this.#elapsedUs.push(elapsedUs);
      budget.measure(
        { intervals, elapsedUs, cpuUs, updates, updateCpuUs, regions, overruns },
        wanted,
        10 * model.targets,
      );
      this.attrs = budget.allow(wanted);
    }
  }

  /** The largest share in any 10 s, from a window on. */
  worst(from: number): number {
    let worst = 0;
    for (let i = from; i < this.shares.length; i++) {
      let [cpu, elapsed] = [0, 0];
      for (let j = i; j < this.shares.length && elapsed < 10e6; j++) {
        cpu += this.shares[j]! * this.#elapsedUs[j]!;
        elapsed += this.#elapsedUs[j]!;
      }
      if (elapsed >= 10e6) worst = Math.max(worst, cpu / elapsed);
    }
    return worst;
  }
}

/** Factors from 1 - `most` to 1 + `most`. */
function noise(most: number, seed: number): () => number {
  const random = randomFrom(new RandomStreams(seed).next());
  return () => 1 + most * (2 * uniformFloat64(random) - 1);
}

test('wanted attrs that fit the budget stay', (t) => {
  const run = new Run(0.05);
  run.windows(100, CHEAP);
  t.deepEqual(run.attrs, DEFAULT_ATTRS);
});

test('intervals are stretched first, and then maxRegions is lowered', (t) => {
  const dear = { ...CHEAP, perTick: 100, perRegion: 2, regions: 400 };
  const stretched = new Run(0.02);
  stretched.windows(50, dear);
  // 900 us a tick
  t.true(
    stretched.attrs.sampleUs > 45_000 && stretched.attrs.sampleUs < 75_000,
    `${stretched.attrs.sampleUs}`,
  );
  t.is(stretched.attrs.maxRegions, 1_000);

  const lowered = new Run(0.005);
  lowered.windows(200, { ...dear, perRegion: 20, targets: 2 });
  // 8 ms a tick would need some 1.8 s; an aggregation interval ends after 10 s.
  t.true(lowered.attrs.maxRegions < 200, `${lowered.attrs.maxRegions}`);
  t.true(lowered.attrs.maxRegions >= 20);
  t.true(lowered.attrs.sampleUs <= 700_000, `${lowered.attrs.sampleUs}`);
});

test('a tick that exceeds the budget of 10 s becomes rarer: the budget holds over one sampling interval', (t) => {
  const dear = { ...CHEAP, perTick: 8_000, perRegion: 500, regions: 200, targets: 20 };
  const run = new Run(0.005);
  run.windows(60, dear, noise(0.1, 1));
  // 108 ms a tick, 50 ms in 10 s, and minRegions of each target keeps all regions.
  t.is(run.attrs.maxRegions, 200);
  t.true(run.attrs.sampleUs > 20e6 && run.attrs.sampleUs < 40e6, `${run.attrs.sampleUs}`);
  t.true(run.worst(20) <= 1.1 * 0.005, `${run.worst(20)}`);
  run.windows(200, { ...dear, perTick: 60, perRegion: 10 });
  t.true(run.attrs.sampleUs < 1e6, `${run.attrs.sampleUs}`);
});

test('constant cost is not a cost of ticks, and does not reduce regions', (t) => {
  const run = new Run(0.005);
  run.windows(100, { ...CHEAP, perTick: 22_000, perRegion: 10, perSecond: 8_000, regions: 200, targets: 20 });
  t.is(run.attrs.maxRegions, 200);
});

test('a monitor with a duration gets several aggregation intervals, at any cost', (t) => {
  const run = new Run(0.005, DEFAULT_ATTRS, 20e6);
  run.windows(60, { ...CHEAP, perTick: 60_000, perRegion: 0 });
  t.true(run.attrs.sampleUs <= 20e6 / 8, `${run.attrs.sampleUs}`);
  const forEver = new Run(0.005);
  forEver.windows(60, { ...CHEAP, perTick: 60_000, perRegion: 0 });
  t.true(forEver.attrs.sampleUs > 10e6, `${forEver.attrs.sampleUs}`);
});

test('late ticks leave no room for more ticks', (t) => {
  const busy = new Run(0.02);
  busy.windows(20, { ...CHEAP, perTick: 5_000 });
  const { sampleUs } = busy.attrs;
  t.true(sampleUs > 100_000);
  busy.windows(20, CHEAP, () => 1, 2);
  t.is(busy.attrs.sampleUs, sampleUs);
  busy.windows(20, CHEAP);
  t.true(busy.attrs.sampleUs < sampleUs);
});

test('mappings are read less often if reading them is the main cost', (t) => {
  const run = new Run(0.01);
  run.windows(60, { ...CHEAP, perTick: 10, perUpdate: 20_000 });
  t.true(run.attrs.updateUs >= 8e6, `${run.attrs.updateUs}`);
  t.true(run.attrs.sampleUs < 20_000);
  t.true(run.worst(30) <= 1.1 * 0.01);
});

test('intervals do not grow to save cost that no interval can save', (t) => {
  // 90 us a tick need some 50 ms of a budget of 2,000 us a second; 5,000 us a second remain however long the interval is.
  const run = new Run(0.002);
  run.windows(200, { ...CHEAP, perSecond: 5_000 });
  t.true(run.attrs.sampleUs <= 20 * 55_000, `${run.attrs.sampleUs}`);
});

test('constant cost is separated from the cost of ticks', (t) => {
  const run = new Run(0.01);
  run.windows(200, { ...CHEAP, perSecond: 5_000, perUpdate: 10 });
  // 90 us a tick in the 3,200 us a second that are left; all that is spent in such an interval would be 230 us.
  t.true(run.attrs.sampleUs >= 25_000 && run.attrs.sampleUs <= 50_000, `${run.attrs.sampleUs}`);
  t.true(run.worst(50) <= 1.1 * 0.01);
});

test('one expensive window changes nothing; each further one lengthens the interval up to four times', (t) => {
  const run = new Run(0.05);
  run.windows(20, CHEAP);
  run.windows(1, { ...CHEAP, perTick: 3_000 });
  run.windows(3, CHEAP);
  t.deepEqual(run.attrs, DEFAULT_ATTRS);
  run.windows(2, { ...CHEAP, perTick: 3_000 });
  t.true(run.attrs.sampleUs >= 20_000 && run.attrs.sampleUs < 60_000, `${run.attrs.sampleUs}`);
  run.windows(2, { ...CHEAP, perTick: 3_000 });
  t.true(run.attrs.sampleUs >= 60_000, `${run.attrs.sampleUs}`);
});

test('intervals and regions recover when the cost falls', (t) => {
  const run = new Run(0.005);
  run.windows(200, { ...CHEAP, perRegion: 20, regions: 400 });
  t.true(run.attrs.maxRegions < 400);
  run.windows(400, { ...CHEAP, perTick: 10, perRegion: 0, perSecond: 0, regions: 400 });
  t.deepEqual(run.attrs, DEFAULT_ATTRS);
});

test('any settled 10 s keep to the budget, whatever the cost and its jumps', (t) => {
  const cost = fc.record<Model>({
    perTick: fc.integer({ min: 20, max: 20_000 }),
    perRegion: fc.double({ min: 0, max: 5, noNaN: true }),
    perUpdate: fc.integer({ min: 0, max: 20_000 }),
    perSecond: fc.integer({ min: 0, max: 2_000 }),
    regions: fc.integer({ min: 10, max: 1_000 }),
    targets: fc.constantFrom(1, 20),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(0.005, 0.01, 0.02, 0.05),
      cost,
      cost,
      fc.integer(),
      (share, first, second, seed) => {
        const vary = noise(0.15, seed);
        const run = new Run(share);
        for (const model of [first, second]) {
          const from = run.shares.length;
          run.windows(120, model, vary);
          t.true(run.worst(from + 40) <= 1.1 * share, `${run.worst(from + 40)} of ${share}`);
          t.true(run.attrs.aggrUs === 20 * run.attrs.sampleUs);
        }
      },
    ),
  );
});

test('intervals settle', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(0.005, 0.02),
      fc.integer({ min: 50, max: 10_000 }),
      fc.integer(),
      (share, perTick, seed) => {
        const vary = noise(0.1, seed);
        const run = new Run(share);
        run.windows(60, { ...CHEAP, perTick }, vary);
        const seen = new Set<number>();
        for (let i = 0; i < 60; i++) {
          run.windows(1, { ...CHEAP, perTick }, vary);
          seen.add(run.attrs.sampleUs);
        }
        t.true(seen.size <= 3, [...seen].join(' '));
      },
    ),
  );
});

test('a budget that one tick a minute exceeds is rejected, with the smallest one that works', async (t) => {
  const options = { targets: [hotCold()], maxCpuPercent: 0.000_05 };
  const error = await t.throwsAsync(Monitor.start(options), {
    code: 'ATTRS',
    message: /^maxCpuPercent \(0\.00005\)/,
  });
  const leastPercent = Number(/about ([\d.]+) %/.exec(error!.message)![1]);
  await using monitor = await Monitor.start({ ...options, maxCpuPercent: leastPercent });
  t.is(monitor.targets.length, 1);
});
