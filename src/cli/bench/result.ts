import type { CheckName } from '../../core/target.js';
import type { Figure } from './figure.js';

/** The access checks that ask the kernel. */
export type MeasuredCheck = Exclude<CheckName, 'synthetic'>;

/** The parts of an access check: of idle-page resolve, mark and read, of referenced clear and read. */
export type PartName = 'resolve' | 'mark' | 'read' | 'clear';

/** What an access check costs for one kind of memory. */
export interface MemoryCost {
  readonly memory: string;
  /** CPU in microseconds of each part, for a sample or a tick. */
  readonly cpuUs: Readonly<Partial<Record<PartName, Figure>>>;
  /** The sum of the medians. */
  readonly totalCpuUs: number;
  /** Of the whole process, where the check walks all of it; null where it does not. */
  readonly residentBytes: number | null;
}

/** What the parts of one access check cost. */
export interface CheckCost {
  readonly check: MeasuredCheck;
  /** What the figures are for: one page asked about, or one tick, whatever the number of regions. */
  readonly per: 'sample' | 'tick';
  /** Whether it is the whole check, or only those of its parts that this machine offers. */
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
  /** What a tick of all targets costs, in microseconds of CPU. */
  readonly cpuUsPerTick: Figure;
  readonly cpuUsPerSample: Figure;
  readonly ticks: number;
  /** Sampling intervals that passed unused because the work of another had not ended in time. */
  readonly overruns: number;
}

/** By how much fewer rounds a second the workload makes while it is watched. */
export interface Slowdown {
  readonly sampleUs: number;
  readonly regions: number;
  /** 1 in 100 fewer rounds is 1; below 0 for more. One value for each pair of runs, watched and not. */
  readonly slowdownPercent: Figure;
  /** The same by the CPU that it got: without what it lost because others had the processor, the monitor among them. */
  readonly onCpuSlowdownPercent: Figure;
}

/** What 1 % of a core, 10 ms of CPU a second, buys of one target: from the cost of ticks with few and many regions. */
export interface OnePercent {
  /** What a tick costs without its regions, and each region, in microseconds of CPU. */
  readonly cpuUsPerTick: number;
  readonly cpuUsPerRegion: number;
  /** More regions than that were not extrapolated to: where as many are told, it may be more. */
  readonly regionsLimit: number;
  /** Null where the ticks alone cost more. */
  readonly atInterval: readonly {
    readonly sampleUs: number;
    readonly regions: number | null;
    readonly samplesPerSecond: number | null;
  }[];
  /** The shortest sampling interval for so many regions. */
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
    /** Whether native/words.c is in use: it makes a batch of system calls in one call from JavaScript. */
    readonly nativeWords: boolean;
  };
  readonly check: MeasuredCheck;
  /** Null for the workload of its own. */
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
  /** Whether a watched process ended before all was measured. */
  targetEnded: boolean;
}
