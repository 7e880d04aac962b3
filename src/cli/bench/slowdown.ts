import { setTimeout as pause } from 'node:timers/promises';
import { Monitor } from '../../engine/monitor.js';
import { figureOf } from './figure.js';
import type { Slowdown } from './result.js';
import { fixedAttrs, type WatchingRun } from './watching-cost.js';
import type { WorkloadProcess } from './workload.js';

/** After a monitor has started or stopped, before rounds are counted. */
const SETTLE_MS = 100;
/** Of counting rounds, at least: a shorter time is what others on the machine do. */
const MIN_COUNT_MS = 200;
const PAIRS = 5;

/**
 * By how much a process that does nothing but use its memory gets slower by being watched: pairs of runs, in turn, so
 * that what else the machine does falls on both; which of a pair comes first changes too.
 *
 * @param ms the time it may take by the clock on the wall; at least one pair is made
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
      const beganMs = performance.now();
      const isWatchedFirst = percents.length % 2 === 1;
      const first = await speedOf(workload, isWatchedFirst ? run : undefined, countMs, signal);
      const second = await speedOf(workload, isWatchedFirst ? undefined : run, countMs, signal);
      const [alone, watched] = isWatchedFirst ? [second, first] : [first, second];
      percents.push(100 * (1 - watched.perMs / alone.perMs));
      onCpuPercents.push(100 * (1 - watched.perCpuMs / alone.perCpuMs));
      pairMs = performance.now() - beganMs;
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

/** Rounds by the clock on the wall, and by the CPU that the process got. */
async function speedOf(
  workload: WorkloadProcess,
  run: WatchingRun | undefined,
  countMs: number,
  signal: AbortSignal,
): Promise<{ perMs: number; perCpuMs: number }> {
  const { check, targets } = run ?? {};
  await using _ = run && (await Monitor.start({ targets: targets!, check: check!, attrs: fixedAttrs(run) }));
  await pause(SETTLE_MS, undefined, { signal });
  const from = await workload.rounds(signal);
  await pause(countMs, undefined, { signal });
  const to = await workload.rounds(signal);
  const rounds = to.rounds - from.rounds;
  return { perMs: rounds / (to.atMs - from.atMs), perCpuMs: rounds / (to.cpuMs - from.cpuMs) };
}
