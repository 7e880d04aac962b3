import { setTimeout as pause } from 'node:timers/promises';
import type { Attrs } from '../../core/attrs.js';
import { cpuUsOf, type MonitorStats } from '../../core/stats.js';
import { Monitor } from '../../engine/monitor.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { CHECKS } from '../../sources/registry.js';
import { figureOf } from './figure.js';
import type { MeasuredCheck, WatchingCost } from './result.js';
import { TargetEnded } from './target-ended.js';

/** Sampling intervals in an aggregation interval, as by default. */
const TICKS_AN_AGGREGATION = 20;
/** The time is measured in so many pieces, for the spread. */
const WINDOWS = 5;
const WARM_UP_SHARE = 0.25;
const MAX_WARM_UP_MS = 700;
/** What stopping the monitor takes, about. Starting one takes some 200 ms, and is in the time. */
const STOP_MS = 50;

export interface WatchingRun {
  readonly check: MeasuredCheck;
  readonly targets: readonly ProcessRequest[];
  /** The aggregation interval of a region source, which has no other. */
  readonly sampleUs: number;
  /** In all targets together; the adaptation keeps about this many. Without meaning for a region source. */
  readonly regions: number;
}

/** Intervals and limits that nothing changes by itself. */
export function fixedAttrs({ check, sampleUs, regions, targets }: WatchingRun): Attrs {
  const ticks = CHECKS[check].delivers === 'regions' ? 1 : TICKS_AN_AGGREGATION;
  const perTarget = Math.max(3, Math.floor(regions / targets.length));
  return {
    sampleUs,
    aggrUs: ticks * sampleUs,
    updateUs: 1_000_000,
    minRegions: perTarget,
    maxRegions: Math.max(regions, perTarget),
  };
}

/**
 * Runs a monitor, and takes what it says of its own cost.
 *
 * @param ms the time it may take by the clock on the wall, starting and warming up included
 * @throws TargetEnded; PagepulseError as `Monitor.start` does; the signal's reason
 */
export async function measureWatching(
  run: WatchingRun,
  ms: number,
  signal: AbortSignal,
): Promise<WatchingCost> {
  const endsAtMs = performance.now() + ms - STOP_MS;
  const { check, targets, sampleUs } = run;
  await using monitor = await Monitor.start({ targets, check, attrs: fixedAttrs(run) });
  void drain(monitor);
  const leftMs = Math.max(0, endsAtMs - performance.now());
  await pause(Math.min(MAX_WARM_UP_MS, WARM_UP_SHARE * leftMs), undefined, { signal });
  const windowMs = Math.max(sampleUs / 1_000, (endsAtMs - performance.now()) / WINDOWS);
  const all = [await statsOf(monitor)];
  do {
    await pause(windowMs, undefined, { signal });
    all.push(await statsOf(monitor));
  } while (all.at(-1)!.ticks === all[0]!.ticks || performance.now() + windowMs / 2 < endsAtMs);
  return costOf(all, run);
}

/** What a monitor cost between each two of these counts; at least one tick was made between the first and the last. */
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
  const figure = (values: readonly number[]) => figureOf(values.filter(Number.isFinite));
  const [first, last] = [all[0]!, all.at(-1)!];
  const ticks = last.ticks - first.ticks;
  return {
    sampleUs,
    targets: targets.length,
    regions: Math.round(all.reduce((sum, { regions }) => sum + regions, 0) / all.length),
    cpuPercent: figureOf(windows.map(({ cpuPercent }) => cpuPercent)),
    cpuUsPerTick: figure(windows.map(({ perTick }) => perTick)),
    cpuUsPerSample: figure(windows.map(({ perSample }) => perSample)),
    ticks,
    overruns: last.overruns - first.overruns,
  };
}

/** What an ended monitor is asked is refused: its targets are gone. */
async function statsOf(monitor: Monitor): Promise<MonitorStats> {
  if (monitor.targets.length === 0) throw new TargetEnded();
  return monitor.stats().catch(() => {
    throw new TargetEnded();
  });
}

/** Snapshots are taken as by anyone who watches, so that none is held back. */
async function drain(monitor: Monitor): Promise<void> {
  try {
    for await (const _ of monitor);
  } catch {
    // Told by whoever asks for its statistics.
  }
}
