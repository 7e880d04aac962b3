import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Monitor, PagepulseError, type Snapshot } from '../../src/index.js';
import { snapshotLine } from '../../src/record/format.js';
import { hotCold, KEPT, MIB } from '../helpers/synthetic.js';

test.serial('on virtual time, the hot range is found to a few per cent', async (t) => {
  await using monitor = await Monitor.start({
    targets: [hotCold()],
    attrs: KEPT,
    clock: 'virtual',
    seed: 1,
    durationUs: 20e6,
  });
  const sizes: number[] = [];
  for await (const snapshot of monitor) sizes.push(snapshot.workingSetBytes(2) / MIB);
  t.is(sizes.length, 200);
  const late = sizes.slice(50);
  t.true(Math.abs(late.reduce((sum, size) => sum + size) / late.length / 32 - 1) < 0.03);
  const { reason, stats } = await monitor.ended;
  t.is(reason, 'duration');
  t.is(stats.ticks, 4_000);
  t.is(stats.snapshots, 200);
  t.is(stats.overruns + stats.droppedSnapshots + stats.lostSamplers, 0);
});

test.serial('the same seed gives the same record, however many samplers there are', async (t) => {
  const recordOf = async (seed: number, workers: number) => {
    const targets = [hotCold(32), hotCold(8), hotCold(64, { endsUs: 2_500_000 })];
    await using monitor = await Monitor.start({
      targets,
      attrs: KEPT,
      clock: 'virtual',
      seed,
      workers,
      durationUs: 5e6,
    });
    const lines: string[] = [];
    for await (const snapshot of monitor) lines.push(snapshotLine(snapshot));
    return lines.join('\n');
  };
  const first = await recordOf(7, 3);
  t.is(await recordOf(7, 3), first);
  t.is(await recordOf(7, 1), first);
  t.not(await recordOf(8, 3), first);
});

test.serial(
  'with evidence, the hot range is exact to the page, whatever the number of samplers',
  async (t) => {
    const recordOf = async (workers: number) => {
      await using monitor = await Monitor.start({
        targets: [hotCold(), hotCold(8)],
        attrs: KEPT,
        adaptation: 'evidence',
        clock: 'virtual',
        seed: 5,
        workers,
        durationUs: 4e6,
      });
      const snapshots: Snapshot[] = [];
      for await (const snapshot of monitor) snapshots.push(snapshot);
      return snapshots;
    };
    const snapshots = await recordOf(2);
    const last = snapshots.filter(({ target }) => target.id === 0).at(-1)!;
    t.is(last.workingSetBytes(2), 32 * MIB);
    t.deepEqual(last.workingSet(2), { bytes: 32 * MIB, lowBytes: 32 * MIB, highBytes: 32 * MIB });
    t.true(last.regions.every(({ samples }) => samples! > 0));
    t.deepEqual((await recordOf(1)).map(snapshotLine), snapshots.map(snapshotLine));
  },
);

test.serial('with evidence, a lost sampler, new limits and changing mappings do no harm', async (t) => {
  const [phase] = hotCold().synthetic.phases;
  const [mapping] = phase.mappings!;
  const smaller = { startAddress: mapping!.startAddress, sizeBytes: 150 * MIB };
  const phases = [
    { ...phase, lastsUs: 1.53e6 },
    { ...phase, mappings: [smaller] },
  ] as const;
  await using monitor = await Monitor.start({
    targets: [hotCold(32, { phases, fault: { atUs: 2.5e6, kind: 'exit' } })],
    attrs: { ...KEPT, maxRegions: 100 },
    adaptation: 'evidence',
    seed: 1,
  });
  let wasLost = false;
  monitor.on('samplerLost', () => {
    wasLost = true;
  });
  let after = 0;
  let last: Snapshot | undefined;
  for await (const snapshot of monitor) {
    last = snapshot;
    if (wasLost && after++ === 0)
      await monitor.setAttrs({ maxRegions: 2_000, sampleUs: 4_000, aggrUs: 40_000 });
    if (after === 40) break;
  }
  t.is(last!.regions.at(-1)!.endAddress, smaller.startAddress + smaller.sizeBytes);
  t.true(Math.abs(last!.workingSetBytes(2) / (32 * MIB) - 1) < 0.05, `${last!.workingSetBytes(2) / MIB} MiB`);
});

test.serial('with evidence, maxSamplesPerSecond holds, also after a change', async (t) => {
  await using monitor = await Monitor.start({
    targets: [hotCold(), hotCold(8)],
    attrs: { ...KEPT, maxSamplesPerSecond: 3_000 },
    adaptation: 'evidence',
    clock: 'virtual',
    seed: 3,
    // Long after the change has arrived; that depends on the speed of two threads.
    durationUs: 20e6,
  });
  const taken: number[] = [];
  for await (const { target, endUs, stats } of monitor) {
    if (target.id === 0) taken.push(stats.samples);
    if (target.id === 0 && taken.length === 30) await monitor.setAttrs({ maxSamplesPerSecond: 1_000 });
    t.true(endUs <= 20e6);
  }
  t.is(monitor.attrs.maxSamplesPerSecond, 1_000);
  const inInterval = taken.slice(1).map((samples, i) => samples - taken[i]!);
  // The first interval samples before anything is planned.
  for (const samples of inInterval.slice(1)) t.true(samples <= 300, `${samples} samples`);
  const limited = inInterval.slice(inInterval.findIndex((samples) => samples <= 100));
  t.true(limited.length >= 20);
  for (const samples of limited) t.true(samples <= 100, `${samples} samples`);
  t.true(limited.slice(0, 10).every((samples) => samples > 50));
});

test.serial('only evidence accepts a limit of samples', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT });
  await t.throwsAsync(monitor.setAttrs({ maxSamplesPerSecond: 1_000 }), {
    code: 'ATTRS',
    message: /^a sample limit needs the evidence adaptation/,
  });
});

test.serial("the kernel's adaptation knows no interval", async (t) => {
  await using monitor = await Monitor.start({
    targets: [hotCold()],
    attrs: KEPT,
    clock: 'virtual',
    durationUs: 1e5,
  });
  for await (const snapshot of monitor) {
    t.is(snapshot.workingSet(), undefined);
    t.false('samples' in snapshot.regions[0]!);
  }
});

test.serial('targets come and go while others are watched', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT });
  const events: string[] = [];
  monitor.on('attached', ({ id }) => events.push(`attached ${id}`));
  monitor.on('detached', ({ id }, reason) => events.push(`detached ${id} ${reason}`));
  const seen = new Map<number, number>();
  const reading = (async () => {
    for await (const { target } of monitor) seen.set(target.id, (seen.get(target.id) ?? 0) + 1);
  })();
  const second = await monitor.attach(hotCold(8));
  t.deepEqual(
    monitor.targets.map(({ id }) => id),
    [0, 1],
  );
  while (!seen.has(second.id)) await pause(20);
  t.true(await monitor.detach(second.id));
  t.false(await monitor.detach(second.id));
  const before = seen.get(0)!;
  while (seen.get(0)! < before + 3) await pause(20);
  await monitor.stop();
  await reading;
  t.deepEqual(events, ['attached 1', 'detached 1 detached']);
});

test.serial('calls are answered at once, however long the intervals are', async (t) => {
  const attrs = { sampleUs: 60e6, aggrUs: 120e6, updateUs: 60e6 };
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs });
  // Waiting for an interval would exceed the timeout of the test.
  const { id } = await monitor.attach(hotCold());
  t.is((await monitor.stats()).ticks, 0);
  t.true(await monitor.detach(id));
  t.like(await monitor.setAttrs({ sampleUs: 1_000, aggrUs: 5_000 }), {
    sampleUs: 1_000,
    aggrUs: 5_000,
    minRegions: 10,
  });
  for await (const snapshot of monitor) {
    t.is(snapshot.maxNrAccesses, 5);
    break;
  }
  t.like(await t.throwsAsync(monitor.setAttrs({ sampleUs: 10e6 })), { code: 'ATTRS' });
});

test.serial(
  'calls are answered within a few intervals, also while the samplers tick without the coordinator',
  async (t) => {
    const attrs = { sampleUs: 40_000, aggrUs: 4_000_000, updateUs: 60e6 };
    await using monitor = await Monitor.start({ targets: [hotCold()], attrs });
    for (let call = 0; call < 10; call++) await monitor.stats();
    const { ticks, overruns } = await monitor.stats();
    t.true(ticks + overruns < 60, `${ticks + overruns} of 100 intervals`);
  },
);

test.serial('the delay of ticks that end an aggregation interval counts, too', async (t) => {
  const attrs = { sampleUs: 60_000, aggrUs: 60_000, updateUs: 60_000 };
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs });
  for await (const _ of monitor) break;
  const { meanLateUs, maxLateUs } = await monitor.stats();
  t.true(meanLateUs! > 0);
  t.true(maxLateUs! >= meanLateUs!);
});

test.serial('maxRegions can grow while the monitor runs', async (t) => {
  const attrs = { sampleUs: 1_000, aggrUs: 10_000, minRegions: 10, maxRegions: 20 };
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs, seed: 1 });
  await monitor.setAttrs({ minRegions: 500, maxRegions: 5_000 });
  for await (const { regions } of monitor) if (regions.length > 400) break;
  t.pass();
});

for (const adaptation of ['damon', 'evidence'] as const) {
  test.serial(
    `with ${adaptation}, fewer regions do not wait for the end of a long aggregation interval`,
    async (t) => {
      const attrs = { sampleUs: 60_000, aggrUs: 600e6, minRegions: 200, maxRegions: 1_000 };
      await using monitor = await Monitor.start({ targets: [hotCold()], attrs, adaptation, seed: 1 });
      t.true((await monitor.stats()).regions >= 200);
      await monitor.setAttrs({ minRegions: 10, maxRegions: 50 });
      let stats = await monitor.stats();
      for (; stats.regions > 50; stats = await monitor.stats()) await pause(20);
      t.is(stats.snapshots, 0, 'too few samples to publish');
    },
  );
}

test.serial(
  'a reader that does not read slows nothing down, and its dropped snapshots are counted',
  async (t) => {
    const attrs = { sampleUs: 1_000, aggrUs: 5_000 };
    await using monitor = await Monitor.start({ targets: [hotCold()], attrs, queueLimit: 10 });
    let stats = await monitor.stats();
    while (stats.snapshots < 60) {
      await pause(20);
      stats = await monitor.stats();
    }
    t.true(stats.droppedSnapshots >= 50 - 2, `${stats.droppedSnapshots} of ${stats.snapshots}`);
    await monitor.stop();
    const left: Snapshot[] = [];
    for await (const snapshot of monitor) left.push(snapshot);
    t.is(left.length, 10);
  },
);

for (const kind of ['exit', 'hang'] as const) {
  test.serial(
    `a sampler that ${kind === 'exit' ? 'dies' : 'hangs'} is replaced, and the others continue`,
    async (t) => {
      const targets = [hotCold(32, { fault: { atUs: 300_000, kind } }), hotCold(8)];
      await using monitor = await Monitor.start({ targets, attrs: KEPT, workers: 2 });
      let lost = 0;
      monitor.on('samplerLost', (count) => {
        lost += count;
      });
      const after = new Set<number>();
      for await (const snapshot of monitor) {
        if (lost > 0 && snapshot.stats.lostSamplers === 1 && snapshot.endUs > 1e6)
          after.add(snapshot.target.id);
        if (after.size === 2) break;
      }
      const stats = await monitor.stop();
      t.is(lost, 1);
      t.is(stats.lostSamplers, 1);
      t.true(stats.lostTicks > 0);
    },
  );
}

for (const kind of ['exit', 'hang', 'throw'] as const) {
  test.serial(
    `a target that cannot be opened (${kind}) fails alone, whatever is opened with it`,
    async (t) => {
      const bad = hotCold(32, { name: 'bad', fault: { atUs: 0, kind } });
      await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT, workers: 1 });
      const results = await monitor.attachAll([hotCold(8), bad, hotCold(8), bad, hotCold(8)]);
      t.deepEqual(
        results.map((each) => (each instanceof PagepulseError ? each.code : each.id)),
        [1, kind === 'throw' ? 'INTERNAL' : 'THREADS', 3, kind === 'throw' ? 'INTERNAL' : 'THREADS', 5],
      );
      const reason = /cannot watch bad: opening it (took more than 2 s|ended the sampler thread)|has a fault/;
      t.regex((results[1] as PagepulseError).message, reason);
      const seen = new Set<number>();
      for await (const { target } of monitor) if (seen.add(target.id).size === 4) break;
      t.deepEqual([...seen].sort(), [0, 1, 3, 5]);
    },
  );
}

test.serial('an exception in the check of one target fails only that target, with its message', async (t) => {
  const bad = hotCold(32, { fault: { atUs: 300_000, kind: 'throw' } });
  await using monitor = await Monitor.start({ targets: [bad, hotCold(8)], attrs: KEPT, workers: 1 });
  const detached: unknown[][] = [];
  monitor.on('detached', (...event) => detached.push(event));
  for await (const { target, endUs } of monitor) if (target.id === 1 && endUs > 800_000) break;
  t.like(detached, [
    [{ id: 0 }, 'failed', 'the script has a fault; this is a bug in Pagepulse, please report it'],
  ]);
  t.is((await monitor.stats()).lostSamplers, 0);
});

test.serial('a target that keeps killing its samplers fails', async (t) => {
  // The script and its fault start again every 200 ms, in each sampler that opens it.
  const deadly = hotCold(32, { fault: { atUs: 150_000, kind: 'exit', always: true } });
  await using monitor = await Monitor.start({ targets: [deadly, hotCold(8)], attrs: KEPT });
  const [target, reason, message] = await new Promise<unknown[]>((resolve) => {
    monitor.on('detached', (...event) => resolve(event));
    void (async () => {
      for await (const _ of monitor);
    })();
  });
  t.like(target, { id: 0 });
  t.is(reason, 'failed');
  t.regex(String(message), /sampler threads were lost/);
});

test.serial('targets share samplers beyond the limit', async (t) => {
  const targets = Array.from({ length: 5 }, () => hotCold());
  await using monitor = await Monitor.start({ targets, attrs: KEPT, workers: 2 });
  const { threads } = await monitor.stats();
  t.is(threads.length, 3);
  const seen = new Set<number>();
  for await (const { target } of monitor) if (seen.add(target.id).size === 5) break;
  t.pass();
});

test.serial('a monitor ends when its last target has ended', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold(32, { endsUs: 300_000 })], attrs: KEPT });
  for await (const _ of monitor);
  t.is((await monitor.ended).reason, 'targets ended');
  t.like(await t.throwsAsync(monitor.stats()), { code: 'STOPPED' });
});

test.serial('targets that cannot be watched are rejected, and leave neither threads nor files', async (t) => {
  const counts = () => [readdirSync('/proc/self/task').length, readdirSync('/proc/self/fd').length];
  await t.throwsAsync(Monitor.start({ targets: [{ pid: 2 ** 22 + 7 }] }), { code: 'NO_PROCESS' });
  const before = counts();
  for (let i = 0; i < 3; i++) {
    await t.throwsAsync(Monitor.start({ targets: [{ pid: 2 ** 22 + 7 }] }), { code: 'NO_PROCESS' });
    const monitor = await Monitor.start({ targets: [hotCold()] });
    await monitor.stop();
  }
  // Other tests run in this process: their threads and files come and go, but leaks stay.
  let now = counts();
  for (let tries = 0; now.some((count, i) => count > before[i]!) && tries < 500; tries++) {
    await pause(20);
    now = counts();
  }
  t.true(
    now.every((count, i) => count <= before[i]!),
    `${now} threads and files, ${before} before`,
  );
});

for (const [what, options] of Object.entries({
  'an aggregation below the sampling interval': { attrs: { sampleUs: 10_000, aggrUs: 5_000 } },
  'no workers': { workers: 0 },
  'half a queue': { queueLimit: 0.5 },
  'no time': { durationUs: 0 },
  'a seed of NaN': { seed: Number.NaN },
  'an unknown adaptation': { adaptation: 'chance' as 'damon' },
})) {
  test.serial(`${what} is rejected`, async (t) => {
    await t.throwsAsync(Monitor.start({ targets: [hotCold()], ...options }), { code: 'ATTRS' });
  });
}
