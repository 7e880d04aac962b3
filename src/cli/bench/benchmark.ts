import { cpus, release } from 'node:os';
import { PagepulseError } from '../../core/errors.js';
import { pageSize } from '../../kernel/page-size.js';
import { readWatchable } from '../../kernel/stat.js';
import { transparentHugePages } from '../../kernel/support.js';
import { threadCpuMs } from '../../kernel/thread-cpu.js';
import { nativeWords } from '../../kernel/words.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { CHECKS, chooseCheck } from '../../sources/registry.js';
import { VERSION } from '../../version.js';
import { idlePageInParts, referencedInParts } from './check-parts.js';
import { memoryGroups } from './memories.js';
import { onePercentOf } from './one-percent.js';
import type { BenchResult, MeasuredCheck, MemoryCost } from './result.js';
import { measureParts } from './sampling-cost.js';
import { measureSlowdown } from './slowdown.js';
import { saysTargetEnded } from './target-ended.js';
import { RESERVE_MS, type Section, TimeBudget } from './time-budget.js';
import { measureWatching, type WatchingRun } from './watching-cost.js';
import { Workload } from './workload.js';

export interface BenchOptions {
  /** The process to measure on; a workload of its own where not given. */
  readonly pid?: number;
  readonly check: MeasuredCheck | 'auto';
  /** All that is measured is measured within it; at least MIN_TIME_US. */
  readonly timeUs: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Told what is measured next. */
  readonly onProgress: (what: string) => void;
}

/** What is measured of any process; of its own workload also the slowdown. */
const SECTIONS = ['sampling', 'intervals', 'regions', 'targets'] as const;

export const MIN_TIME_US = 15e6;

const REGIONS = [10, 100, 1_000];
const TARGETS = [1, 4, 16];
/** Where they are not what is varied. */
const FEW_REGIONS = 100;

/**
 * Of page checks sampling intervals; of region sources aggregation intervals, each of which walks all memory twice, for
 * three regions as for a thousand.
 */
const PLAN = {
  'idle-page': {
    intervalsUs: [1_000, 5_000, 20_000, 100_000],
    sampleUs: 5_000,
    /** Sampling interval and regions. */
    slowdown: [
      [5_000, FEW_REGIONS],
      [5_000, 1_000],
    ],
    /** Intervals to tell for what 1 % of a core buys in them. */
    buysUs: [1_000, 5_000, 20_000, 100_000],
  },
  referenced: {
    intervalsUs: [100_000, 200_000, 500_000, 1_000_000],
    sampleUs: 200_000,
    slowdown: [
      [100_000, FEW_REGIONS],
      [1_000_000, FEW_REGIONS],
    ],
    buysUs: [],
  },
} as const;

/**
 * Measures what watching costs on this machine: of one process, or of a workload of its own. The parts follow each other,
 * each within its share of the time.
 */
export class Benchmark {
  readonly #options: BenchOptions;
  readonly #check: MeasuredCheck;
  readonly #result: BenchResult;
  /** The process to measure on; the workload's own is known once that has started. */
  #target: ProcessRequest;
  #signal: AbortSignal;

  /**
   * Finds out whether it can be done, and opens what is to be measured once to see.
   *
   * @throws PagepulseError `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION`, `UNSUPPORTED`
   */
  constructor(options: BenchOptions) {
    const { pid } = options;
    this.#options = options;
    this.#signal = options.signal;
    if (Number.isNaN(threadCpuMs())) {
      throw new PagepulseError(
        'UNSUPPORTED',
        'the kernel does not tell the CPU time of threads (/proc/thread-self/schedstat); boot one with CONFIG_SCHED_INFO',
      );
    }
    this.#check = chooseCheck(options.check) as MeasuredCheck;
    const stat = pid === undefined ? undefined : readWatchable(pid);
    this.#target = stat ? { pid: pid!, startTime: stat.startTime } : { pid: 0 };
    if (pid !== undefined) {
      if (this.#check === 'referenced') referencedInParts(this.#target).close();
      else idlePageInParts(pid, [], true).close();
    }
    this.#result = emptyResult(options.timeUs, this.#check, stat ? { pid: pid!, comm: stat.comm } : null);
  }

  get check(): MeasuredCheck {
    return this.#check;
  }

  /**
   * A process that ends meanwhile, or time that is too short, leaves a result with what was measured until then.
   *
   * @throws PagepulseError as the checks and `Monitor.start` do; the signal's reason
   */
  async run(): Promise<BenchResult> {
    const startedMs = performance.now();
    const { signal, timeUs } = this.#options;
    const result = this.#result;
    const timeUp = AbortSignal.timeout(Math.ceil(timeUs / 1_000) - RESERVE_MS / 2);
    this.#signal = AbortSignal.any([signal, timeUp]);
    try {
      const sections: Section[] = SECTIONS.filter((section) => section !== 'regions' || this.#isSampled);
      if (!result.target) sections.push('slowdown');
      await this.#measure(new TimeBudget(timeUs / 1_000, sections));
    } catch (error) {
      if (signal.aborted) throw error;
      const hasFigures = result.sampling.some(({ memories }) => memories.length > 0);
      if (timeUp.aborted) result.notes.push('the time was up before all was measured; give more with --time');
      else if (result.target && hasFigures && saysTargetEnded(error)) result.targetEnded = true;
      else throw error;
    }
    if (result.regions.length > 1) {
      result.onePercent = onePercentOf(result.regions, PLAN[this.#check].buysUs, REGIONS);
    } else if (!this.#isSampled && result.intervals.length > 0) {
      result.onePercent = onePercentOf(result.intervals, [], [0]);
    }
    result.elapsedUs = Math.round((performance.now() - startedMs) * 1_000);
    return result;
  }

  async #measure(time: TimeBudget): Promise<void> {
    const { pid, onProgress } = this.#options;
    const result = this.#result;
    if (pid === undefined) onProgress('starting processes to measure on');
    await using workload = pid === undefined ? await Workload.start(this.#signal) : null;
    if (workload) this.#target = workload.hot.request();
    await this.#sampling(workload, time.share('sampling'));
    const { intervalsUs, sampleUs, slowdown } = PLAN[this.#check];
    const base = { check: this.#check, targets: [this.#target], sampleUs, regions: FEW_REGIONS };
    const runs: Record<WatchingSection, WatchingRun[]> = {
      intervals: intervalsUs.map((interval) => ({ ...base, sampleUs: interval })),
      regions: this.#isSampled ? REGIONS.map((regions) => ({ ...base, regions })) : [],
      // Watched so many times over: a monitor does not know that its targets are one process.
      targets: TARGETS.map((count) => ({ ...base, targets: Array(count).fill(this.#target) })),
    };
    for (const section of ['intervals', 'regions', 'targets'] as const) {
      if (runs[section].length === 0) continue;
      const ms = time.share(section) / runs[section].length;
      for (const run of runs[section]) {
        onProgress(`measuring the cost against ${section}`);
        result[section].push(await measureWatching(run, ms, this.#signal));
      }
    }
    if (!workload) {
      result.notes.push(
        'how much slower the process gets by being watched cannot be known: nobody counts what it does; ' +
          'without --pid it is measured on a workload that does',
      );
      return;
    }
    const ms = time.share('slowdown') / slowdown.length;
    for (const [interval, regions] of slowdown) {
      onProgress('measuring how much slower a watched process gets');
      const run = { ...base, sampleUs: interval, regions };
      result.slowdown.push(await measureSlowdown(workload.hot, run, ms, this.#signal));
    }
  }

  /** Whether pages of regions are sampled, and not regions delivered. */
  get #isSampled(): boolean {
    return CHECKS[this.#check].delivers === 'pages';
  }

  /** What a sample or a tick costs in each kind of memory, part by part. */
  async #sampling(workload: Workload | null, ms: number): Promise<void> {
    const { notes, sampling } = this.#result;
    const groups = await memoryGroups(this.#check, workload, this.#target, notes, this.#signal);
    const msEach = ms / groups.reduce((sum, { memories }) => sum + memories.length, 0);
    for (const group of groups) {
      const memories: MemoryCost[] = [];
      sampling.push({ ...group, memories });
      for (const { memory, residentBytes, open } of group.memories) {
        this.#options.onProgress(`measuring the access check: ${memory}`);
        const check = open();
        try {
          const cpuUs = await measureParts(check, group.per, msEach, this.#signal);
          const totalCpuUs = Object.values(cpuUs).reduce((sum, { median }) => sum + median, 0);
          memories.push({ memory, residentBytes, cpuUs, totalCpuUs });
        } finally {
          check.close();
        }
      }
    }
  }
}

type WatchingSection = Exclude<(typeof SECTIONS)[number], 'sampling'>;

function emptyResult(timeLimitUs: number, check: MeasuredCheck, target: BenchResult['target']): BenchResult {
  const processors = cpus();
  return {
    tool: `pagepulse ${VERSION}`,
    startedAt: new Date().toISOString(),
    machine: {
      kernel: release(),
      node: process.version,
      cpu: processors[0]?.model ?? 'unknown',
      cpus: processors.length,
      pageSizeBytes: pageSize(),
      transparentHugePages: transparentHugePages(),
      nativeWords: nativeWords !== undefined,
    },
    check,
    target,
    timeLimitUs,
    elapsedUs: 0,
    sampling: [],
    intervals: [],
    regions: [],
    targets: [],
    slowdown: [],
    onePercent: null,
    notes: [],
    targetEnded: false,
  };
}
