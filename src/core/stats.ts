import { type Attrs, sameAttrs } from './attrs.js';

/** Who chose the attrs: the user or the defaults (`set`), automatic intervals (`auto`), or the CPU budget (`budget`). */
export type AttrsReason = 'set' | 'auto' | 'budget';

/** The attrs in force, and who chose them. */
export interface AttrsInForce {
  readonly attrs: Attrs;
  readonly reason: AttrsReason;
  /**
   * Region sources only: the budget allows watching each target in one of this many aggregation intervals. Absent if targets
   * are watched in every interval.
   */
  readonly turns?: number | undefined;
}

export function sameInForce(a: AttrsInForce, b: AttrsInForce): boolean {
  return sameAttrs(a.attrs, b.attrs) && a.turns === b.turns;
}

/** A change of the attrs in force. */
export interface AttrsChange extends AttrsInForce {
  /** Microseconds since the monitor started. */
  readonly atUs: number;
}

/** CPU time that one thread of the monitor has used. */
export interface ThreadCost {
  /** `coordinator`, `sampler 0`, ...; with `costOf: 'process'` also `others`: the main thread and those of V8 and libuv. */
  readonly name: string;
  readonly cpuUs: number;
}

/** Counters and cost of a monitor since it started. */
export interface MonitorStats {
  /** Microseconds since the monitor started. */
  readonly elapsedUs: number;
  /** Sampling intervals that were checked. */
  readonly ticks: number;
  /** Sampling intervals that were skipped because earlier work had not finished in time. */
  readonly overruns: number;
  /**
   * Mean delay from a tick's due time until the last sampler has finished its check, in microseconds: late wake-ups plus the
   * work itself. Null on virtual time.
   */
  readonly meanLateUs: number | null;
  /** The longest such delay, in microseconds; null on virtual time. */
  readonly maxLateUs: number | null;
  /** Pages sampled. */
  readonly samples: number;
  /** Sampled pages without an answer, because their frame cannot carry the idle bit. */
  readonly notSampled: number;
  /** Snapshots made, including dropped ones. */
  readonly snapshots: number;
  /** Snapshots dropped because the reader was too slow. */
  readonly droppedSnapshots: number;
  /** Samplers that died or stopped answering. */
  readonly lostSamplers: number;
  /** Sampling intervals that targets missed because their sampler was lost. */
  readonly lostTicks: number;
  /** Current number of regions in all targets. */
  readonly regions: number;
  /** The intervals and limits in force, and who chose them. */
  readonly inForce: AttrsInForce;
  /**
   * CPU time of coordinator and samplers since the start, in percent of one core; with `costOf: 'process'`, of the whole
   * process. Null on virtual time.
   */
  readonly cpuPercent: number | null;
  /**
   * The same over the last 10 s, or since the last snapshot if that was longer ago. This is what `maxCpuPercent` limits.
   */
  readonly recentCpuPercent: number | null;
  /** CPU time of the samplers per sample, in microseconds; null before the first sample and on virtual time. */
  readonly usPerSample: number | null;
  /** Empty on virtual time. */
  readonly threads: readonly ThreadCost[];
}

/** CPU time that the monitor had used when the stats were read, in microseconds; 0 on virtual time. */
export function cpuUsOf({ cpuPercent, elapsedUs }: MonitorStats): number {
  return ((cpuPercent ?? 0) * elapsedUs) / 100;
}
