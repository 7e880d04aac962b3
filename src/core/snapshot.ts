import type { MonitorStats } from './stats.js';
import type { CheckName, TargetInfo } from './target.js';

/** The columns of a published snapshot, one element a region, in address order. They own their memory. */
export interface SnapshotColumns {
  /** First page of each region: address / page size. */
  readonly startPages: Float64Array;
  /** First page after each region. */
  readonly endPages: Float64Array;
  readonly nrAccesses: Uint32Array;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly ages: Uint32Array;
}

/** One region, in bytes: user addresses are exact in a number, for they are whole pages. */
export interface Region {
  readonly startAddress: number;
  readonly endAddress: number;
  /** Sampling intervals in which its sampled page was found accessed: 0 .. snapshot.maxNrAccesses. */
  readonly nrAccesses: number;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly age: number;
}

/** What every snapshot says beside its columns. */
export interface SnapshotHeader {
  readonly target: TargetInfo;
  /** The access check that saw it. */
  readonly check: CheckName;
  readonly pageSize: number;
  /** Begin and end of the aggregation interval, in microseconds since the monitor started. */
  readonly startUs: number;
  readonly endUs: number;
  /** The nrAccesses of a region that was found accessed every time: aggregation / sampling interval. */
  readonly maxNrAccesses: number;
  /** What watching has cost when this was published. */
  readonly stats: MonitorStats;
}

/** One target's regions at the end of one aggregation interval. Immutable. */
export class Snapshot implements SnapshotHeader {
  readonly target: TargetInfo;
  readonly check: CheckName;
  readonly pageSize: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly stats: MonitorStats;
  /** The regions as columns, for code that goes through many of them. */
  readonly columns: SnapshotColumns;
  #regions: readonly Region[] | undefined;

  constructor(header: SnapshotHeader, columns: SnapshotColumns) {
    this.target = header.target;
    this.check = header.check;
    this.pageSize = header.pageSize;
    this.startUs = header.startUs;
    this.endUs = header.endUs;
    this.maxNrAccesses = header.maxNrAccesses;
    this.stats = header.stats;
    this.columns = columns;
  }

  /** The regions as objects, made when first asked for. */
  get regions(): readonly Region[] {
    this.#regions ??= Array.from(this.columns.startPages, (startPage, i) => ({
      startAddress: startPage * this.pageSize,
      endAddress: this.columns.endPages[i]! * this.pageSize,
      nrAccesses: this.columns.nrAccesses[i]!,
      age: this.columns.ages[i]!,
    }));
    return this.#regions;
  }

  /** Bytes in regions with nrAccesses at or above the threshold (DAMON's working set; 1 unless told otherwise). */
  workingSetBytes(minNrAccesses = 1): number {
    const { startPages, endPages, nrAccesses } = this.columns;
    let pages = 0;
    for (let i = 0; i < startPages.length; i++) {
      if (nrAccesses[i]! >= minNrAccesses) pages += endPages[i]! - startPages[i]!;
    }
    return pages * this.pageSize;
  }
}
