import { PagepulseError } from '../../core/errors.js';
import type { CheckName } from '../../core/target.js';

/** The access checks that ask the kernel. */
export type MeasuredCheck = Exclude<CheckName, 'synthetic'>;

/** What a check does in a tick: idle-page resolves, marks and reads; referenced clears and reads. */
export type StepName = 'resolve' | 'mark' | 'read' | 'clear';

/** A quantity measured several times: its median and quartiles. */
export interface Figure {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  /** The number of values. */
  readonly runs: number;
}

/** What an access check costs on one kind of memory. */
export interface MemoryCost {
  readonly memory: string;
  /** CPU of each step in microseconds, per sample or tick. */
  readonly cpuUs: Readonly<Partial<Record<StepName, Figure>>>;
  /** The sum of the medians. */
  readonly totalCpuUs: number;
  /** Of the process, if the check walks all of it; otherwise null. */
  readonly residentBytes: number | null;
}

export interface CheckCost {
  readonly check: MeasuredCheck;
  /** What the figures are for: one sampled page, or one tick with any number of regions. */
  readonly per: 'sample' | 'tick';
  /** Whether all steps were measured, or only those that this machine supports. */
  readonly isWhole: boolean;
  readonly memories: readonly MemoryCost[];
}

/** What a monitor cost while it ran: coordinator and samplers. */
export interface WatchingCost {
  readonly sampleUs: number;
  readonly targets: number;
  /** In all targets, on average. */
  readonly regions: number;
  /** Share of one core, in percent. */
  readonly cpuPercent: Figure;
  /** CPU of a tick of all targets, in microseconds. */
  readonly cpuUsPerTick: Figure;
  readonly cpuUsPerSample: Figure;
  readonly ticks: number;
  /** Sampling intervals missed because earlier work had not finished in time. */
  readonly overruns: number;
}

/** How many fewer rounds a second the workload makes while it is watched. */
export interface Slowdown {
  readonly sampleUs: number;
  readonly regions: number;
  /** 1 in 100 fewer rounds is 1; negative if it makes more. One value per pair of runs, watched and not. */
  readonly slowdownPercent: Figure;
  /** The same by the CPU time it got, which leaves out the time that others, the monitor among them, had the core. */
  readonly onCpuSlowdownPercent: Figure;
}

/** What 1 % of a core, 10 ms of CPU a second, buys on one target. */
export interface OnePercent {
  /** CPU of a tick without its regions, and of each region, in microseconds. */
  readonly cpuUsPerTick: number;
  readonly cpuUsPerRegion: number;
  /** The largest number of regions given here, even if 1 % buys more. */
  readonly regionsLimit: number;
  /** Null if the ticks alone cost more. */
  readonly atInterval: readonly {
    readonly sampleUs: number;
    readonly regions: number | null;
    readonly samplesPerSecond: number | null;
  }[];
  /** The shortest sampling interval for this many regions. */
  readonly withRegions: readonly { readonly regions: number; readonly sampleUs: number }[];
}

/** Everything that was measured; also what `--json` prints. */
export interface BenchResult {
  readonly tool: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machine: {
    readonly kernel: string;
    readonly node: string;
    readonly cpu: string;
    readonly cpus: number;
    readonly pageSizeBytes: number;
    /** always, madvise or never. */
    readonly transparentHugePages: string;
    /** Whether native/words.c is in use, which batches system calls. */
    readonly nativeWords: boolean;
  };
  readonly check: MeasuredCheck;
  /** Null for the built-in workload. */
  readonly target: { readonly pid: number; readonly comm: string } | null;
  readonly timeLimitUs: number;
  elapsedUs: number;
  readonly sampling: CheckCost[];
  readonly intervals: WatchingCost[];
  readonly regions: WatchingCost[];
  readonly targets: WatchingCost[];
  readonly slowdown: Slowdown[];
  onePercent: OnePercent | null;
  /** What could not be measured and why, a sentence each. */
  readonly notes: string[];
  /** Whether the process exited before everything was measured. */
  targetEnded: boolean;
}

/** The measured process exited; what was measured before still holds. */
export function targetEnded(): PagepulseError {
  return new PagepulseError(
    'NO_PROCESS',
    'the process exited before anything was measured; choose one that keeps running',
  );
}

/** @param values at least one, in any order */
export function figureOf(values: readonly number[]): Figure {
  const sorted = Float64Array.from(values).sort();
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1);
    const below = sorted[Math.floor(at)]!;
    return below + (sorted[Math.ceil(at)]! - below) * (at % 1);
  };
  return { median: quantile(0.5), p25: quantile(0.25), p75: quantile(0.75), runs: sorted.length };
}

const ONE_PERCENT_US_A_SECOND = 10_000;
/** How far past the largest measured number of regions the line is trusted. */
const MAX_EXTRAPOLATION = 10;

/**
 * What 1 % of a core buys, by the least-squares line through the medians of ticks with few and with many regions.
 *
 * @param costs runs that differ only in their regions, at least two; of a region source, whose cost does not follow
 *   them, any
 */
export function onePercentOf(
  costs: readonly WatchingCost[],
  intervalsUs: readonly number[],
  regions: readonly number[],
): OnePercent {
  const { base: cpuUsPerTick, slope: cpuUsPerRegion } = lineThrough(
    costs.map((cost) => [cost.regions, cost.cpuUsPerTick.median]),
  );
  const regionsLimit = MAX_EXTRAPOLATION * Math.max(...regions);
  return {
    cpuUsPerTick,
    cpuUsPerRegion,
    regionsLimit,
    atInterval: intervalsUs.map((sampleUs) => {
      const ticksPerSecond = 1e6 / sampleUs;
      const affordable = Math.floor(
        (ONE_PERCENT_US_A_SECOND / ticksPerSecond - cpuUsPerTick) / cpuUsPerRegion,
      );
      if (affordable < 1) return { sampleUs, regions: null, samplesPerSecond: null };
      const most = Math.min(regionsLimit, affordable);
      return { sampleUs, regions: most, samplesPerSecond: most * ticksPerSecond };
    }),
    withRegions: regions.map((count) => ({
      regions: count,
      sampleUs: ((cpuUsPerTick + count * cpuUsPerRegion) * 1e6) / ONE_PERCENT_US_A_SECOND,
    })),
  };
}

/** The slope is above 0 and the base not below it, whatever noise makes of cheap ticks. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): { base: number; slope: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spread = mean(points.map(([x]) => (x - meanX) ** 2));
  const slope = Math.max(0.001, mean(points.map(([x, y]) => (x - meanX) * (y - meanY))) / (spread || 1));
  return { base: Math.max(0, meanY - slope * meanX), slope };
}
