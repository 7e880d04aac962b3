import type { PageMarks } from '../core/cycle.js';
import type { DeliveredRows } from '../core/delivered.js';
import type { TargetStatus } from '../core/region-table.js';
import type { Samples } from '../core/sampling.js';
import type { TargetInfo } from '../core/target.js';
import type { ProcessRequest } from '../processes/process-request.js';
import type { SyntheticSpec } from './synthetic/spec.js';

/** What to watch: a process, or an address space that exists only in memory. */
export type TargetRequest = ProcessRequest | { readonly synthetic: SyntheticSpec };

/** What names a target before the monitor has given it a number. */
export type TargetIdentity = Omit<TargetInfo, 'id'>;

/** Where the memory of a target lies now. */
export interface AddressSpace {
  /** GONE if the process has ended; STALE if it is between two programs (exec) and has no mappings: ask again. */
  readonly status: typeof TargetStatus.OK | typeof TargetStatus.STALE | typeof TargetStatus.GONE;
  /** [start, end) pairs of pages to cover, in address order; empty unless the status is OK. */
  readonly ranges: Float64Array;
  /** Of the whole process; 0 if it is not known. */
  readonly residentBytes: number;
}

/** What page checks and region sources have in common: one target, open until it is closed. */
export interface Source {
  readonly target: TargetIdentity;
  /** Reads the mappings again. Once in an update interval, and after a call that found the address space gone. */
  readSpace(nowUs: number): AddressSpace;
  close(): void;
}

/**
 * Answers for single pages whether they were accessed: `damon_operations` in spirit, for one target. The engine calls it from
 * one thread, in phases: everything is marked in every target before anything is asked, and asked before anything is marked
 * again (core/cycle.ts). Which page of a region is asked about is not its business. No call blocks for longer than the work
 * takes; both are hot, once a tick and target, and should not allocate.
 */
export interface PageCheck extends Source, PageMarks {
  readonly delivers: 'pages';
  /**
   * Whether asking about the same pages again is cheaper. Then only one of 64 neighbours is ever asked about in large regions,
   * chosen at random for each target.
   */
  readonly repeatsPages: boolean;
  /**
   * Marks the pages of `samples` old. Rows without a page have NOT_ASKED. May look pages up already and set `residence`.
   *
   * @param nowUs the monitor's time, for scripted targets
   * @returns false if the address space is gone; the mappings are then read again before the next tick
   */
  mark(samples: Samples, nowUs: number): boolean;
  /** Sets `answers`, and what is known of `residence` and `weights`. A row that it leaves alone is not counted. */
  answer(samples: Samples, nowUs: number): void;
}

/** What the coordinator orders of a region source in the phase that follows, as bits of `table.orders`. */
export const Order = {
  /** In a CHECK phase: end the interval and deliver what was accessed in it. */
  DELIVER: 1,
  /** In a CHECK phase: deliver what was accessed so far, and let the interval go on. */
  PEEK: 2,
  /** When pages are prepared: start an interval. */
  BEGIN: 4,
} as const;

/**
 * Delivers whole regions of one target: what was accessed between the start and the end of an interval. It stands beside the
 * page checks (page-check.ts), which answer for one page at a time and leave the regions to the adaptation. The engine calls it
 * from one thread, in the same phases.
 */
export interface RegionSource extends Source {
  readonly delivers: 'regions';
  /** Starts an interval: what is accessed from now on counts. @returns false if the address space is gone */
  begin(): boolean;
  /**
   * Adds the regions of the interval so far to `rows`, in address order. The interval goes on.
   *
   * @returns the resident memory of the whole target in bytes, undefined if the address space is gone
   */
  deliver(rows: DeliveredRows): number | undefined;
}
