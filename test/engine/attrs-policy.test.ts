import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import {
  type AttrsChange,
  Monitor,
  type MonitorOptions,
  type Snapshot,
  type SyntheticSpec,
  type TuningStep,
} from '../../src/index.js';
import { snapshotLine } from '../../src/record/format.js';
import { BASE, hotCold, KEPT, MIB } from '../helpers/synthetic.js';

/** 256 MiB without accesses. */
const IDLE: { synthetic: SyntheticSpec } = {
  synthetic: {
    phases: [{ lastsUs: 1e9, mappings: [{ startAddress: BASE, sizeBytes: 256 * MIB }], accesses: [] }],
  },
};

/** Runs `auto` on virtual time. Collects all of its events. */
async function watched(targets: MonitorOptions['targets'] & {}, options: Partial<MonitorOptions>) {
  await using monitor = await Monitor.start({ targets, clock: 'virtual', seed: 3, ...options });
  const changes: AttrsChange[] = [];
  const steps: TuningStep[] = [];
  monitor.on('attrs', (change) => changes.push(change));
  monitor.on('tuned', (step) => steps.push(step));
  const lines: string[] = [];
  const snapshots: Snapshot[] = [];
  for await (const snapshot of monitor) {
    lines.push(snapshotLine(snapshot));
    snapshots.push(snapshot);
  }
  const { stats } = await monitor.ended;
  return { changes, steps, record: lines.join('\n'), snapshots, stats };
}

/** Precision and recall of hot bytes: regions accessed in a tenth of the samples, against the 32 hot MiB of hotCold. */
function accuracyOf(snapshots: readonly Snapshot[]): { precision: number; recall: number } {
  const [start, end] = [BASE + 100 * MIB, BASE + 132 * MIB];
  let [both, called] = [0, 0];
  for (const { regions } of snapshots) {
    for (const { startAddress, endAddress, nrAccesses } of regions) {
      if (nrAccesses < 2) continue;
      called += endAddress - startAddress;
      both += Math.max(0, Math.min(endAddress, end) - Math.max(startAddress, start));
    }
  }
  return { precision: both / called, recall: both / (snapshots.length * (end - start)) };
}

test.serial('one busy process among many idle ones keeps the interval that it needs', async (t) => {
  const targets = [hotCold(), ...Array.from({ length: 30 }, () => IDLE)];
  const { steps } = await watched(targets, { durationUs: 20e6, auto: true, attrs: KEPT });
  t.true(steps.length > 10);
  t.true(steps.every(({ wantedSampleUs }) => wantedSampleUs === 5_000));
});

test.serial('an idle process gets the longest interval, in steps that double', async (t) => {
  const { changes, steps } = await watched([IDLE], { durationUs: 100e6, auto: { maxSampleUs: 80_000 } });
  t.deepEqual(
    changes.map(({ attrs, reason }) => [attrs.sampleUs, attrs.aggrUs, reason]),
    [
      [10_000, 200_000, 'auto'],
      [20_000, 400_000, 'auto'],
      [40_000, 800_000, 'auto'],
      [80_000, 1_600_000, 'auto'],
    ],
  );
  t.is(changes[0]!.atUs, 300_000, 'after three aggregation intervals');
  t.true(steps.length > 10);
  t.true(steps.every(({ score }) => score === 0));
});

test.serial('a busy process gets the shortest interval, and its hot memory is found', async (t) => {
  const attrs = { sampleUs: 160_000, aggrUs: 3_200_000 };
  const { changes, snapshots, stats } = await watched([hotCold()], { attrs, auto: true, durationUs: 60e6 });
  t.deepEqual(
    changes.map(({ attrs: { sampleUs } }) => sampleUs),
    [80_000, 40_000, 20_000, 10_000, 5_000],
  );
  t.like(stats.inForce, { reason: 'auto', attrs: { sampleUs: 5_000, aggrUs: 100_000 } });
  const { precision, recall } = accuracyOf(snapshots.slice(-100));
  t.true(precision >= 0.95 && recall >= 0.95, `${precision} ${recall}`);
});

test.serial('when an idle process gets busy, the interval follows within its steps', async (t) => {
  const [idle] = IDLE.synthetic.phases;
  const [busy] = hotCold().synthetic.phases;
  const phases = [{ ...idle, lastsUs: 50e6 }, busy] as const;
  const { changes, snapshots } = await watched([{ synthetic: { phases } }], {
    durationUs: 100e6,
    auto: { maxSampleUs: 80_000 },
  });
  const longest = changes.find(({ attrs }) => attrs.sampleUs === 80_000)!;
  t.true(longest.atUs < 50e6);
  const first = changes.find(({ atUs }) => atUs > 50e6)!;
  t.true(first.attrs.sampleUs < 80_000);
  t.true(first.atUs < 50e6 + 3 * 1.6e6 * 2);
  t.is(changes.at(-1)!.attrs.sampleUs, 5_000);
  const { precision, recall } = accuracyOf(snapshots.slice(-100));
  t.true(precision >= 0.95 && recall >= 0.95, `${precision} ${recall}`);
});

test.serial('with auto, the same seed gives the same record, however many samplers there are', async (t) => {
  const targets = [IDLE, hotCold(128), hotCold(8)];
  const options = { durationUs: 30e6 } as const;
  const first = await watched(targets, { ...options, workers: 3 });
  t.true(first.steps.length > 3);
  t.is((await watched(targets, { ...options, workers: 1 })).record, first.record);
  t.not((await watched(targets, { ...options, workers: 3, seed: 4 })).record, first.record);
});

test.serial('a goal that is met changes nothing, despite noise', async (t) => {
  const target = hotCold(32);
  const [phase] = target.synthetic.phases;
  const accesses = [{ ...phase.accesses[0]!, share: 0.32 }]; // of an eighth: 4 %
  const attrs = { sampleUs: 50_000, aggrUs: 1_000_000 };
  const { steps } = await watched([{ synthetic: { phases: [{ ...phase, accesses }] } }], {
    attrs,
    auto: true,
    durationUs: 150e6,
  });
  const last = steps.slice(-10).map(({ wantedSampleUs }) => wantedSampleUs);
  t.is(last.length, 10);
  t.true(Math.max(...last) / Math.min(...last) <= 1.1, last.join(' '));
});

test.serial('given intervals are kept, and a missing one follows from the other', async (t) => {
  const attrsOf = async (options: MonitorOptions) => {
    await using monitor = await Monitor.start({
      targets: [hotCold()],
      clock: 'virtual',
      durationUs: 2e6,
      ...options,
    });
    for await (const _ of monitor);
    const { attrs, reason } = (await monitor.ended).stats.inForce;
    return [attrs.sampleUs, attrs.aggrUs, reason];
  };
  t.deepEqual(await attrsOf({ attrs: KEPT }), [5_000, 100_000, 'set']);
  t.deepEqual(await attrsOf({ attrs: { sampleUs: 10_000 } }), [10_000, 200_000, 'set']);
  t.deepEqual(await attrsOf({ attrs: { aggrUs: 1_000_000 } }), [50_000, 1_000_000, 'set']);
  t.deepEqual(await attrsOf({}), [5_000, 100_000, 'auto']);
  t.deepEqual(await attrsOf({ auto: { minSampleUs: 20_000 } }), [20_000, 400_000, 'auto']);
  t.deepEqual(await attrsOf({ auto: false }), [5_000, 100_000, 'set']);
});

test.serial('a budget that is too small for the intervals lengthens them, and reports it', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT, maxCpuPercent: 0.01 });
  // From then on, a snapshot may take minutes.
  const [{ attrs, reason }] = (await once(monitor, 'attrs')) as [AttrsChange];
  t.is(reason, 'budget');
  t.true(attrs.sampleUs > KEPT.sampleUs);
  t.is(attrs.aggrUs, 20 * attrs.sampleUs);
  const { inForce, recentCpuPercent } = await monitor.stats();
  t.is(inForce.reason, 'budget');
  t.true(recentCpuPercent! > 0);
});

test.serial('setAttrs with intervals ends auto', async (t) => {
  await using monitor = await Monitor.start({ targets: [IDLE], auto: { aggrs: 1 } });
  while (monitor.attrs.sampleUs < 10_000) await pause(10);
  await monitor.setAttrs({ maxRegions: 500 });
  t.is((await monitor.stats()).inForce.reason, 'auto');
  await monitor.setAttrs(KEPT);
  await pause(400);
  const { inForce, ticks } = await monitor.stats();
  t.true(ticks > 0);
  t.like(inForce, { reason: 'set', attrs: { ...KEPT, maxRegions: 500 } });
});

test.serial('the cost of the whole process includes more than that of the monitor', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT, costOf: 'process' });
  for await (const { stats } of monitor) {
    const { cpuPercent, elapsedUs, threads } = stats;
    t.deepEqual(
      threads.map(({ name }) => name.replace(/\d+/, 'N')),
      ['coordinator', 'sampler N', 'others'],
    );
    const sum = threads.reduce((total, { cpuUs }) => total + cpuUs, 0);
    t.true(Math.abs((cpuPercent! / 100) * elapsedUs - sum) < 1);
    break;
  }
});

for (const [what, options] of Object.entries({
  'a budget of nothing': { maxCpuPercent: 0 },
  'a negative budget': { maxCpuPercent: -1 },
  'a budget beyond all processors': { maxCpuPercent: 1e6 },
  'a budget of NaN': { maxCpuPercent: Number.NaN },
  'a budget on virtual time': { maxCpuPercent: 1, clock: 'virtual' },
  'an impossible goal': { auto: { accessBp: 0 } },
} satisfies Record<string, MonitorOptions>)) {
  test.serial(`${what} is rejected`, async (t) => {
    await t.throwsAsync(Monitor.start({ targets: [hotCold()], ...options }), { code: 'ATTRS' });
  });
}
