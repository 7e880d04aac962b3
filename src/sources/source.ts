import type { TargetStatus } from '../core/region-table.js';
import type { TargetInfo } from '../core/target.js';

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
