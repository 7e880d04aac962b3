import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { PageMarks } from '../core/cycle.js';
import type { DeliveredRows } from '../core/delivered.js';
import type { Samples } from '../core/sampling.js';
import type { TargetStatus } from '../core/table-header.js';
import type { TargetInfo } from '../core/target.js';
import type { Support } from '../kernel/support.js';
import type { ProcessRequest } from '../processes/process-request.js';
import type { SyntheticSpec } from './synthetic/spec.js';

/**
 * What to watch: a process, a synthetic address space, or a `space` of which only the program's own source knows what it is.
 * A space is copied to the source's thread, as structuredClone does.
 */
export type TargetRequest =
  | ProcessRequest
  | { readonly synthetic: SyntheticSpec }
  | { readonly space: unknown };

/** What a target is called, and if it is a process, which one. */
export interface TargetIdentity {
  readonly comm: string;
  readonly process?: Pick<TargetInfo, 'pid' | 'startTime' | 'cmdline'>;
}

/**
 * Which part of an address space the regions lie over.
 *
 * - `mapped`: the memory that is mapped, as if there were no gaps between mappings.
 * - `three-ranges`: DAMON's rule for virtual addresses: everything but the two largest gaps.
 */
export const COVERS = ['mapped', 'three-ranges'] as const;
export type CoverName = (typeof COVERS)[number];

/** Opens targets in one sampler thread. @throws PagepulseError for a target that cannot be watched */
export type OpenTarget = (
  request: TargetRequest,
  random: RandomGenerator,
  cover: CoverName,
) => PageCheck | RegionSource;

/** The abilities of a source. Code asks for abilities, never for names. */
export interface SourceDescriptor {
  /** Stands in snapshots, records and messages. */
  readonly name: string;
  /**
   * `pages`: a `PageCheck`, which answers for one page of each region per sampling interval. `regions`: a `RegionSource`, which
   * delivers whole regions once per aggregation interval and has no sampling interval.
   */
  readonly delivers: 'pages' | 'regions';
  /** Processes, or address spaces of its own, which do not need /proc and can live on virtual time. */
  readonly watches: 'processes' | 'spaces';
  /** What the cost of a tick grows with. */
  readonly costFollows: 'regions' | 'resident memory' | 'nothing';
  /** Through what it clears accessed bits. Another program that uses the same takes accesses away from it. */
  readonly clears: 'idle bitmap' | 'clear_refs' | 'nothing';
  /** Whether it clears accessed bits that the kernel needs for reclaim. */
  readonly disturbsReclaim: boolean;
  /** The smallest unit of memory that it can distinguish. */
  readonly resolution: 'page' | 'mapping';
  /** The default aggregation interval in microseconds; undefined for that of DEFAULT_ATTRS. */
  readonly defaultAggrUs?: number;
  /** Whether this machine supports it for the current user. May open files, but changes nothing. */
  supported(): Support;
  /** Called once in each sampler thread, so that all targets of the thread share system-wide files. */
  open(): OpenTarget;
}

/** Where a target's memory lies now. */
export interface AddressSpace {
  /** GONE if the process has ended; STALE if it has no mappings because an exec is in progress, so read again later. */
  readonly status: typeof TargetStatus.OK | typeof TargetStatus.STALE | typeof TargetStatus.GONE;
  /** [start, end) pairs of pages to cover, disjoint and in address order; empty unless the status is OK. */
  readonly ranges: Float64Array;
  /** Whether the regions lie over these pages as if there were no gaps between the ranges. Always the same for a target. */
  readonly isDense?: boolean;
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
