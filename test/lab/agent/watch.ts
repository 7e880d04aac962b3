import { execFile, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cpuUsOf } from '../../../src/core/stats.js';
import {
  type AdaptationName,
  type Attrs,
  type CoverName,
  DEFAULT_ATTRS,
  Monitor,
  type MonitorStats,
  type Snapshot,
  type TargetInfo,
} from '../../../src/index.js';
import type { WatchCost, Watched, WatchRequest } from '../machine/protocol.js';
import { lineOf } from '../score/snapshot-line.js';
import { Workload } from './workload.js';

/**
 * A monitor for all requests with this number of samplers, adaptation and cover. In software emulation JavaScript is slow until it
 * is compiled, and compiling is slow too: a fresh monitor misses most of its ticks for its first 10 to 15 s, which says
 * nothing about any processor that exists.
 */
function warmed(
  samplers: number,
  adaptation: AdaptationName = 'damon',
  cover: CoverName = 'three-ranges',
): Promise<Monitor> {
  const key = `${samplers} ${adaptation} ${cover}`;
  const monitor = running.get(key) ?? warmMonitor(samplers, adaptation, cover);
  running.set(key, monitor);
  return monitor;
}
const running = new Map<string, Promise<Monitor>>();
const WARM_UP_SECONDS = 12;

/** Between observations it sleeps: what is measured beside it must not suffer from it. */
const ASLEEP = { sampleUs: 10e6, aggrUs: 10e6, updateUs: 10e6 };

/** Between looks at how many snapshots there are, and for how long they are waited for. */
const POLL_MS = 100;
const PATIENCE_MS = 120_000;

/** Two processes that are watched together have a sampler each. */
const SAMPLERS = 2;

/** Snapshots of the targets of the request that is being worked on, by target. */
const wanted = new Map<number, Snapshot[]>();

export async function watch(request: WatchRequest): Promise<Watched> {
  const monitor = await warmed(SAMPLERS, request.adaptation, request.cover);
  const workloads: Workload[] = [];
  const start = async (commands: readonly string[]) => {
    const started: Workload[] = [];
    for (const command of commands) started.push(await Workload.start(command));
    workloads.push(...started);
    return started.flatMap(({ pids }) => pids);
  };
  try {
    const observation = new Observation(monitor, await start(request.start), request.attrs);
    const { later } = request;
    const seen = await observation.run({
      ...request,
      atHalf: later && (async () => observation.attach(await start(later))),
    });
    return { ...seen, truths: workloads.map(({ lines }) => lines) };
  } finally {
    for (const workload of workloads) await workload.end();
  }
}

/** One process, at 5 ms and 100 ms and one sampler. */
export async function watchWithPagepulse(pid: number, seconds: number) {
  const { snapshots, cost } = await new Observation(await warmed(1), [pid]).run({ seconds });
  return { snapshots: snapshots[0]!, cost };
}

/** When an observation ends, and what happens until then: as in `WatchRequest`. */
type Until = Pick<WatchRequest, 'seconds' | 'snapshots' | 'during'> & {
  readonly atHalf?: (() => Promise<void>) | undefined;
};

/** Processes that the monitor watches for a while. */
class Observation {
  readonly #ids: number[] = [];
  readonly #detached: { target: number; reason: string; message: string }[] = [];

  constructor(
    readonly monitor: Monitor,
    readonly pids: readonly number[],
    readonly attrs: Partial<Attrs> = {},
  ) {}

  async run({ seconds, snapshots = 0, during, atHalf }: Until): Promise<Omit<Watched, 'truths'>> {
    const { monitor } = this;
    await monitor.setAttrs({ ...DEFAULT_ATTRS, ...this.attrs });
    monitor.on('detached', this.#onDetached);
    try {
      await this.attach(this.pids);
      const before = await monitor.stats();
      const script = during === undefined ? undefined : runWith(during, this.pids);
      script?.catch(() => {}); // It is awaited below, when it may long have failed.
      await pause(seconds * 500);
      await atHalf?.();
      await pause(seconds * 500);
      await script;
      const deadline = performance.now() + PATIENCE_MS;
      while (this.#hasFewerThan(snapshots) && performance.now() < deadline) await pause(POLL_MS);
      const cost = costBetween(before, await monitor.stats());
      const startUs = Number(monitor.startedMonotonicNs) / 1e3;
      const lines = this.#ids.map((id) => wanted.get(id)!.map((snapshot) => lineOf(snapshot, startUs)));
      return { snapshots: lines, detached: [...this.#detached], cost };
    } finally {
      monitor.off('detached', this.#onDetached);
      for (const id of this.#ids) {
        wanted.delete(id);
        await monitor.detach(id);
      }
      await monitor.setAttrs(ASLEEP);
    }
  }

  async attach(pids: readonly number[]): Promise<void> {
    for (const pid of pids) {
      const { id } = await this.monitor.attach({ pid });
      wanted.set(id, []);
      this.#ids.push(id);
    }
  }

  /** Whether one of the targets that are still watched has fewer snapshots than this. */
  #hasFewerThan(snapshots: number): boolean {
    const ended = this.#detached.map(({ target }) => target);
    return this.#ids.some((id, i) => !ended.includes(i) && wanted.get(id)!.length < snapshots);
  }

  readonly #onDetached = ({ id }: TargetInfo, reason: string, message: string): void => {
    this.#detached.push({ target: this.#ids.indexOf(id), reason, message });
  };
}

/** The cost of what a monitor did between two looks at its statistics. */
function costBetween(before: MonitorStats, after: MonitorStats): WatchCost {
  const elapsedUs = after.elapsedUs - before.elapsedUs;
  const samples = after.samples - before.samples;
  const ticks = after.ticks - before.ticks;
  const spentUs = cpuUsOf(after) - cpuUsOf(before);
  return {
    seconds: elapsedUs / 1e6,
    cpuPercent: (100 * spentUs) / elapsedUs,
    samples,
    usPerSample: spentUs / samples,
    ticksMade: ticks / (ticks + after.overruns - before.overruns),
  };
}

/** @throws Error where a command of the script fails */
async function runWith(script: string, pids: readonly number[]): Promise<void> {
  const env = { ...process.env, PIDS: pids.join(' ') };
  await promisify(execFile)('bash', ['-eu', '-c', script], { env, cwd: '/out' });
}

/** A monitor whose samplers have all watched for a while; what keeps it from ending are targets of one page. */
async function warmMonitor(samplers: number, adaptation: AdaptationName, cover: CoverName): Promise<Monitor> {
  const ranges = [{ startAddress: 0x1000_0000, endAddress: 0x1000_1000 }];
  const idle = Array.from({ length: samplers }, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  const targets = idle.map(({ pid }) => ({ pid: pid!, ranges }));
  const monitor = await Monitor.start({
    targets,
    attrs: DEFAULT_ATTRS,
    check: 'idle-page',
    adaptation,
    cover,
    workers: samplers,
  });
  void (async () => {
    for await (const snapshot of monitor) wanted.get(snapshot.target.id)?.push(snapshot);
  })();
  const busy = await Promise.all(idle.map(() => Workload.start('hotcold 256 100 32')));
  const ids: number[] = [];
  for (const { pids } of busy) ids.push((await monitor.attach({ pid: pids[0]! })).id);
  await pause(WARM_UP_SECONDS * 1_000);
  for (const id of ids) await monitor.detach(id);
  await monitor.setAttrs(ASLEEP);
  for (const workload of busy) await workload.end();
  return monitor;
}
