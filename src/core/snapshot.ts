import { PagepulseError } from './errors.js';
import { brokenRule, numberIn } from './rules.js';
import type { SnapshotColumns } from './snapshot-columns.js';
import type { MonitorStats } from './stats.js';
import type { TargetInfo } from './target.js';
import { estimateWorkingSet, sizeOf } from './working-set.js';

/** One region, in bytes. User addresses are exact, because a number holds every multiple of the page size. */
export interface Region {
  readonly startAddress: number;
  readonly endAddress: number;
  /** Sampling intervals in which its sampled page was accessed: 0 .. snapshot.maxNrAccesses. */
  readonly nrAccesses: number;
  /** Aggregation intervals for which nrAccesses has stayed about the same. */
  readonly age: number;
  /** `evidence` only: the number of samples behind its nrAccesses, including earlier intervals. */
  readonly samples?: number;
  /** Bytes that it covers: all from start to end, unless it reaches over gaps between mappings. */
  readonly mappedBytes: number;
  /** Bytes in memory; absent if unknown. */
  readonly residentBytes?: number;
  /** Resident bytes that the check cannot see; absent if unknown. */
  readonly unseenBytes?: number;
  /** Exact number of bytes accessed in the interval; only from a check that counts them (`referenced`). */
  readonly accessedBytes?: number;
}

/** An estimate of the working set with its 95 % confidence interval (docs/adaptation.md says which errors it covers). */
export interface WorkingSet {
  readonly bytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** Everything in a snapshot besides its columns. */
export interface SnapshotHeader {
  readonly target: TargetInfo;
  /** The access check that was used. */
  readonly check: string;
  /** In bytes. */
  readonly pageSize: number;
  /** Start and end of the aggregation interval, in microseconds since the monitor started. */
  readonly startUs: number;
  readonly endUs: number;
  /** The nrAccesses of a region that was accessed in every sampling interval: aggregation / sampling interval. */
  readonly maxNrAccesses: number;
  /** Resident memory of the whole process in bytes, including hugetlb, when last read; undefined if unknown. */
  readonly residentBytes?: number | undefined;
  /** Whether the regions are still settling: the working set may be several times too large. */
  readonly isSettling?: boolean | undefined;
  /** The monitor's counters and cost when this was published. */
  readonly stats: MonitorStats;
}

/**
 * If less than this share of the covered addresses is resident, samples rarely hit memory and regions never close in on it.
 * The figures mean nothing then.
 */
const LEAST_RESIDENT_SHARE = 1 / 1_000;

const THRESHOLD = { minNrAccesses: numberIn(0, Number.POSITIVE_INFINITY, 'a number, 0 or more') };

function requireThreshold(minNrAccesses: number): void {
  const broken = brokenRule({ minNrAccesses }, THRESHOLD);
  if (broken) throw new PagepulseError('ATTRS', broken);
}

/** One target's regions at the end of one aggregation interval. Immutable. */
export class Snapshot implements SnapshotHeader {
  readonly target: TargetInfo;
  readonly check: string;
  readonly pageSize: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly residentBytes: number | undefined;
  readonly isSettling: boolean;
  readonly stats: MonitorStats;
  /** The regions as columns, for code that reads many of them. */
  readonly columns: SnapshotColumns;
  #regions: readonly Region[] | undefined;

  constructor(header: SnapshotHeader, columns: SnapshotColumns) {
    this.target = header.target;
    this.check = header.check;
    this.pageSize = header.pageSize;
    this.startUs = header.startUs;
    this.endUs = header.endUs;
    this.maxNrAccesses = header.maxNrAccesses;
    this.residentBytes = header.residentBytes;
    this.isSettling = header.isSettling ?? false;
    this.stats = header.stats;
    this.columns = columns;
  }

  /** The regions as objects, created on first use. */
  get regions(): readonly Region[] {
    const { columns, pageSize } = this;
    const { samples, residentPages, unseenPages, accessedPages } = columns;
    this.#regions ??= Array.from(columns.startPages, (startPage, i) => ({
      startAddress: startPage * pageSize,
      endAddress: columns.endPages[i]! * pageSize,
      nrAccesses: columns.nrAccesses[i]!,
      age: columns.ages[i]!,
      mappedBytes: sizeOf(columns, i) * pageSize,
      ...(samples && { samples: samples[i]! }),
      ...(residentPages && { residentBytes: residentPages[i]! * pageSize }),
      ...(unseenPages && { unseenBytes: unseenPages[i]! * pageSize }),
      ...(accessedPages && { accessedBytes: accessedPages[i]! * pageSize }),
    }));
    return this.#regions;
  }

  /**
   * The working set in bytes: DAMON's sum over regions with nrAccesses at or above the threshold. Counts a region's accessed
   * bytes if the check counts them, else its resident bytes. Never more than the resident memory of the process. Meaningless
   * if `isKnown` is false.
   *
   * @param minNrAccesses 0 or more; default 1
   * @throws PagepulseError `ATTRS`
   */
  workingSetBytes(minNrAccesses = 1): number {
    requireThreshold(minNrAccesses);
    return Math.round(
      this.#bytesOf(estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses).pages),
    );
  }

  /** Bytes in memory that the check cannot see; neither accessed nor cold. */
  unseenBytes(): number {
    const { unseenPages } = this.columns;
    return Math.round(this.#bytesOf(unseenPages ? unseenPages.reduce((sum, pages) => sum + pages, 0) : 0));
  }

  /**
   * Whether the figures of this snapshot mean anything. False if so little of the covered addresses is resident that samples
   * rarely hit memory, as in programs that scatter their memory over the address space.
   */
  get isKnown(): boolean {
    return this.isKnownWith(this.residentBytes);
  }

  /** The same for resident memory from another source: snapshots of older records do not contain it. */
  isKnownWith(residentBytes: number | undefined): boolean {
    if (this.columns.accessedPages || residentBytes === undefined) return true;
    return residentBytes >= LEAST_RESIDENT_SHARE * this.coveredBytes;
  }

  /** Bytes of address space that the regions cover, resident or not. One pass over the regions. */
  get coveredBytes(): number {
    const { columns, pageSize } = this;
    let coveredPages = 0;
    for (let i = 0; i < columns.startPages.length; i++) coveredPages += sizeOf(columns, i);
    return coveredPages * pageSize;
  }

  #bytesOf(pages: number): number {
    return Math.min(pages * this.pageSize, this.residentBytes ?? Number.POSITIVE_INFINITY);
  }

  /**
   * The working set with its 95 % confidence interval. Undefined with the `damon` adaptation, which keeps no samples.
   *
   * @param minNrAccesses 0 or more; default 1
   * @throws PagepulseError `ATTRS`
   */
  workingSet(minNrAccesses = 1): WorkingSet | undefined {
    requireThreshold(minNrAccesses);
    if (!this.columns.samples) return undefined;
    const { pages, low, high } = estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses);
    return { bytes: this.#bytesOf(pages), lowBytes: this.#bytesOf(low), highBytes: this.#bytesOf(high) };
  }
}
