import type { MonitorStats } from './stats.js';
import type { CheckName, TargetInfo } from './target.js';
import { estimateWorkingSet } from './working-set.js';

/** The columns of a published snapshot, one element a region, in address order. They own their memory. */
export interface SnapshotColumns {
  /** First page of each region: address / page size. */
  readonly startPages: Float64Array;
  /** First page after each region. */
  readonly endPages: Float64Array;
  readonly nrAccesses: Uint32Array;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly ages: Uint32Array;
  /** With the `evidence` adaptation: the samples behind each region's rate, also those of intervals before. */
  readonly samples?: Uint32Array;
  /** With the `evidence` adaptation: by how many pages the begin of each region may be off, as a standard deviation. */
  readonly deviations?: Float32Array;
  /** With the `evidence` adaptation: how many pages of each region may be accessed unlike the rest of it. */
  readonly unlike?: Float32Array;
}

/** One region, in bytes: user addresses are exact in a number, for they are whole pages. */
export interface Region {
  readonly startAddress: number;
  readonly endAddress: number;
  /** Sampling intervals in which its sampled page was found accessed: 0 .. snapshot.maxNrAccesses. */
  readonly nrAccesses: number;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly age: number;
  /** With the `evidence` adaptation: the samples behind its nrAccesses, also those of intervals before. */
  readonly samples?: number;
}

/** The working set as an estimate: 95 of 100 such intervals hold what is estimated (docs/adaptation.md says of what). */
export interface WorkingSet {
  readonly bytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
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
      ...(this.columns.samples && { samples: this.columns.samples[i]! }),
    }));
    return this.#regions;
  }

  /** Bytes in regions with nrAccesses at or above the threshold (DAMON's working set; 1 unless told otherwise). */
  workingSetBytes(minNrAccesses = 1): number {
    return estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses).pages * this.pageSize;
  }

  /** The same with an interval of 95 %; undefined where nothing is known of that, as with the `damon` adaptation. */
  workingSet(minNrAccesses = 1): WorkingSet | undefined {
    if (!this.columns.samples) return undefined;
    const { pages, low, high } = estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses);
    return {
      bytes: pages * this.pageSize,
      lowBytes: low * this.pageSize,
      highBytes: high * this.pageSize,
    };
  }
}
