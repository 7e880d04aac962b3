import type { PageMarks } from '../core/cycle.js';
import type { DeliveredRows } from '../core/delivered.js';
import type { Samples } from '../core/sampling.js';
import type { TargetStatus } from '../core/table-header.js';
import type { TargetInfo } from '../core/target.js';
import type { ProcessRequest } from '../processes/process-request.js';
import type { SyntheticSpec } from './synthetic/spec.js';

/** What to watch: a process, or an address space that exists only in memory. */
export type TargetRequest = ProcessRequest | { readonly synthetic: SyntheticSpec };

/** Identifies a target before the monitor has given it an ID. */
export type TargetIdentity = Omit<TargetInfo, 'id'>;

/** Where a target's memory lies now. */
export interface AddressSpace {
  /** GONE if the process has ended; STALE if it has no mappings because an exec is in progress, so read again later. */
  readonly status: typeof TargetStatus.OK | typeof TargetStatus.STALE | typeof TargetStatus.GONE;
  /** [start, end) pairs of pages to cover, in address order; empty unless the status is OK. */
  readonly ranges: Float64Array;
  /** Of the whole process; 0 if unknown. */
  readonly residentBytes: number;
}

/** The common part of page checks and region sources: one target, open until `close`. */
export interface Source {
  readonly target: TargetIdentity;
  /** Reads the mappings again: once per update interval, and after a call that found the address space gone. */
  readSpace(nowUs: number): AddressSpace;
  close(): void;
}

/**
 * Answers for single pages of one target whether they were accessed, as `damon_operations` does in the kernel.
 *
 * The engine calls it from one thread, in phases. It marks all pages of all targets before it asks about any, and asks about
 * all before it marks again (core/cycle.ts). The engine chooses the pages. Calls do not wait for anything. Both are hot, once
 * per tick and target, and should not allocate.
 */
export interface PageCheck extends Source, PageMarks {
  readonly delivers: 'pages';
  /**
   * Whether sampling the same pages again is cheaper. Large regions then always use the same one of 64 neighbours, chosen at
   * random for each target.
   */
  readonly repeatsPages: boolean;
  /**
   * Marks the pages of `samples` old. Rows without a page contain NOT_ASKED. May already look pages up and set `residence`.
   *
   * @param nowUs the monitor's time, for scripted targets
   * @returns false if the address space is gone; the mappings are then read again before the next tick
   */
  mark(samples: Samples, nowUs: number): boolean;
  /** Sets `answers`, and if known `residence` and `weights`. Rows that it leaves unchanged are not counted. */
  answer(samples: Samples, nowUs: number): void;
}

/** The coordinator's orders to a region source for the next phase, as bits of `table.orders`. */
export const Order = {
  /** In a CHECK phase: end the interval and deliver its accesses. */
  DELIVER: 1,
  /** In a CHECK phase: deliver the accesses so far, and continue the interval. */
  PEEK: 2,
  /** When pages are prepared: start an interval. */
  BEGIN: 4,
} as const;

/**
 * Delivers whole regions of one target, with the memory accessed between the start and the end of an interval. A `PageCheck`
 * in contrast answers for one page at a time, and leaves regions to the adaptation. The engine calls it from one thread, in
 * the same phases.
 */
export interface RegionSource extends Source {
  readonly delivers: 'regions';
  /** Starts an interval: accesses from now on count. @returns false if the address space is gone */
  begin(): boolean;
  /**
   * Adds the regions of the interval so far to `rows`, in address order. Does not end the interval.
   *
   * @returns the resident memory of the whole target in bytes, undefined if the address space is gone
   */
  deliver(rows: DeliveredRows): number | undefined;
}
