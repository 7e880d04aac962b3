import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { printable } from '../../src/core/printable.js';
import { Monitor, PagepulseError, type ProcessRequest } from '../../src/index.js';
import type { Soak, SoakResult } from './main.js';

/**
 * The process that is soaked: one monitor watches what births.c starts, while control calls arrive and samplers are killed
 * at random. Its own notes stay as large as they are at the start, since its memory is what is measured. Sends its result
 * to its parent.
 */
const { program, folder, seconds, rate, seed, kinds } = JSON.parse(process.argv[2]!) as Soak;
const MIB = 2 ** 20;
const ATTRS = { sampleUs: 20_000, aggrUs: 200_000 };
const WORKERS = 2;
const FEW_CALLS = 5;
const MANY_CALLS = 50;
const MOST_MS_BETWEEN_CALLS = 2_000;
const MOST_MS_BETWEEN_KILLS = 30_000;
/** A call or a stop that takes longer has failed; a sampler has 20 s to answer. */
const MOST_WAIT_MS = 60_000;
/** After the end: for threads to be gone, and for the init process to reap the last zombies. */
const CLEAN_UP_MS = 5_000;
const MOST_FAULTS = 30;
/** What short-lived processes cause, and those that are too expensive to watch. */
const EXPECTED_CODES = ['NO_PROCESS', 'ZOMBIE'];
const TOO_DEAR = /too many mappings/;
/** What becomes of targets and calls when their sampler is killed. */
const LOST = /sampler threads were lost|sampler thread ended/;

const random = xoroshiro128plus(seed);
const below = (end: number) => uniformInt(random, 0, end - 1);
const faults = new Map<string, number>();
const residentMib = new Float32Array(seconds + 1);
const waitsMs = new Uint32Array(MOST_WAIT_MS + 1);
const counts = { calls: 0, refused: 0, callsLost: 0, snapshots: 0, tooDear: 0, targetsLost: 0, kills: 0 };
let filled = 0;
const over = new AbortController();
const isOver = once(over.signal, 'abort');
const end = () => over.abort();
const isRunning = () => !over.signal.aborted;

/** Messages that differ in numbers alone count as one. */
function fault(what: string, error: unknown): void {
  const text =
    error instanceof Error ? ((isExplained(error) ? error.message : error.stack) ?? '') : String(error);
  const line = printable(`${what}: ${text}`.replaceAll('\n', ' '));
  const kind = line.replaceAll(/\d+/g, 'N');
  const known = faults.get(kind);
  if (known === undefined) process.stderr.write(`soak: ${line}\n`);
  if (known !== undefined || faults.size < MOST_FAULTS) faults.set(kind, (known ?? 0) + 1);
}

function isExplained(error: unknown): error is PagepulseError {
  return error instanceof PagepulseError && error.code !== 'INTERNAL';
}

process.on('unhandledRejection', (error) => fault('unhandled rejection', error));
process.on('uncaughtException', (error) => fault('uncaught exception', error));
process.on('warning', (warning) => fault('warning', warning));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
process.on('disconnect', end);

// What a first monitor leaves for the next one (code, libuv's threads) is not lost.
await (await Monitor.start({ endAlone: false })).stop();
await pause(500);
const before = openThings();

// A monitor starts its coordinator first, then the thread that looks for processes; all others are samplers. Of a thread that
// is ended before its first message the pool knows nothing, and waits for it.
const THREADS_BEFORE_SAMPLERS = 2;
const samplers: Worker[] = [];
let created = 0;
process.on('worker', (thread) => {
  if (++created <= THREADS_BEFORE_SAMPLERS) return;
  thread.once('message', () => samplers.push(thread));
  thread.once('exit', () => {
    const at = samplers.indexOf(thread);
    if (at >= 0) samplers.splice(at, 1);
  });
});

const tag = `soak${process.pid.toString(36)}x${below(36 ** 4).toString(36)}`;
const starter = spawn(program, [tag, String(rate), String(seed), folder, kinds], {
  detached: true,
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { SOAK: tag },
});
const starterEnded = once(starter, 'close');
let told = '';
starter.stdout.setEncoding('utf8').on('data', (text: string) => {
  told += text;
});
starter.stdin.on('error', () => {});
// Whatever becomes of this process: its end is the end of the starter's input, which ends the whole group.
process.on('exit', endBirths);

const monitor = await Monitor.start({
  select: { runs: [{ pid: starter.pid!, mark: tag }], names: [new RegExp(tag)] },
  attrs: ATTRS,
  workers: WORKERS,
  seed,
});
monitor.on('skipped', (_, error) => {
  if (TOO_DEAR.test(error.message)) counts.tooDear++;
  else if (LOST.test(error.message) && counts.kills > 0) counts.targetsLost++;
  else if (!EXPECTED_CODES.includes(error.code)) fault('a process was skipped', error);
});
monitor.on('detached', (_, reason, message) => {
  if (reason !== 'failed') return;
  if (TOO_DEAR.test(message)) counts.tooDear++;
  else if (LOST.test(message) && counts.kills > 0) counts.targetsLost++;
  else fault('a target failed', message);
});
void (async () => {
  try {
    for await (const snapshot of monitor) {
      counts.snapshots++;
      if (!(snapshot.workingSetBytes() >= 0)) fault('a snapshot is wrong', snapshot.target.comm);
    }
    if (isRunning()) fault('the monitor ended by itself', (await monitor.ended).reason);
  } catch (error) {
    fault('the monitor failed', error);
  }
  end();
})();

const CALLS: readonly (() => Promise<unknown>)[] = [
  () => monitor.stats(),
  () => monitor.setAttrs({ maxRegions: 500 + below(1_500) }),
  () => monitor.setAttrs({ updateUs: 1_000_000 + below(1_000_000) }),
  () => monitor.attach(someTarget()),
  () => monitor.attachAll([someTarget(), someTarget(), someTarget()]),
  () => monitor.detach(someId()),
  () => monitor.detachAll([someId(), someId(), -1]),
];

async function call(): Promise<void> {
  const startedMs = performance.now();
  counts.calls++;
  try {
    await CALLS[below(CALLS.length)]!();
  } catch (error) {
    if (isExplained(error) && EXPECTED_CODES.includes(error.code)) counts.refused++;
    else if (isExplained(error) && TOO_DEAR.test(error.message)) counts.tooDear++;
    else if (isExplained(error) && LOST.test(error.message) && counts.kills > 0) counts.callsLost++;
    else if (isRunning()) fault('a call failed', error);
  }
  waitsMs[Math.min(MOST_WAIT_MS, Math.ceil(performance.now() - startedMs))]!++;
}

/** One that is watched already. With its start time, so that it is never another process that got its id. */
function someTarget(): ProcessRequest {
  const { targets } = monitor;
  const target = targets[below(targets.length || 1)];
  return target ? { pid: target.pid, startTime: target.startTime } : { pid: starter.pid! };
}

function someId(): number {
  const { targets } = monitor;
  return targets[below(targets.length || 1)]?.id ?? -1;
}

/** Waits, but no longer than anything may take. */
async function within(what: string, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const late = pause(MOST_WAIT_MS, true, { signal: timer.signal }).catch(() => false);
  if ((await Promise.race([work.then(() => false), late])) === true) {
    fault(what, `took longer than ${MOST_WAIT_MS / 1_000} s`);
    end();
  }
  timer.abort();
}

/** Not a race with `isOver`, which would keep something of each for the whole run. */
async function rest(mostMs: number): Promise<void> {
  await pause(below(mostMs), undefined, { signal: over.signal }).catch(() => {});
}

async function makeCalls(): Promise<void> {
  while (isRunning()) {
    const many = below(10) === 0 ? MANY_CALLS : 1 + below(FEW_CALLS);
    await within('calls', Promise.all(Array.from({ length: many }, call)));
    await rest(MOST_MS_BETWEEN_CALLS);
  }
}

async function killSamplers(): Promise<void> {
  while (isRunning()) {
    await rest(MOST_MS_BETWEEN_KILLS);
    const sampler = samplers[below(samplers.length || 1)];
    if (!isRunning() || !sampler) continue;
    counts.kills++;
    await sampler.terminate();
  }
}

const startedMs = performance.now();
const startedCpu = process.cpuUsage();
const delays = monitorEventLoopDelay();
delays.enable();
const clock = setInterval(() => {
  if (filled < residentMib.length) residentMib[filled++] = process.memoryUsage.rss() / MIB;
  if (filled % 60 === 0) {
    const watched = monitor.selection!.watched;
    const minute = `${filled / 60} min, ${residentMib[filled - 1]!.toFixed(1)} MiB resident`;
    process.stderr.write(
      `soak: ${minute}, ${watched} watched, ${counts.calls} calls, ${faults.size} kinds of faults\n`,
    );
  }
  if (performance.now() - startedMs >= seconds * 1_000) end();
}, 1_000);
const [calling, killing] = [makeCalls(), killSamplers()];
await isOver;
clearInterval(clock);
delays.disable();
const soakedSeconds = (performance.now() - startedMs) / 1_000;
const { user, system } = process.cpuUsage(startedCpu);
const tickUs = monitor.attrs.sampleUs;
await within('the last calls', Promise.all([calling, killing]));
// The births go on meanwhile.
const stoppingMs = performance.now();
let lostSamplers = 0;
await within(
  'the stop',
  monitor.stop().then(
    (stats) => {
      ({ lostSamplers } = stats);
    },
    (error) => fault('the stop failed', error),
  ),
);
const stopMs = performance.now() - stoppingMs;
if (lostSamplers > counts.kills) {
  fault('samplers were lost', `${lostSamplers}, of which only ${counts.kills} were killed`);
}
starter.stdin.end();
await within('the starter', starterEnded);
endBirths();
const births = JSON.parse(told || '{}') as SoakResult['births'];
for (const [kind, [started, failed]] of Object.entries(births)) {
  if (failed > 0) fault('processes could not be made', `${failed} of ${started} ${kind}`);
}
let after = openThings();
for (let ms = 0; ms < CLEAN_UP_MS && (isMore(after) || isGroupAlive()); ms += 100) {
  await pause(100);
  after = openThings();
}
if (isMore(after)) {
  const textOf = ({ descriptors, threads }: typeof before) =>
    `${descriptors} descriptors and ${threads} threads`;
  fault('something was left open', `${textOf(after)}, and at the start ${textOf(before)}`);
}
if (isGroupAlive()) fault('processes', 'some are left of those that were started');

const { watched, looks, cpuUs, endedUnopened } = monitor.selection!;
const result: SoakResult = {
  check: monitor.check,
  seconds: soakedSeconds,
  births,
  watched,
  endedUnopened,
  lookMs: cpuUs / 1_000 / looks,
  ...counts,
  lostSamplers,
  cpuPercent: (user + system) / 1e4 / soakedSeconds,
  waitMs: { p99: percentile(waitsMs, 0.99), most: percentile(waitsMs, 1) },
  tickMs: tickUs / 1_000,
  delayMs: { p99: delays.percentile(99) / 1e6, most: delays.max / 1e6 },
  stopMs,
  before,
  after,
  residentMib: minutes(),
  faults: [...faults],
};
process.send?.(result, () => process.exit(0));

function openThings(): { descriptors: number; threads: number } {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

function isMore({ descriptors, threads }: typeof before): boolean {
  return descriptors > before.descriptors || threads > before.threads;
}

/** Ends all that was started: it is one process group. */
function endBirths(): void {
  signalBirths('SIGKILL');
}

function isGroupAlive(): boolean {
  return signalBirths(0);
}

/** Whether there was any process to get it. */
function signalBirths(signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-starter.pid!, signal);
  } catch {
    return false;
  }
}

/** Medians of whole minutes. */
function minutes(): number[] {
  return Array.from({ length: Math.floor(filled / 60) }, (_, minute) => {
    const of = residentMib.slice(60 * minute, 60 * (minute + 1)).sort();
    return (of[29]! + of[30]!) / 2;
  });
}

/** In a histogram, the first value that this share of all does not exceed. */
function percentile(histogram: Uint32Array, share: number): number {
  const all = histogram.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  return histogram.findIndex((count) => {
    sum += count;
    return sum >= share * all;
  });
}
