import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { SourceBudget } from '../../src/engine/source-budget.js';
import { type AttrsChange, Monitor, type Snapshot } from '../../src/index.js';
import { startProgram } from '../helpers/memory-programs.js';
import { start } from '../helpers/processes.js';

const MIB = 2 ** 20;
const check = 'referenced';

/**
 * Writes the first 16 of 64 MiB over and over, for a minute. What it gives back makes the kernel flush the TLB: else the
 * processor need not look those pages up again, and marks none as accessed.
 */
const QUARTER = `
import time
m = own(64); write(m, 64); tell(at(m))
for _ in range(6000): write(m, 16); x = own(1); write(x, 1); x.close(); time.sleep(0.01)`;

async function firstOf(monitor: Monitor): Promise<Snapshot | undefined> {
  for await (const snapshot of monitor) return snapshot;
  return undefined;
}

test('accessed bytes of a mapping count, and the rest of it does not', async (t) => {
  const program = await startProgram(t, QUARTER);
  if (!program) return;
  await using monitor = await Monitor.start({ targets: [{ pid: program.pid }], check });
  t.is(monitor.attrs.sampleUs, monitor.attrs.aggrUs, 'there is no sampling interval');
  const snapshot = (await firstOf(monitor))!;
  t.is(snapshot.maxNrAccesses, 1);
  t.false(snapshot.isSettling);
  t.true(snapshot.isKnown);
  const address = program.told[0]! * snapshot.pageSize;
  const mapping = snapshot.regions.find((one) => one.startAddress <= address && address < one.endAddress)!;
  t.true(mapping.residentBytes! >= 64 * MIB);
  // About 16 MiB: less if other processes delayed a round, and slightly more for Python itself.
  const { accessedBytes } = mapping;
  t.true(accessedBytes! >= 15 * MIB && accessedBytes! <= 18 * MIB, `${accessedBytes! / MIB} MiB`);
  const others = snapshot.workingSetBytes() - accessedBytes!;
  t.true(others >= 0 && others < 16 * MIB, `${others / MIB} MiB`);
});

test('a run that is shorter than an interval has a snapshot', async (t) => {
  const targets = [{ pid: start(t, 'sleep', ['60']).pid }];
  const attrs = { aggrUs: 60_000_000 };
  await using monitor = await Monitor.start({ targets, check, attrs, durationUs: 500_000 });
  const snapshot = (await firstOf(monitor))!;
  t.true(snapshot.endUs - snapshot.startUs <= 2_000_000);
  t.true(snapshot.residentBytes! > 0);
});

test('stopping the monitor publishes the interval so far', async (t) => {
  const targets = [{ pid: start(t, 'sleep', ['60']).pid }];
  await using monitor = await Monitor.start({ targets, check, attrs: { aggrUs: 60_000_000 } });
  const seen = firstOf(monitor);
  await pause(1_000);
  await monitor.stop();
  t.true((await seen)!.residentBytes! > 0);
});

test('a process that ends within its first interval has a snapshot of its last read', async (t) => {
  const child = start(t, 'sleep', ['60']);
  await using monitor = await Monitor.start({
    targets: [{ pid: child.pid }],
    check,
    attrs: { aggrUs: 60e6 },
  });
  const seen = firstOf(monitor);
  while ((await monitor.stats()).samples === 0) await pause(20);
  child.kill('SIGKILL');
  t.true((await seen)!.residentBytes! > 0);
  t.is((await monitor.ended).reason, 'targets ended');
});

test('every one of many processes has a first snapshot at any cost, and then intervals get longer', async (t) => {
  const targets = Array.from({ length: 80 }, () => ({ pid: start(t, 'sleep', ['60']).pid }));
  await using monitor = await Monitor.start({ targets, check, maxCpuPercent: 0.01 });
  const slower = once(monitor, 'attrs') as Promise<[AttrsChange]>;
  const seen = new Set<number>();
  for await (const { target } of monitor) {
    seen.add(target.id);
    if (seen.size === targets.length) break;
  }
  const [{ reason, attrs, turns }] = await slower;
  t.is(reason, 'budget');
  t.true(attrs.aggrUs > 1_000_000 || turns! > 1);
});

test('intervals get longer up to 10 s, and then there are pauses between them', (t) => {
  const wanted = { ...DEFAULT_ATTRS, sampleUs: 1e6, aggrUs: 1e6 };
  const budget = new SourceBudget(0.02);
  t.like(budget.allow(wanted), { attrs: wanted, turns: 1 });
  // 0.82 x 2 % of a core are 16.4 ms a second.
  budget.expect(8_000);
  t.like(budget.allow(wanted), { attrs: wanted, turns: 1 });
  budget.expect(80_000);
  t.like(budget.allow(wanted), { attrs: { sampleUs: 5e6, aggrUs: 5e6 }, turns: 1 });
  budget.expect(600_000);
  t.like(budget.allow(wanted), { attrs: { aggrUs: 10e6 }, turns: 4 });
  budget.expect(8_000);
  t.like(budget.allow(wanted), { attrs: wanted, turns: 1 });
});

test('cost besides reads reduces the budget for reads, by up to half', (t) => {
  const wanted = { ...DEFAULT_ATTRS, sampleUs: 1e6, aggrUs: 1e6 };
  const budget = new SourceBudget(0.02);
  budget.expect(40_000);
  t.is(budget.allow(wanted).attrs.aggrUs, 2.5e6);
  for (let i = 0; i < 50; i++) budget.measure({ elapsedUs: 1e6, cpuUs: 100_000, readsUs: 16_000 });
  t.is(budget.allow(wanted).attrs.aggrUs, 5e6);
});

test('a monitor with a duration gets several intervals', (t) => {
  const budget = new SourceBudget(0.02, 8e6);
  budget.expect(1e6);
  t.is(budget.allow({ ...DEFAULT_ATTRS, sampleUs: 1e6, aggrUs: 1e6 }).attrs.aggrUs, 2e6);
});
