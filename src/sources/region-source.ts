import type { DeliveredRows } from '../core/delivered.js';
import type { Source } from './source.js';

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
