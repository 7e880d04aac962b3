import { once } from 'node:events';
import test from 'ava';
import {
  type CheckSteps,
  idlePageSteps,
  measureSteps,
  referencedSteps,
} from '../../../src/cli/bench/check-cost.js';
import { findPages } from '../../../src/cli/bench/memories.js';
import { RegionTable } from '../../../src/core/region-table.js';
import { TargetStatus } from '../../../src/core/table-header.js';
import { framesSupport, idlePageSupport } from '../../../src/kernel/support.js';
import { threadCpuMs } from '../../../src/kernel/thread-cpu.js';
import { ended, start } from '../../helpers/processes.js';

// One after the other: they measure the thread that they share.

const NEVER = new AbortController().signal;

function spin(us: number): void {
  const until = performance.now() + us / 1_000;
  while (performance.now() < until);
}

/** A check that records its calls. */
function scripted(calls: string[], { status = TargetStatus.OK as TargetStatus } = {}): CheckSteps {
  const table = RegionTable.forLimits(3, 10);
  table.count = 10;
  table.status = status;
  const step = <T extends string>(name: T) => ({
    name,
    run: () => {
      calls.push(name);
      spin(50);
    },
  });
  return {
    steps: [step('resolve'), step('mark'), step('read')],
    table,
    update: () => calls.push('update'),
    close: () => {},
  };
}

test.serial('each step is measured after those before it in a tick', async (t) => {
  const calls: string[] = [];
  const costs = await measureSteps(scripted(calls), 'sample', 300, NEVER);
  t.deepEqual(Object.keys(costs), ['resolve', 'mark', 'read']);
  for (const { median, p25, p75, runs } of Object.values(costs)) {
    t.true(p25 <= median && median <= p75);
    t.true(runs >= 5);
  }
  const withoutUpdates = calls.filter((name) => name !== 'update').join(' ');
  t.regex(withoutUpdates, /^(resolve )+(resolve mark )+(resolve mark read ?)+$/);
  t.true(calls.includes('update'));
});

test.serial('a tick costs as much as its samples together', async (t) => {
  const [perSample, perTick] = [
    await measureSteps(scripted([]), 'sample', 200, NEVER),
    await measureSteps(scripted([]), 'tick', 200, NEVER),
  ];
  // Each step spins 50 us of ten samples; between 3 and 30 times as much leaves room for a busy machine.
  const ratio = perTick.mark!.median / perSample.mark!.median;
  t.true(ratio > 3 && ratio < 30, String(ratio));
});

test.serial('measuring ends if the process has exited', async (t) => {
  const gone = scripted([], { status: TargetStatus.GONE });
  await t.throwsAsync(measureSteps(gone, 'sample', 200, NEVER), { code: 'NO_PROCESS' });
});

test.serial('a signal ends measuring', async (t) => {
  const stopped = new AbortController();
  const measuring = measureSteps(scripted([]), 'sample', 60_000, stopped.signal);
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

test.serial('the referenced check has two steps', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const check = referencedSteps({ pid });
  t.teardown(() => check.close());
  t.deepEqual(
    check.steps.map(({ name }) => name),
    ['clear', 'read'],
  );
  for (const { run } of check.steps) run();
  t.is(check.table.status, TargetStatus.OK);
});

test.serial('an update notices that the process has exited', async (t) => {
  const child = start(t, 'sleep', ['60']);
  const check = referencedSteps({ pid: child.pid });
  t.teardown(() => check.close());
  child.kill('SIGKILL');
  await ended(child);
  check.update();
  t.is(check.table.status, TargetStatus.GONE);
});

test.serial('pages are found by kind, and sampled one by one', async (t) => {
  if (!framesSupport().ok) return t.pass('frames are hidden here');
  const other = start(t, process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e3)']);
  await once(other.stdout!, 'data');
  const { small, huge, shared, sharedBy } = findPages(process.pid);
  t.true(small.length > 100);
  t.true(shared.length > 0 && sharedBy >= 2, 'the code of Node is mapped twice');
  const all = [...small, ...huge, ...shared];
  t.is(new Set(all).size, all.length);
  const check = idlePageSteps(process.pid, small);
  t.teardown(() => check.close());
  t.deepEqual(
    check.steps.map(({ name }) => name),
    idlePageSupport().ok ? ['resolve', 'mark', 'read'] : ['resolve'],
  );
  check.steps[0]!.run();
  const { table } = check;
  t.is(table.count, 100);
  t.true(table.samplePage.subarray(0, table.count).every((page) => small.includes(page)));
});
