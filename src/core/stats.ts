import { type Attrs, sameAttrs } from './attrs.js';

/** Who chose attrs: the user or the defaults, the automatic intervals, or the budget. */
export type AttrsReason = 'set' | 'auto' | 'budget';

export interface AttrsInForce {
  readonly attrs: Attrs;
  readonly reason: AttrsReason;
  /**
   * Of a region source: each target is watched in one of this many aggregation intervals, because a budget does not allow
   * more. Absent if it is watched in all, and with page checks.
   */
  readonly turns?: number | undefined;
}

export function sameInForce(a: AttrsInForce, b: AttrsInForce): boolean {
  return sameAttrs(a.attrs, b.attrs) && a.turns === b.turns;
}

/** Other attrs are in force since then, in microseconds since the monitor started. */
export interface AttrsChange extends AttrsInForce {
  readonly atUs: number;
}

/** CPU time that one thread of the monitor has used. */
export interface ThreadCost {
  /** `coordinator`, `sampler 0`, ...; with `costOf: 'process'` also `others`: the main thread, V8's and libuv's. */
  readonly name: string;
  readonly cpuUs: number;
}

/** What the monitor has done and what that cost, since it started. */
export interface MonitorStats {
  readonly elapsedUs: number;
  /** Sampling intervals that were checked. */
  readonly ticks: number;
  /** Sampling intervals that passed unused because the work of another had not ended in time. */
  readonly overruns: number;
  /**
   * How long after it was due a tick had been checked by all samplers, in the mean and at most, in microseconds: the
   * lateness of their waking, and the work. Of the ticks that the samplers make by themselves; null on virtual time.
   */
  readonly meanLateUs: number | null;
  readonly maxLateUs: number | null;
  /** Pages asked about. */
  readonly samples: number;
  /** Of these, pages whose frame cannot carry the idle bit: neither accessed nor not accessed. */
  readonly notSampled: number;
  /** Snapshots made, and those of them thrown away because the reader was slower than the sampling. */
  readonly snapshots: number;
  readonly droppedSnapshots: number;
  /** Samplers that died or stopped answering, and the sampling intervals their targets missed by that. */
  readonly lostSamplers: number;
  readonly lostTicks: number;
  /** Regions in all targets now. */
  readonly regions: number;
  /** The intervals and limits in force, and who chose them. */
  readonly inForce: AttrsInForce;
  /**
   * CPU of coordinator and samplers (with `costOf: 'process'`, of the whole process) as a share of one core since the
   * start, in percent; null on virtual time.
   */
  readonly cpuPercent: number | null;
  /** The same of the last 10 s, or since the last snapshot where that is longer ago: what a budget is for. */
  readonly recentCpuPercent: number | null;
  /** CPU of the samplers for one page asked about, in microseconds; null before the first, and on virtual time. */
  readonly usPerSample: number | null;
  readonly threads: readonly ThreadCost[];
}

/** CPU that the monitor had used by then, in microseconds; 0 on virtual time. */
export function cpuUsOf({ cpuPercent, elapsedUs }: MonitorStats): number {
  return ((cpuPercent ?? 0) * elapsedUs) / 100;
}
