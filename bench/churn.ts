import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, type MonitorStats } from '../src/index.js';

/** Short-lived processes, so many a second for so long: 10,000 in all. */
const EVERY_MS = 300;
const BATCHES = 1_000;
/** Of each batch: most end at once, some live long enough to be attached. */
const LIVES = ['0', '0', '0', '0', '0', '0', '0.1', '0.3', '0.8', '1.5'];
const LONG_LIVED = 3;

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

export const CHURN_HEAD = ['', 'at the start', 'after it'] as const;

interface Look {
  readonly descriptors: number;
  readonly threads: number;
  readonly residentMib: number;
  readonly targets: number;
  readonly stats: MonitorStats;
}

/**
 * Three processes are watched by a selection that matches 10,000 more, which come and go within five minutes: what is left
 * of them, and what the three have missed.
 */
export async function churnRows(): Promise<{ rows: string[][]; told: string }> {
  const tag = `churn-${process.pid}`;
  // They wait for a line that never comes, without a process of their own to do so.
  const long: ChildProcess[] = Array.from({ length: LONG_LIVED }, () =>
    spawn('sh', ['-c', 'read line', tag], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  await pause(200);
  await using monitor = await Monitor.start({
    select: { names: [new RegExp(tag)] },
    attrs: { sampleUs: 50_000, aggrUs: 1_000_000 },
  });
  void (async () => {
    for await (const _ of monitor);
  })();
  try {
    await pause(20_000);
    const before = await look(monitor);
    const settings = JSON.stringify({ tag, batches: BATCHES, everyMs: EVERY_MS, lives: LIVES });
    // In a process of its own: what starting 10,000 processes leaves in its heap is not the monitor's.
    const starter = spawn(process.execPath, ['-e', STARTER, settings], { stdio: 'ignore' });
    await once(starter, 'exit');
    await pause(10_000);
    const after = await look(monitor);
    const figures: [string, (look: Look) => string | number][] = [
      ['open descriptors', ({ descriptors }) => descriptors],
      ['threads', ({ threads }) => threads],
      ['targets', ({ targets }) => targets],
      ['resident', ({ residentMib }) => `${residentMib.toFixed(1)} MiB`],
      ['ticks', ({ stats }) => stats.ticks],
      ['missed ticks', ({ stats }) => stats.overruns],
      ['lost samplers', ({ stats }) => stats.lostSamplers],
    ];
    const { watched, endedUnopened, looks, cpuUs, forksUnseen } = monitor.selection!;
    const told =
      `Of 10,000, ${watched - LONG_LIVED} were watched, ${endedUnopened} had ended when they were to be opened, and the ` +
      `others were not seen by any of ${looks} looks, which took ${(cpuUs / looks / 1_000).toFixed(1)} ms of CPU each; ` +
      `${forksUnseen} processes and threads of the machine came and went unseen.`;
    return { rows: figures.map(([name, of]) => [name, String(of(before)), String(of(after))]), told };
  } finally {
    for (const child of long) child.kill('SIGKILL');
  }
}

async function look(monitor: Monitor): Promise<Look> {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    residentMib: process.memoryUsage().rss / 2 ** 20,
    targets: monitor.targets.length,
    stats: await monitor.stats(),
  };
}
