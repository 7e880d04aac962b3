import { setTimeout as pause } from 'node:timers/promises';
import type { Attrs } from '../../core/attrs.js';
import { cpuUsOf, type MonitorStats } from '../../core/stats.js';
import { Monitor } from '../../engine/monitor.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { SOURCES } from '../../sources/registry.js';
import { figureOf, type MeasuredCheck, type Slowdown, targetEnded, type WatchingCost } from './result.js';
import type { WorkloadProcess } from './workload.js';

export interface WatchingRun {
  readonly check: MeasuredCheck;
  readonly targets: readonly ProcessRequest[];
  /** The aggregation interval for a region source. */
  readonly sampleUs: number;
  /** In all targets together; the adaptation keeps about this many. Ignored by a region source. */
  readonly regions: number;
}

/** Sampling intervals per aggregation interval, as by default. */
const TICKS_AN_AGGREGATION = 20;

/** Fixed intervals and limits: with these, nothing is tuned. */
export function fixedAttrs({ check, sampleUs, regions, targets }: WatchingRun): Attrs {
  const ticks = SOURCES[check].delivers === 'regions' ? 1 : TICKS_AN_AGGREGATION;
  const minRegions = Math.max(3, Math.floor(regions / targets.length));
  const maxRegions = Math.max(regions, minRegions);
  return { sampleUs, aggrUs: ticks * sampleUs, updateUs: 1_000_000, minRegions, maxRegions };
}

/** Equal parts of the measured time, which give the spread. */
const WINDOWS = 5;
const WARM_UP_SHARE = 0.25;
const MAX_WARM_UP_MS = 700;
/** Approximate time to stop the monitor. Starting one takes some 200 ms, which the time includes. */
const STOP_MS = 50;

/**
 * Runs a monitor and reads its own account of its cost.
 *
 * @param ms wall-clock time, including the start and the warm-up
 * @throws PagepulseError as `Monitor.start` does; the signal's reason
 */
export async function measureWatching(
  run: WatchingRun,
  ms: number,
  signal: AbortSignal,
): Promise<WatchingCost> {
  const endsAtMs = performance.now() + ms - STOP_MS;
  await using monitor = await startMonitor(run);
  void drain(monitor);
  const leftMs = Math.max(0, endsAtMs - performance.now());
  await pause(Math.min(MAX_WARM_UP_MS, WARM_UP_SHARE * leftMs), undefined, { signal });
  const windowMs = Math.max(run.sampleUs / 1_000, (endsAtMs - performance.now()) / WINDOWS);
  const all = [await statsOf(monitor)];
  do {
    await pause(windowMs, undefined, { signal });
    all.push(await statsOf(monitor));
  } while (all.at(-1)!.ticks === all[0]!.ticks || performance.now() + windowMs / 2 < endsAtMs);
  return costOf(all, run);
}

/** What a monitor cost between every two of these readings; there must be a tick between the first and the last. */
export function costOf(all: readonly MonitorStats[], { sampleUs, targets }: WatchingRun): WatchingCost {
  const windows = all.slice(1).map((to, i) => {
    const from = all[i]!;
    const cpuUs = cpuUsOf(to) - cpuUsOf(from);
    return {
      cpuPercent: (100 * cpuUs) / (to.elapsedUs - from.elapsedUs),
      perTick: cpuUs / (to.ticks - from.ticks),
      perSample: cpuUs / (to.samples - from.samples),
    };
  });
  const finiteFigure = (values: readonly number[]) => figureOf(values.filter(Number.isFinite));
  const [first, last] = [all[0]!, all.at(-1)!];
  return {
    sampleUs,
    targets: targets.length,
    regions: Math.round(all.reduce((sum, { regions }) => sum + regions, 0) / all.length),
    cpuPercent: figureOf(windows.map(({ cpuPercent }) => cpuPercent)),
    cpuUsPerTick: finiteFigure(windows.map(({ perTick }) => perTick)),
    cpuUsPerSample: finiteFigure(windows.map(({ perSample }) => perSample)),
    ticks: last.ticks - first.ticks,
    overruns: last.overruns - first.overruns,
  };
}

function startMonitor(run: WatchingRun): Promise<Monitor> {
  const { targets, check } = run;
  return Monitor.start({ targets, check, attrs: fixedAttrs(run) });
}

/** An ended monitor refuses to answer: its targets have exited. */
async function statsOf(monitor: Monitor): Promise<MonitorStats> {
  if (monitor.targets.length === 0) throw targetEnded();
  return monitor.stats().catch(() => {
    throw targetEnded();
  });
}

/** Takes the snapshots, as any reader does, so that none is held back. */
async function drain(monitor: Monitor): Promise<void> {
  try {
    for await (const _ of monitor);
  } catch {
    // statsOf reports it.
  }
}

/** Between starting or stopping a monitor and counting rounds. */
const SETTLE_MS = 100;
/** Shorter counts show what else the machine does. */
const MIN_COUNT_MS = 200;
const PAIRS = 5;

/**
 * How much a process that only uses its memory slows down while it is watched. Watched and unwatched runs alternate, and
 * the first of a pair changes, so that other load on the machine falls on both.
 *
 * @param ms wall-clock time; at least one pair is run
 * @throws PagepulseError as `Monitor.start` does; the signal's reason
 */
export async function measureSlowdown(
  workload: WorkloadProcess,
  run: WatchingRun,
  ms: number,
  signal: AbortSignal,
): Promise<Slowdown> {
  const endsAtMs = performance.now() + ms;
  const countMs = Math.max(MIN_COUNT_MS, ms / (2 * PAIRS) - 2 * SETTLE_MS);
  let pairMs = 0;
  const percents: number[] = [];
  const onCpuPercents: number[] = [];
  await workload.setPace('flat out', signal);
  try {
    do {
      const startedMs = performance.now();
      const isWatchedFirst = percents.length % 2 === 1;
      const first = await speedOf(workload, isWatchedFirst ? run : undefined, countMs, signal);
      const second = await speedOf(workload, isWatchedFirst ? undefined : run, countMs, signal);
      const [alone, watched] = isWatchedFirst ? [second, first] : [first, second];
      percents.push(100 * (1 - watched.perMs / alone.perMs));
      onCpuPercents.push(100 * (1 - watched.perCpuMs / alone.perCpuMs));
      pairMs = performance.now() - startedMs;
    } while (performance.now() + pairMs < endsAtMs);
  } finally {
    if (!signal.aborted) await workload.setPace('paced', signal);
  }
  const { sampleUs, regions } = run;
  return {
    sampleUs,
    regions,
    slowdownPercent: figureOf(percents),
    onCpuSlowdownPercent: figureOf(onCpuPercents),
  };
}

/** Rounds per millisecond of wall-clock time, and of CPU time of the process. */
async function speedOf(
  workload: WorkloadProcess,
  run: WatchingRun | undefined,
  countMs: number,
  signal: AbortSignal,
): Promise<{ perMs: number; perCpuMs: number }> {
  await using _ = run && (await startMonitor(run));
  await pause(SETTLE_MS, undefined, { signal });
  const from = await workload.rounds(signal);
  await pause(countMs, undefined, { signal });
  const to = await workload.rounds(signal);
  const rounds = to.rounds - from.rounds;
  return { perMs: rounds / (to.atMs - from.atMs), perCpuMs: rounds / (to.cpuMs - from.cpuMs) };
}
