import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Bench } from 'tinybench';
import { TargetStatus } from '../../core/region-table.js';
import { threadCpuMs } from '../../kernel/thread-cpu.js';
import type { CheckInParts } from './check-parts.js';
import { type Figure, figureOf } from './figure.js';
import type { PartName } from './result.js';
import { TargetEnded } from './target-ended.js';

/** Between the last two parts, as a sampling interval is: the process goes on, and uses its memory or not. */
const INTERVAL_MS = 5;
/** At 5 ms, the mappings are read again once in so many ticks. */
const TICKS_AN_UPDATE = 200;
/** Beside as many as the time allows. */
const MIN_RUNS = 5;
const WARM_UP_RUNS = 10;

/**
 * CPU of each part of a check, in microseconds of this thread, for one sample or for the whole tick. A part is measured
 * by itself: what comes before it in a tick is run first each time, unmeasured.
 *
 * @param ms the time it may take by the clock on the wall, for all parts together
 * @throws TargetEnded; PagepulseError as the check does; the signal's reason
 */
export async function measureParts(
  check: CheckInParts,
  per: 'sample' | 'tick',
  ms: number,
  signal: AbortSignal,
): Promise<Partial<Record<PartName, Figure>>> {
  const { parts, table } = check;
  const perTick = per === 'sample' ? table.count : 1;
  const costs: Partial<Record<PartName, Figure>> = {};
  for (const [i, { name, run }] of parts.entries()) {
    const enough = new AbortController();
    const bench = new Bench({
      now: threadCpuMs,
      // The time is up by the clock on the wall; this one is of CPU.
      time: ms,
      iterations: MIN_RUNS,
      warmupTime: 0,
      warmupIterations: WARM_UP_RUNS,
      subtractTimerOverhead: true,
      retainSamples: true,
      throws: true,
      signal: AbortSignal.any([signal, enough.signal]),
    });
    const endsAtMs = performance.now() + ms / parts.length;
    let runs = 0;
    bench.add(name, run, {
      async: false,
      beforeEach: async () => {
        await nextTurn();
        if (runs++ % TICKS_AN_UPDATE === 0 || table.status !== TargetStatus.OK) check.update();
        if (table.status !== TargetStatus.OK) throw new TargetEnded();
        for (const before of parts.slice(0, i)) before.run();
        if (i > 0 && i === parts.length - 1) await pause(INTERVAL_MS, undefined, { signal });
        if (runs > WARM_UP_RUNS + MIN_RUNS && performance.now() > endsAtMs) enough.abort();
      },
    });
    const [task] = await bench.run();
    signal.throwIfAborted();
    const { result } = task!;
    if (!('latency' in result)) throw new Error(`${name} could not be measured (${result.state})`);
    costs[name] = figureOf(result.latency.samples!.map((cpuMs) => (cpuMs * 1_000) / perTick));
  }
  return costs;
}
