import type { RegionTable } from '../core/region-table.js';
import type { CheckName, TargetInfo } from '../core/target.js';

/** What names a target before the monitor has given it a number. */
export type TargetIdentity = Omit<TargetInfo, 'id'>;

/** Where a check counts what it did: one row a sampler, in shared memory, so that counting needs no message. */
export interface CheckCounters {
  /** Pages asked about, at index SAMPLES; pages whose frame cannot carry the idle bit, at NOT_SAMPLED. */
  readonly counts: Float64Array;
}
export const SAMPLES = 0;
export const NOT_SAMPLED = 1;

/**
 * The primitives that touch the kernel, for one target: DAMON's `damon_operations` in spirit. The engine calls them
 * from one thread, in phases: everything is prepared in every target before anything is checked, and checked before
 * anything is prepared again (docs/design.md says why). No call blocks for longer than the work takes.
 *
 * A check that finds the address space gone sets `table.status` to STALE; `updateRanges` finds out what became of it.
 */
export interface AccessCheck {
  readonly delivers: 'pages';
  readonly name: CheckName;
  readonly target: TargetIdentity;
  /** Picks a page of every region and marks it old. `nowUs` is the monitor's time, for scripted targets. */
  prepareAccessChecks(table: RegionTable, nowUs: number): void;
  /** Counts an access (`table.countAccess`) of every region whose page was accessed since. */
  checkAccesses(table: RegionTable, nowUs: number): void;
  /** Reads the mappings again: sets `table.status`, and where that is OK the table's ranges. */
  updateRanges(table: RegionTable, nowUs: number): void;
  close(): void;
}
