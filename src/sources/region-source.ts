import type { RegionTable } from '../core/region-table.js';
import type { CheckName } from '../core/target.js';
import type { TargetIdentity } from './page-check.js';

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
 * A source that delivers whole regions, for one target: what was accessed between the start and the end of an interval. It
 * stands beside the page checks (access-check.ts), which answer for one page at a time and leave the regions to the
 * adaptation. The engine calls it from one thread, in the same phases.
 *
 * A source that finds the address space gone sets `table.status` to STALE; `updateRanges` finds out what became of it.
 */
export interface RegionSource {
  readonly delivers: 'regions';
  readonly name: CheckName;
  readonly target: TargetIdentity;
  /** Starts an interval: what is accessed from now on counts. */
  begin(table: RegionTable): void;
  /**
   * Fills the table with the regions of the interval so far (`deliverRegions`), in address order, with nrAccesses, age and
   * `table.delivered`; sets `table.residentBytes`.
   *
   * @param isLast whether the interval ends with it; otherwise it goes on
   */
  deliver(table: RegionTable, isLast: boolean): void;
  /** Sets `table.status` by whether the target still lives. */
  updateRanges(table: RegionTable): void;
  close(): void;
}
