import type { SyntheticSpec } from './synthetic-spec.js';

/** Bytes [startAddress, endAddress), widened to whole pages. */
export interface AddressRange {
  readonly startAddress: number;
  readonly endAddress: number;
}

export interface ProcessRequest {
  readonly pid: number;
  /** Clock ticks since boot, as decimal digits: the process must be the one that started then. */
  readonly startTime?: string;
  /**
   * Watches these addresses alone, however the mappings change: up to three ranges, in order (DAMON's fvaddr). For
   * programs that scatter their memory over the whole address space, as V8 does. Default: the three ranges that cover
   * all mappings.
   */
  readonly ranges?: readonly AddressRange[];
}

/** What to watch: a process, or an address space that exists only in memory. */
export type TargetRequest = ProcessRequest | { readonly synthetic: SyntheticSpec };
