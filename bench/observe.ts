import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuUsOf } from '../src/core/stats.js';
import { Monitor, type MonitorOptions, type MonitorStats, type Snapshot } from '../src/index.js';

/** What a monitor had done and cost by a time; since its start, in microseconds. */
export interface CostPoint {
  readonly atUs: number;
  readonly cpuUs: number;
  readonly sampleUs: number;
  readonly maxRegions: number;
  readonly regions: number;
  readonly ticks: number;
  readonly overruns: number;
  /** From a tick's due time until all samplers have finished it: mean and maximum since the start. */
  readonly meanLateUs: number;
  readonly maxLateUs: number;
}

export interface Observed {
  /** A point every `POINT_SECONDS`: asking for statistics costs too. */
  readonly points: readonly CostPoint[];
  /** By target, in the order of the options; in the monitor's time. */
  readonly snapshots: readonly (readonly Snapshot[])[];
  /** Sampling intervals after each step of automatic intervals, in microseconds. */
  readonly steps: readonly number[];
  /** Time to start, most of which is attaching. */
  readonly startMs: number;
  /** CLOCK_MONOTONIC at the monitor's start, in microseconds. */
  readonly startedUs: number;
}

const POINT_SECONDS = 5;

/** Names of a monitor's threads. */
const MONITOR_THREAD = /^(coordinator|sampler)/;

/**
 * Runs a monitor, and reads now and then what it has cost.
 *
 * @param isQuiet reads the CPU clocks of the monitor's threads instead of asking for statistics, which wakes the
 *   coordinator: in the emulator that takes more than a small budget has. Apart from time and CPU, every point then
 *   repeats the first one, and only the last point is current.
 */
export async function observe(options: MonitorOptions, seconds: number, isQuiet = false): Promise<Observed> {
  const beganMs = performance.now();
  await using monitor = await Monitor.start(options);
  const startMs = performance.now() - beganMs;
  const order = monitor.targets.map(({ id }) => id);
  const snapshots: Snapshot[][] = order.map(() => []);
  const steps: number[] = [];
  monitor.on('tuned', ({ wantedSampleUs }) => steps.push(wantedSampleUs));
  const reading = (async () => {
    for await (const snapshot of monitor) snapshots[order.indexOf(snapshot.target.id)]!.push(snapshot);
  })();
  const points: CostPoint[] = [];
  const startedUs = Number(monitor.startedMonotonicNs) / 1e3;
  const asked = async () => {
    const point = pointOf(await monitor.stats());
    return isQuiet ? { ...point, cpuUs: threadsCpuUs() } : point;
  };
  const seen = (last: CostPoint) => {
    const atUs = Number(process.hrtime.bigint()) / 1e3 - startedUs;
    return { ...last, atUs, cpuUs: threadsCpuUs() };
  };
  const first = await asked();
  for (let second = POINT_SECONDS; second <= seconds; second += POINT_SECONDS) {
    await pause(POINT_SECONDS * 1_000);
    points.push(isQuiet && second < seconds ? seen(first) : await asked());
  }
  await monitor.stop();
  await reading;
  return { points, snapshots, steps, startMs, startedUs };
}

/** CPU of this process's coordinator and samplers, in microseconds, by the names of their threads. */
function threadsCpuUs(): number {
  let ns = 0;
  for (const id of readdirSync('/proc/self/task')) {
    const thread = `/proc/self/task/${id}`;
    if (!MONITOR_THREAD.test(readFileSync(`${thread}/comm`, 'utf8'))) continue;
    ns += Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return ns / 1e3;
}

function pointOf(stats: MonitorStats): CostPoint {
  const { elapsedUs, regions, ticks, overruns, meanLateUs, maxLateUs, inForce } = stats;
  const { sampleUs, maxRegions } = inForce.attrs;
  return {
    atUs: elapsedUs,
    cpuUs: cpuUsOf(stats),
    sampleUs,
    maxRegions,
    regions,
    ticks,
    overruns,
    meanLateUs: meanLateUs ?? 0,
    maxLateUs: maxLateUs ?? 0,
  };
}

/** The largest share of a core in any 10 s that begin at `fromUs` or later, in percent. */
export function worstPercent(points: readonly CostPoint[], fromUs: number, windowUs = 10e6): number {
  let worst = 0;
  points.forEach((begin, i) => {
    const end = points.slice(i).find(({ atUs }) => atUs >= begin.atUs + 0.95 * windowUs);
    if (begin.atUs < fromUs || !end) return;
    worst = Math.max(worst, (100 * (end.cpuUs - begin.cpuUs)) / (end.atUs - begin.atUs));
  });
  return worst;
}

/** The share of a core from `fromUs` to the end, in percent. */
export function meanPercent(points: readonly CostPoint[], fromUs: number): number {
  const [begin, end] = [points.find(({ atUs }) => atUs >= fromUs)!, points.at(-1)!];
  return (100 * (end.cpuUs - begin.cpuUs)) / (end.atUs - begin.atUs);
}
