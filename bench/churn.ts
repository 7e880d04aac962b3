import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Monitor, type MonitorStats } from '../src/index.js';

/** A batch of short-lived processes every 300 ms: 10,000 in all. */
const EVERY_MS = 300;
const BATCHES = 1_000;
/** Of each batch, in seconds: most exit at once, some live long enough to be attached. */
const LIVES = ['0', '0', '0', '0', '0', '0', '0.1', '0.3', '0.8', '1.5'];
const LONG_LIVED = 3;
const MINUTE_MS = 60_000;
const SAMPLE_US = 50_000;

const STARTER = `
  const { tag, batches, everyMs, lives } = JSON.parse(process.argv[1]);
  let batch = 0;
  const timer = setInterval(() => {
    for (const seconds of lives) {
      require('node:child_process').spawn('sh', ['-c', \`sleep \${seconds}; true\`, tag], { stdio: 'ignore' });
    }
    if (++batch === batches) clearInterval(timer);
  }, everyMs);
`;

interface Look {
  readonly descriptors: number;
  readonly threads: number;
  readonly residentMib: number;
  /** Of the main thread. */
  readonly heapMib: number;
  readonly targets: number;
  readonly stats: MonitorStats;
  /** Sampling intervals that a thread missed which only sleeps. */
  readonly missedBySleeper: number;
}

/**
 * Watches three processes by a selection that matches 10,000 more, which come and go within five minutes: what they leave
 * behind, and what the three miss.
 */
export async function churn(): Promise<{ head: string[]; rows: string[][]; told: string }> {
  const tag = `churn-${process.pid}`;
  // `read` waits for a line that never comes, without a child process.
  const long: ChildProcess[] = Array.from({ length: LONG_LIVED }, () =>
    spawn('sh', ['-c', 'read line', tag], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  await pause(200);
  await using monitor = await Monitor.start({
    select: { names: [new RegExp(tag)] },
    attrs: { sampleUs: SAMPLE_US, aggrUs: 20 * SAMPLE_US },
  });
  void (async () => {
    for await (const _ of monitor);
  })();
  const sleeper = new Sleeper(SAMPLE_US / 1_000);
  try {
    await pause(20_000);
    const looks = [{ name: 'at the start', ...(await look(monitor, sleeper)) }];
    const settings = JSON.stringify({ tag, batches: BATCHES, everyMs: EVERY_MS, lives: LIVES });
    // In a process of its own, because starting 10,000 processes fills a heap.
    const starter = spawn(process.execPath, ['-e', STARTER, settings], { stdio: 'ignore' });
    const ended = once(starter, 'exit');
    for (let minute = 1; starter.exitCode === null; minute++) {
      await Promise.race([ended, pause(MINUTE_MS)]);
      looks.push({ name: `after ${minute} min`, ...(await look(monitor, sleeper)) });
    }
    await pause(10_000);
    looks.push({ name: '10 s after it', ...(await look(monitor, sleeper)) });
    const figures: [string, (look: Look) => string | number][] = [
      ['open descriptors', ({ descriptors }) => descriptors],
      ['threads', ({ threads }) => threads],
      ['targets', ({ targets }) => targets],
      ['resident, MiB', ({ residentMib }) => residentMib.toFixed(1)],
      ["of it the main thread's heap, MiB", ({ heapMib }) => heapMib.toFixed(1)],
      ['ticks', ({ stats }) => stats.ticks],
      ['missed ticks', ({ stats }) => stats.overruns],
      ['missed by a thread that only sleeps from tick to tick', ({ missedBySleeper }) => missedBySleeper],
      ['lost samplers', ({ stats }) => stats.lostSamplers],
    ];
    const { watched, endedUnopened, looks: looked, cpuUs, forksUnseen } = monitor.selection!;
    const told =
      `Of 10,000, ${watched - LONG_LIVED} were watched, ${endedUnopened} exited before they could be opened, and the ` +
      `others fell between ${looked} looks at the processes, which took ${(cpuUs / looked / 1_000).toFixed(1)} ms of CPU ` +
      `each; ${forksUnseen} processes and threads of the machine came and went unseen.`;
    return {
      head: ['', ...looks.map(({ name }) => name)],
      rows: figures.map(([name, of]) => [name, ...looks.map((each) => String(of(each)))]),
      told,
    };
  } finally {
    await sleeper.end();
    for (const child of long) child.kill('SIGKILL');
  }
}

async function look(monitor: Monitor, sleeper: Sleeper): Promise<Look> {
  const { rss, heapTotal } = process.memoryUsage();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    residentMib: rss / 2 ** 20,
    heapMib: heapTotal / 2 ** 20,
    targets: monitor.targets.length,
    stats: await monitor.stats(),
    missedBySleeper: sleeper.missed,
  };
}

const SLEEPER = `
  const { workerData: { intervalMs, missed } } = require('node:worker_threads');
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  for (let due = performance.now() + intervalMs; ; due += intervalMs) {
    Atomics.wait(asleep, 0, 0, Math.max(0, due - performance.now()));
    for (; performance.now() > due + intervalMs; due += intervalMs) missed[0]++;
  }
`;

/** A thread that only sleeps from interval to interval: what it misses, the machine took from every thread. */
class Sleeper {
  readonly #missed = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;

  constructor(intervalMs: number) {
    this.#thread = new Worker(SLEEPER, { eval: true, workerData: { intervalMs, missed: this.#missed } });
  }

  get missed(): number {
    return this.#missed[0]!;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
