import { PagepulseError } from './errors.js';
import { brokenRule, numberIn } from './rules.js';
import type { SnapshotColumns } from './snapshot-columns.js';
import type { MonitorStats } from './stats.js';
import type { CheckName, TargetInfo } from './target.js';
import { estimateWorkingSet, sizeOf } from './working-set.js';

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
  /** Bytes of it in memory, and of these the bytes that the check cannot see; absent where they are not known. */
  readonly residentBytes?: number;
  readonly unseenBytes?: number;
  /** Bytes accessed in the interval, exactly; only from a check that counts them (`referenced`). */
  readonly accessedBytes?: number;
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
  /** Resident memory of the whole process, hugetlb included, when it was last read; undefined if it is not known. */
  readonly residentBytes?: number | undefined;
  /** The regions of this target are still being found: the working set may be several times too large. */
  readonly isSettling?: boolean | undefined;
  /** What watching has cost when this was published. */
  readonly stats: MonitorStats;
}

/**
 * If less than this share of what the regions cover is resident, samples hardly ever meet memory, and the regions never
 * close in on it: nothing is known then.
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
  readonly check: CheckName;
  readonly pageSize: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly residentBytes: number | undefined;
  readonly isSettling: boolean;
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
    this.residentBytes = header.residentBytes;
    this.isSettling = header.isSettling ?? false;
    this.stats = header.stats;
    this.columns = columns;
  }

  /** The regions as objects, made when first asked for. */
  get regions(): readonly Region[] {
    const { columns, pageSize } = this;
    const { samples, residentPages, unseenPages, accessedPages } = columns;
    this.#regions ??= Array.from(columns.startPages, (startPage, i) => ({
      startAddress: startPage * pageSize,
      endAddress: columns.endPages[i]! * pageSize,
      nrAccesses: columns.nrAccesses[i]!,
      age: columns.ages[i]!,
      ...(samples && { samples: samples[i]! }),
      ...(residentPages && { residentBytes: residentPages[i]! * pageSize }),
      ...(unseenPages && { unseenBytes: unseenPages[i]! * pageSize }),
      ...(accessedPages && { accessedBytes: accessedPages[i]! * pageSize }),
    }));
    return this.#regions;
  }

  /**
   * Bytes in regions with nrAccesses at or above the threshold (DAMON's working set; 1 unless told otherwise): of each
   * region the bytes that were accessed where they are counted, else those that are resident, and never more than is
   * resident in all. Look at `isKnown` first.
   */
  workingSetBytes(minNrAccesses = 1): number {
    requireThreshold(minNrAccesses);
    return Math.round(
      this.#bytesOf(estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses).pages),
    );
  }

  /** Bytes in memory that the check cannot see: they are neither accessed nor cold. */
  unseenBytes(): number {
    const { unseenPages } = this.columns;
    return Math.round(this.#bytesOf(unseenPages ? unseenPages.reduce((sum, pages) => sum + pages, 0) : 0));
  }

  /**
   * Whether the samples say anything about this target. False if so little of what is covered is resident that they hardly
   * ever meet memory (programs that scatter it over the address space); no figure means anything then.
   */
  get isKnown(): boolean {
    return this.isKnownWith(this.residentBytes);
  }

  /** The same by what is known otherwise of the resident memory of the process: older records do not carry it here. */
  isKnownWith(residentBytes: number | undefined): boolean {
    if (this.columns.accessedPages || residentBytes === undefined) return true;
    return residentBytes >= LEAST_RESIDENT_SHARE * this.coveredBytes;
  }

  /** Bytes of addresses that the regions cover, resident or not. One pass over the regions. */
  get coveredBytes(): number {
    const { columns, pageSize } = this;
    let coveredPages = 0;
    for (let i = 0; i < columns.startPages.length; i++) coveredPages += sizeOf(columns, i);
    return coveredPages * pageSize;
  }

  #bytesOf(pages: number): number {
    return Math.min(pages * this.pageSize, this.residentBytes ?? Number.POSITIVE_INFINITY);
  }

  /** The same with an interval of 95 %; undefined where nothing is known of that, as with the `damon` adaptation. */
  workingSet(minNrAccesses = 1): WorkingSet | undefined {
    requireThreshold(minNrAccesses);
    if (!this.columns.samples) return undefined;
    const { pages, low, high } = estimateWorkingSet(this.columns, minNrAccesses, this.maxNrAccesses);
    return { bytes: this.#bytesOf(pages), lowBytes: this.#bytesOf(low), highBytes: this.#bytesOf(high) };
  }
}
