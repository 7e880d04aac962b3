import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { BenchResult } from '../../../src/cli/bench/result.js';
import { MAIN } from '../../helpers/cli.js';
import { start } from '../../helpers/processes.js';

// On the machine's own kernel, in the shortest time there is. No figure is asserted, only how figures relate.

const SHORT = ['--time', '15s'];

function begin(t: ExecutionContext, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'bench', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)];
  const outcome = once(child, 'close').then(([status]) => ({ status, out: out(), err: err() }));
  return { child, err, outcome };
}

function textOf(stream: NonNullable<ChildProcess['stdout']>): () => string {
  let text = '';
  stream.on('data', (data) => {
    text += data;
  });
  return () => text;
}

/** Processes that have this one as their parent. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === String(pid));
}

function parentOf(pid: string): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return undefined; // it has ended
  }
}

for (const [what, args, status, pattern] of [
  ['a time without a unit', ['--time', '30'], 2, /as in 250us, 5ms/],
  ['a time that is too short', ['--time', '2s'], 2, /Give 15s to 1h/],
  ['a pid that is not a number', ['--pid', 'abc'], 2, /positive integer/],
  ['a second pid', ['--pid', '1', '--pid', '2'], 2, /only one process/],
  ['a check without a kernel interface', ['--check', 'synthetic'], 2, /Allowed choices/],
  ['a pid without a process', ['--pid', '4194309'], 1, /no process with PID 4194309; run `ps -e`/],
] as const) {
  test.serial(`${what} is refused in one line, with what to do`, async (t) => {
    const outcome = await begin(t, args).outcome;
    t.regex(outcome.err, /^pagepulse: [^\n]+\n$/);
    t.regex(outcome.err, pattern);
    t.is(outcome.status, status);
    t.is(outcome.out, '');
  });
}

test.serial('a process is measured: all figures, as one document with units in its names', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const { status, out, err } = await begin(t, ['--pid', String(pid), '--json', ...SHORT]).outcome;
  t.is(status, 0, err);
  t.regex(err, /^pagepulse: measuring for up to 15 s; Ctrl-C ends it\n/);
  const result = JSON.parse(out) as BenchResult;
  t.like(result, { target: { pid, comm: 'sleep' }, timeLimitUs: 15e6, targetEnded: false, slowdown: [] });
  t.is(result.machine.node, process.version);
  t.false(Number.isNaN(Date.parse(result.startedAt)));
  t.true(result.notes.some((text) => /slows the process down|the time was up/.test(text)));

  t.true(result.sampling.some(({ check, isWhole }) => check === result.check && isWhole));
  for (const { memories } of result.sampling) {
    for (const { cpuUs, totalCpuUs } of memories) {
      const medians = Object.values(cpuUs).map(({ median }) => median);
      const sum = medians.reduce((total, median) => total + median, 0);
      t.true(Math.abs(sum - totalCpuUs) < 0.01, `${sum} is not ${totalCpuUs}`);
      t.true(Object.values(cpuUs).every(({ p25, median, p75 }) => p25 <= median && median <= p75));
    }
  }
  t.deepEqual(
    result.intervals.map(({ sampleUs }) => sampleUs),
    result.check === 'referenced'
      ? [100_000, 200_000, 500_000, 1_000_000].slice(0, result.intervals.length)
      : [1_000, 5_000, 20_000, 100_000],
  );
  // Where the machine is busy the time may be up before the last of them.
  const isCut = result.notes.some((text) => text.includes('the time was up'));
  t.deepEqual(
    result.targets.map(({ targets }) => targets),
    isCut ? [1, 4, 16].slice(0, result.targets.length) : [1, 4, 16],
  );
  // What delivers regions costs the same for any number of them.
  if (result.check === 'referenced') t.deepEqual(result.regions, []);
  else {
    const [few, some, many] = result.regions.map(({ regions }) => regions) as [number, number, number];
    t.true(few < some && some < many, `${few}, ${some} and ${many} regions`);
  }
  for (const { cpuPercent, ticks } of [...result.intervals, ...result.regions, ...result.targets]) {
    t.true(cpuPercent.median > 0 && ticks > 0);
  }
  t.truthy(result.onePercent);
});

test.serial('the built-in workload is measured, with its slowdown', async (t) => {
  const { status, out, err } = await begin(t, ['--time', '20s']).outcome;
  t.is(status, 0, err);
  t.regex(out, /^What watching costs: the (idle-page|referenced) check on a workload of its own\n/);
  t.regex(out, /^\d+ MiB of small pages, in use|^small pages, in use/m);
  // Where the machine is busy the time may be up before.
  if (!out.includes('the time was up')) t.regex(out, /^watched +slower by +by CPU it got +pairs$/m);
  t.regex(out, /^What 1 % of a core buys/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none without a terminal
  t.notRegex(out + err, /[\x00-\x09\x0b-\x1f]/);
});

test.serial('Ctrl-C ends it at once, without figures, and leaves no process behind', async (t) => {
  const { child, outcome } = begin(t, ['--time', '60s']);
  while (childrenOf(child.pid!).length < 7) await pause(20);
  await pause(500);
  const workload = childrenOf(child.pid!);
  child.kill('SIGINT');
  const { status, out, err } = await outcome;
  t.is(status, 130, err);
  t.is(out, '');
  t.regex(err, /^pagepulse: [^\n]+\n$/);
  t.deepEqual(
    workload.filter((pid) => parentOf(pid) !== undefined),
    [],
  );
});

test.serial('if the process exits, what was measured before is shown, with a note', async (t) => {
  const child = start(t, 'sleep', ['60']);
  const benchmark = begin(t, ['--pid', String(child.pid), ...SHORT]);
  while (!benchmark.err().includes('measuring')) await pause(20);
  setTimeout(() => child.kill('SIGKILL'), 5_000);
  const { status, out, err } = await benchmark.outcome;
  t.is(status, 1);
  t.regex(
    err,
    new RegExp(`process ${child.pid} exited during the benchmark; the figures are those measured before`),
  );
  t.regex(out, /^CPU of a (tick|sample)/m);
  t.notRegex(out, /against targets/);
});

test.serial('another user’s process is refused where the kernel refuses', async (t) => {
  if (process.getuid?.() === 0) return t.pass('root may watch everyone');
  const { status, err } = await begin(t, ['--pid', '1']).outcome;
  t.is(status, 1);
  t.regex(err, /^pagepulse: [^\n]+run as its user or as root\n$/);
});
