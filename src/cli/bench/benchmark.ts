import { cpus, release } from 'node:os';
import { PagepulseError } from '../../core/errors.js';
import { pageSize } from '../../kernel/page-size.js';
import { readWatchable } from '../../kernel/stat.js';
import { transparentHugePages } from '../../kernel/support.js';
import { threadCpuMs } from '../../kernel/thread-cpu.js';
import { nativeWords } from '../../kernel/words.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { chooseCheck, SOURCES } from '../../sources/registry.js';
import { VERSION } from '../../version.js';
import { idlePageSteps, measureSteps, referencedSteps } from './check-cost.js';
import { memoryGroups } from './memories.js';
import { type BenchResult, type MeasuredCheck, type MemoryCost, onePercentOf } from './result.js';
import { measureSlowdown, measureWatching, type WatchingRun } from './watching-cost.js';
import { Workload } from './workload.js';

export interface BenchOptions {
  /** The process to measure on; by default a built-in workload. */
  readonly pid?: number;
  readonly check: MeasuredCheck | 'auto';
  /** Limits the whole benchmark; at least MIN_TIME_US. */
  readonly timeUs: number;
  /** Ends the benchmark at once. */
  readonly signal: AbortSignal;
  /** Called with what is measured next. */
  readonly onProgress: (what: string) => void;
}

export const MIN_TIME_US = 15e6;

const REGIONS = [10, 100, 1_000];
const TARGETS = [1, 4, 16];
/** While something else varies. */
const FIXED_REGIONS = 100;

/**
 * Sampling intervals of a page check; aggregation intervals of a region source, which walks all memory twice in each, for
 * three regions as for a thousand.
 */
const PLAN = {
  'idle-page': {
    intervalsUs: [1_000, 5_000, 20_000, 100_000],
    sampleUs: 5_000,
    slowdown: [
      { sampleUs: 5_000, regions: FIXED_REGIONS },
      { sampleUs: 5_000, regions: 1_000 },
    ],
  },
  referenced: {
    intervalsUs: [100_000, 200_000, 500_000, 1_000_000],
    sampleUs: 200_000,
    slowdown: [
      { sampleUs: 100_000, regions: FIXED_REGIONS },
      { sampleUs: 1_000_000, regions: FIXED_REGIONS },
    ],
  },
} as const;

/** Measures what watching a process, or a built-in workload, costs on this machine. */
export class Benchmark {
  readonly check: MeasuredCheck;
  readonly #options: BenchOptions;
  readonly #result: BenchResult;
  /** Whether the check samples pages of regions, rather than delivering regions. */
  readonly #samples: boolean;
  /** The process to measure on; set late for the workload, which must start first. */
  #target: ProcessRequest;
  #signal: AbortSignal;

  /**
   * Checks that the process can be measured, by opening it once.
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
        'the kernel does not report the CPU time of threads (/proc/thread-self/schedstat); boot one with ' +
          'CONFIG_SCHED_INFO',
      );
    }
    this.check = chooseCheck(options.check) as MeasuredCheck;
    this.#samples = SOURCES[this.check].delivers === 'pages';
    const stat = pid === undefined ? undefined : readWatchable(pid);
    this.#target = stat ? { pid: pid!, startTime: stat.startTime } : { pid: 0 };
    if (pid !== undefined) (this.#samples ? idlePageSteps(pid, []) : referencedSteps(this.#target)).close();
    this.#result = emptyResult(options.timeUs, this.check, stat ? { pid: pid!, comm: stat.comm } : null);
  }

  /**
   * If the process exits or the time runs out, the result has what was measured until then.
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
      const sections: Section[] = ['sampling', 'intervals', 'targets'];
      if (this.#samples) sections.push('regions');
      if (!result.target) sections.push('slowdown');
      await this.#measure(new TimeBudget(timeUs / 1_000, sections));
    } catch (error) {
      if (signal.aborted) throw error;
      const hasFigures = result.sampling.some(({ memories }) => memories.length > 0);
      if (timeUp.aborted) {
        result.notes.push('the time was up before everything was measured; allow more with --time');
      } else if (result.target && hasFigures && isTargetEnded(error)) result.targetEnded = true;
      else throw error;
    }
    const { regions, intervals } = result;
    if (regions.length > 1) {
      result.onePercent = onePercentOf(regions, PLAN[this.check].intervalsUs, REGIONS);
    } else if (!this.#samples && intervals.length > 0) {
      result.onePercent = onePercentOf(intervals, [], [0]);
    }
    result.elapsedUs = Math.round((performance.now() - startedMs) * 1_000);
    return result;
  }

  async #measure(time: TimeBudget): Promise<void> {
    const { pid, onProgress } = this.#options;
    const { notes, slowdown, ...result } = this.#result;
    if (pid === undefined) onProgress('starting processes to measure on');
    await using workload = pid === undefined ? await Workload.start(this.#signal) : null;
    if (workload) this.#target = workload.hot.request();
    await this.#measureSampling(workload, time.share('sampling'));

    const { check } = this;
    const plan = PLAN[check];
    const base = { check, targets: [this.#target], sampleUs: plan.sampleUs, regions: FIXED_REGIONS };
    const runs: Record<'intervals' | 'regions' | 'targets', WatchingRun[]> = {
      intervals: plan.intervalsUs.map((sampleUs) => ({ ...base, sampleUs })),
      regions: this.#samples ? REGIONS.map((regions) => ({ ...base, regions })) : [],
      // One process several times over: a monitor cannot tell, and pays for each.
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
      notes.push(
        'how much watching slows the process down is unknown, because nothing counts its work; ' +
          'without --pid it is measured on a workload that counts its own',
      );
      return;
    }
    const ms = time.share('slowdown') / plan.slowdown.length;
    for (const varied of plan.slowdown) {
      onProgress('measuring how much slower a watched process gets');
      slowdown.push(await measureSlowdown(workload.hot, { ...base, ...varied }, ms, this.#signal));
    }
  }

  /** Measures each step of a sample or tick, on each kind of memory. */
  async #measureSampling(workload: Workload | null, ms: number): Promise<void> {
    const { notes, sampling } = this.#result;
    const groups = await memoryGroups(this.check, workload, this.#target, notes, this.#signal);
    const msEach = ms / groups.reduce((sum, { memories }) => sum + memories.length, 0);
    for (const group of groups) {
      const memories: MemoryCost[] = [];
      sampling.push({ ...group, memories });
      for (const { memory, residentBytes, open } of group.memories) {
        this.#options.onProgress(`measuring the access check: ${memory}`);
        const steps = open();
        try {
          const cpuUs = await measureSteps(steps, group.per, msEach, this.#signal);
          const totalCpuUs = Object.values(cpuUs).reduce((sum, { median }) => sum + median, 0);
          memories.push({ memory, residentBytes, cpuUs, totalCpuUs });
        } finally {
          steps.close();
        }
      }
    }
  }
}

function isTargetEnded(error: unknown): boolean {
  return error instanceof PagepulseError && ['NO_PROCESS', 'ZOMBIE'].includes(error.code);
}

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

/** The sections of a benchmark, and their shares of the time relative to each other. */
const WEIGHTS = { sampling: 8, intervals: 7, regions: 5, targets: 6, slowdown: 13 } as const;
type Section = keyof typeof WEIGHTS;

/** Kept for stopping what was started, and for a run that is still starting when its time is up. */
const RESERVE_MS = 700;

/** Divides the time: what one section leaves over goes to those after it. */
export class TimeBudget {
  readonly #endsAtMs: number;
  readonly #left: Set<Section>;

  /** @param nowMs the clock, in milliseconds */
  constructor(
    totalMs: number,
    sections: readonly Section[],
    readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#left = new Set(sections);
    this.#endsAtMs = nowMs() + totalMs - RESERVE_MS;
  }

  /** Milliseconds a section may take from now on; ask once, when it starts. */
  share(section: Section): number {
    let weights = 0;
    for (const other of this.#left) weights += WEIGHTS[other];
    this.#left.delete(section);
    return Math.max(0, ((this.#endsAtMs - this.nowMs()) * WEIGHTS[section]) / weights);
  }
}
