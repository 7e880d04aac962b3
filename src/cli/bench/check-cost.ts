import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Bench } from 'tinybench';
import { count } from '../../core/cycle.js';
import { DeliveredRows, deliverRegions } from '../../core/delivered.js';
import { RandomStreams, randomFrom } from '../../core/random.js';
import { RegionTable } from '../../core/region-table.js';
import { pickSamples, Samples } from '../../core/sampling.js';
import { TargetStatus } from '../../core/table-header.js';
import { FRAMES_PER_WORD, IdleBitmap } from '../../kernel/idle-bitmap.js';
import { Pagemap } from '../../kernel/pagemap.js';
import { idlePageSupport } from '../../kernel/support.js';
import { threadCpuMs } from '../../kernel/thread-cpu.js';
import { WordBatch } from '../../kernel/words.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { type IdleBits, IdleFiles, IdlePageCheck } from '../../sources/idle-page/check.js';
import { ProcessSpace } from '../../sources/process-space.js';
import { ReferencedSource } from '../../sources/referenced.js';
import type { Source } from '../../sources/source.js';
import { type Figure, figureOf, type StepName, targetEnded } from './result.js';

/** Regions, and so samples, of a measured tick. */
export const SAMPLES_A_TICK = 100;

/** A check taken apart: its steps, run in order, are a tick. */
export interface CheckSteps {
  readonly steps: readonly { readonly name: StepName; readonly run: () => void }[];
  readonly table: RegionTable;
  /** Reads the mappings, as a monitor does once per update interval. */
  update(): void;
  close(): void;
}

/** Stands in for a missing idle bitmap: marks nothing, and reads nothing as accessed. */
export const NO_BITMAP: IdleBits = { readBatch: () => 0, writeBatch: () => {} };
let idleFiles: IdleFiles | undefined;

/**
 * The idle-page check on these pages of a process; without an idle bitmap only its first step, which finds frames.
 *
 * @param pages page numbers in order
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function idlePageSteps(pid: number, pages: readonly number[]): CheckSteps {
  const hasBitmap = idlePageSupport().ok;
  idleFiles ??= new IdleFiles(hasBitmap ? {} : { bitmap: NO_BITMAP });
  const check = new IdlePageCheck(new ProcessSpace({ pid }), idleFiles);
  const table = RegionTable.forLimits(3, SAMPLES_A_TICK);
  // Regions of one page leave nothing to chance: the check samples these pages.
  table.count = Math.min(pages.length, SAMPLES_A_TICK);
  for (let i = 0; i < table.count; i++) {
    const page = pages[Math.floor((i * pages.length) / table.count)]!;
    table.setFresh(i, page, page + 1);
  }
  // Ticks a minute apart: the check forgets frames within that time, so each tick resolves them again.
  const random = randomFrom(new RandomStreams(1).next());
  const target = { samples: new Samples(table), check, random, salt: 0 };
  let nowUs = 0;
  const resolveAnew = () => {
    nowUs += 60e6;
    // Not prepare(), which marks too.
    pickSamples(table, random);
    target.samples.clear();
    check.resolve(target.samples, nowUs);
  };
  const resolve = { name: 'resolve', run: resolveAnew } as const;
  const mark = { name: 'mark', run: () => check.writeMarks() } as const;
  const read = { name: 'read', run: () => count(target, nowUs) } as const;
  return {
    steps: hasBitmap ? [resolve, mark, read] : [resolve],
    table,
    update: () => readStatus(table, check),
    close: () => check.close(),
  };
}

/** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
export function referencedSteps(request: ProcessRequest): CheckSteps {
  const source = new ReferencedSource(new ProcessSpace(request));
  const rows = new DeliveredRows();
  const table = RegionTable.forLimits(3, SAMPLES_A_TICK, 0, true);
  return {
    steps: [
      { name: 'clear', run: () => source.begin() },
      {
        name: 'read',
        run: () => {
          rows.count = 0;
          source.deliver(rows);
          deliverRegions(table, rows, true);
        },
      },
    ],
    table,
    update: () => readStatus(table, source),
    close: () => source.close(),
  };
}

/** Whether the process has exited shows when its mappings are read. */
function readStatus(table: RegionTable, source: Source): void {
  table.status = source.readSpace(0).status;
}

/**
 * Sets the idle bits of all frames that share a bitmap word with one of the pages' frames. Long monitoring of small
 * regions ends up like that, and a read then checks all of them. Frames of other processes lose nothing by it.
 */
export function markNeighbours(pid: number, pages: readonly number[]): void {
  const bitmap = new IdleBitmap();
  const pagemap = new Pagemap(pid);
  const words = new WordBatch(pages.length);
  for (const page of pages) {
    const frame = pagemap.frameOf(page);
    if (frame > 0) words.indices[words.count++] = Math.floor(frame / FRAMES_PER_WORD);
  }
  words.halves.fill(0xffff_ffff);
  bitmap.writeBatch(words);
  bitmap.close();
  pagemap.close();
}

/** Between marking and reading, as a sampling interval is: meanwhile the process may use its memory. */
const INTERVAL_MS = 5;
/** Ticks of 5 ms between two reads of the mappings. */
const TICKS_AN_UPDATE = 200;
const MIN_RUNS = 5;
const WARM_UP_RUNS = 10;

/**
 * CPU of each step of a check on this thread, in microseconds per sample or per tick. Each step is timed alone; the
 * steps before it in a tick run first, untimed.
 *
 * @param ms wall-clock time for all steps together
 * @throws PagepulseError as the check does; the signal's reason
 */
export async function measureSteps(
  { steps, table, update }: CheckSteps,
  per: 'sample' | 'tick',
  ms: number,
  signal: AbortSignal,
): Promise<Partial<Record<StepName, Figure>>> {
  const perTick = per === 'sample' ? table.count : 1;
  const costs: Partial<Record<StepName, Figure>> = {};
  for (const [i, { name, run }] of steps.entries()) {
    const enough = new AbortController();
    const bench = new Bench({
      now: threadCpuMs,
      // By the clock above, which counts CPU time: `enough` ends it by the wall clock.
      time: ms,
      iterations: MIN_RUNS,
      warmupTime: 0,
      warmupIterations: WARM_UP_RUNS,
      subtractTimerOverhead: true,
      retainSamples: true,
      throws: true,
      signal: AbortSignal.any([signal, enough.signal]),
    });
    const endsAtMs = performance.now() + ms / steps.length;
    let runs = 0;
    bench.add(name, run, {
      async: false,
      beforeEach: async () => {
        await nextTurn();
        if (runs++ % TICKS_AN_UPDATE === 0 || table.status !== TargetStatus.OK) update();
        if (table.status !== TargetStatus.OK) throw targetEnded();
        for (const before of steps.slice(0, i)) before.run();
        if (i > 0 && i === steps.length - 1) await pause(INTERVAL_MS, undefined, { signal });
        if (runs > WARM_UP_RUNS + MIN_RUNS && performance.now() > endsAtMs) enough.abort();
      },
    });
    const [task] = await bench.run();
    signal.throwIfAborted();
    const { result } = task!;
    if (!('latency' in result)) throw new Error(`the ${name} step could not be measured: ${result.state}`);
    costs[name] = figureOf(result.latency.samples!.map((cpuMs) => (cpuMs * 1_000) / perTick));
  }
  return costs;
}
