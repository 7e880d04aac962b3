import { once } from 'node:events';
import test from 'ava';
import { type CheckInParts, idlePageInParts, referencedInParts } from '../../../src/cli/bench/check-parts.js';
import { findPages } from '../../../src/cli/bench/page-kinds.js';
import { measureParts } from '../../../src/cli/bench/sampling-cost.js';
import { TargetEnded } from '../../../src/cli/bench/target-ended.js';
import { RegionTable, TargetStatus } from '../../../src/core/region-table.js';
import { framesSupport } from '../../../src/kernel/support.js';
import { threadCpuMs } from '../../../src/kernel/thread-cpu.js';
import { ended, start } from '../../helpers/processes.js';

// One after the other: they measure the thread that they share.

const NEVER = new AbortController().signal;

function spin(us: number): void {
  const until = performance.now() + us / 1_000;
  while (performance.now() < until);
}

/** A check that notes what is called, and may end. */
function scripted(calls: string[], { status = TargetStatus.OK as TargetStatus } = {}): CheckInParts {
  const table = RegionTable.forLimits(3, 10);
  table.count = 10;
  table.status = status;
  const part = <T extends string>(name: T) => ({
    name,
    run: () => {
      calls.push(name);
      spin(50);
    },
  });
  return {
    parts: [part('resolve'), part('mark'), part('read')],
    table,
    update: () => calls.push('update'),
    close: () => {},
  };
}

test.serial('each part is measured after those that come before it in a tick', async (t) => {
  const calls: string[] = [];
  const costs = await measureParts(scripted(calls), 'sample', 300, NEVER);
  t.deepEqual(Object.keys(costs), ['resolve', 'mark', 'read']);
  for (const { median, p25, p75, runs } of Object.values(costs)) {
    t.true(p25 <= median && median <= p75);
    t.true(runs >= 5);
  }
  const withoutUpdates = calls.filter((name) => name !== 'update').join(' ');
  t.regex(withoutUpdates, /^(resolve )+(resolve mark )+(resolve mark read ?)+$/);
  t.true(calls.includes('update'));
});

test.serial('a tick costs what its samples cost together', async (t) => {
  const [perSample, perTick] = [
    await measureParts(scripted([]), 'sample', 200, NEVER),
    await measureParts(scripted([]), 'tick', 200, NEVER),
  ];
  // Each part spins 50 us of ten samples; between 3 and 30 times as much leaves room for a busy machine.
  const ratio = perTick.mark!.median / perSample.mark!.median;
  t.true(ratio > 3 && ratio < 30, String(ratio));
});

test.serial('a process that is gone ends the measuring', async (t) => {
  const gone = scripted([], { status: TargetStatus.GONE });
  await t.throwsAsync(measureParts(gone, 'sample', 200, NEVER), { instanceOf: TargetEnded });
});

test.serial('a signal ends the measuring', async (t) => {
  const stopped = new AbortController();
  const measuring = measureParts(scripted([]), 'sample', 60_000, stopped.signal);
  setTimeout(() => stopped.abort(), 50);
  await t.throwsAsync(measuring, { any: true, name: 'AbortError' });
});

test.serial('the clock of a thread goes on while it works, and not while it sleeps', async (t) => {
  const from = threadCpuMs();
  if (Number.isNaN(from)) return t.pass('this kernel has no such clock');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const slept = threadCpuMs() - from;
  for (const end = performance.now() + 200; performance.now() < end; ) spin(100);
  const worked = threadCpuMs() - from - slept;
  t.true(slept < worked / 2, `${slept} ms asleep, ${worked} ms at work`);
});

test.serial('the referenced check comes in its two parts', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const check = referencedInParts({ pid });
  t.teardown(() => check.close());
  t.deepEqual(
    check.parts.map(({ name }) => name),
    ['clear', 'read'],
  );
  for (const { run } of check.parts) run();
  t.is(check.table.status, TargetStatus.OK);
});

test.serial('a process that has ended shows in the update', async (t) => {
  const child = start(t, 'sleep', ['60']);
  const check = referencedInParts({ pid: child.pid });
  t.teardown(() => check.close());
  child.kill('SIGKILL');
  await ended(child);
  check.update();
  t.is(check.table.status, TargetStatus.GONE);
});

test.serial('pages are found by kind, and asked about one by one', async (t) => {
  if (!framesSupport().ok) return t.pass('frames are hidden here');
  const other = start(t, process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e3)']);
  await once(other.stdout!, 'data');
  const { small, huge, shared, sharedBy } = findPages(process.pid);
  t.true(small.length > 100);
  t.true(shared.length > 0 && sharedBy >= 2, 'the code of Node is mapped twice');
  const all = [...small, ...huge, ...shared];
  t.is(new Set(all).size, all.length);
  const check = idlePageInParts(process.pid, small, false);
  t.teardown(() => check.close());
  t.deepEqual(
    check.parts.map(({ name }) => name),
    ['resolve'],
  );
  check.parts[0]!.run();
  const { table } = check;
  t.is(table.count, 100);
  t.true(table.samplePage.subarray(0, table.count).every((page) => small.includes(page)));
});
