import type { Snapshot } from '../../core/snapshot.js';
import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import { heatOf, seenPagesOf, sizeOf } from '../../core/working-set.js';
import { GrowingFloats } from './time-series.js';

/** A range of pages, and its mean access share, 0 .. 1, over the time in which it lay in a region. */
export interface MeanRegion {
  readonly startPage: number;
  readonly endPage: number;
  readonly share: number;
  /** The part of its pages that were in memory and visible to the check, 0 .. 1; 1 if that is not known. */
  readonly resident: number;
  readonly seenUs: number;
}

/** Ranges that are kept of a process: at least this many, and this many for each of its regions. */
const MIN_RANGES = 256;
const RANGES_A_REGION = 8;
/** Edges that are gathered before they are merged, for each range that is kept. */
const EDGES_A_RANGE = 8;
/** How far the shares of neighbours may differ, at first, if there are too many ranges. */
const FIRST_TOLERANCE = 1e-3;
/** A smaller share is a rounding error. */
const SMALLEST_SHARE = 1e-9;

/**
 * The mean access share of every page over time. Regions start and end elsewhere in every snapshot, so this gathers edges:
 * the addresses at which the sums change, and by how much. Now and then it sorts them, and merges neighbours that are alike.
 */
export class MeanAccess {
  #pages = new GrowingFloats();
  /** By how much the sums of share x time, resident x time, and time change at each edge. */
  #accessed = new GrowingFloats();
  #resident = new GrowingFloats();
  #seen = new GrowingFloats();
  #maxRanges = MIN_RANGES;

  /** @param columns of its regions, without gaps in them */
  add(
    { columns: regions, maxNrAccesses, startUs, endUs }: Snapshot,
    columns: SnapshotColumns = regions,
  ): void {
    const { startPages, endPages } = columns;
    const us = Math.max(1, endUs - startUs);
    if (snapshotRanges.limit < startPages.length) snapshotRanges = new Ranges(2 * startPages.length);
    snapshotRanges.length = 0;
    for (let i = 0; i < startPages.length; i++) {
      const resident = Math.min(1, seenPagesOf(columns, i) / sizeOf(columns, i));
      snapshotRanges.add(startPages[i]!, endPages[i]!, heatOf(columns, i, maxNrAccesses), resident, us);
    }
    this.#addEdges(snapshotRanges);
    this.#maxRanges = Math.max(this.#maxRanges, RANGES_A_REGION * startPages.length);
    if (this.#pages.length > EDGES_A_RANGE * this.#maxRanges) this.#thinOut();
  }

  /** In address order. After one snapshot these are its regions. */
  regions(): MeanRegion[] {
    return this.#ranges().regions();
  }

  #ranges(): Ranges {
    const pages = distinct(this.#pages.all());
    const accessedBy = new Float64Array(pages.length);
    const residentBy = new Float64Array(pages.length);
    const seenBy = new Float64Array(pages.length);
    for (let i = 0; i < this.#pages.length; i++) {
      const at = placeOf(pages, this.#pages.at(i));
      accessedBy[at]! += this.#accessed.at(i);
      residentBy[at]! += this.#resident.at(i);
      seenBy[at]! += this.#seen.at(i);
    }
    const ranges = new Ranges(pages.length);
    let accessed = 0;
    let resident = 0;
    let seenUs = 0;
    for (let i = 0; i + 1 < pages.length; i++) {
      accessed += accessedBy[i]!;
      resident += residentBy[i]!;
      seenUs += seenBy[i]!;
      if (seenUs <= 0) continue;
      const share = accessed < SMALLEST_SHARE * seenUs ? 0 : Math.min(1, accessed / seenUs);
      const inMemory = resident < SMALLEST_SHARE * seenUs ? 0 : Math.min(1, resident / seenUs);
      ranges.add(pages[i]!, pages[i + 1]!, share, inMemory, seenUs);
    }
    return ranges;
  }

  /** Ranges that touch share an edge. */
  #addEdges({ startPages, endPages, shares, residents, seenUs, length }: Ranges): void {
    let [end, accessed, resident, us] = [Number.NaN, 0, 0, 0];
    for (let i = 0; i <= length; i++) {
      if (i > 0 && !(i < length && startPages[i] === end)) {
        this.#addEdge(end, -accessed, -resident, -us);
        accessed = resident = us = 0;
      }
      if (i === length) return;
      const [accessedHere, residentHere] = [shares[i]! * seenUs[i]!, residents[i]! * seenUs[i]!];
      this.#addEdge(startPages[i]!, accessedHere - accessed, residentHere - resident, seenUs[i]! - us);
      [end, accessed, resident, us] = [endPages[i]!, accessedHere, residentHere, seenUs[i]!];
    }
  }

  #addEdge(page: number, accessed: number, resident: number, us: number): void {
    this.#pages.push(page);
    this.#accessed.push(accessed);
    this.#resident.push(resident);
    this.#seen.push(us);
  }

  #thinOut(): void {
    const ranges = this.#ranges();
    ranges.mergeAlike(0);
    for (let tolerance = FIRST_TOLERANCE; ranges.length > this.#maxRanges && tolerance < 1; tolerance *= 2)
      ranges.mergeAlike(tolerance);
    this.#pages = new GrowingFloats();
    this.#accessed = new GrowingFloats();
    this.#resident = new GrowingFloats();
    this.#seen = new GrowingFloats();
    this.#addEdges(ranges);
  }
}

/** Sorted, each once: numbers alone sort several times as fast as records. */
function distinct(pages: Float64Array): Float64Array {
  pages.sort();
  let count = 0;
  for (let i = 0; i < pages.length; i++) {
    if (i === 0 || pages[i] !== pages[count - 1]) pages[count++] = pages[i]!;
  }
  return pages.subarray(0, count);
}

/** The index of a page that is among them. */
function placeOf(pages: Float64Array, page: number): number {
  let [low, high] = [0, pages.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pages[middle]! < page) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Merges neighbours that touch if their shares differ by no more than `tolerance`; means are weighted by size. Memory that
 * was never accessed stays apart.
 */
export function mergeAlike(regions: readonly MeanRegion[], tolerance: number): MeanRegion[] {
  const ranges = new Ranges(regions.length);
  for (const { startPage, endPage, share, resident, seenUs } of regions)
    ranges.add(startPage, endPage, share, resident, seenUs);
  ranges.mergeAlike(tolerance);
  return ranges.regions();
}

/** Some ten thousand, made anew after every few snapshots, so as columns: objects would keep the garbage collector busy. */
class Ranges {
  readonly startPages: Float64Array;
  readonly endPages: Float64Array;
  readonly shares: Float64Array;
  readonly residents: Float64Array;
  readonly seenUs: Float64Array;
  length = 0;

  constructor(readonly limit: number) {
    this.startPages = new Float64Array(limit);
    this.endPages = new Float64Array(limit);
    this.shares = new Float64Array(limit);
    this.residents = new Float64Array(limit);
    this.seenUs = new Float64Array(limit);
  }

  add(startPage: number, endPage: number, share: number, resident: number, seenUs: number): void {
    const i = this.length++;
    this.startPages[i] = startPage;
    this.endPages[i] = endPage;
    this.shares[i] = share;
    this.residents[i] = resident;
    this.seenUs[i] = seenUs;
  }

  mergeAlike(tolerance: number): void {
    const { startPages, endPages, shares, residents, seenUs, length } = this;
    this.length = 0;
    for (let i = 0; i < length; i++) {
      const last = this.length - 1;
      const isAlike =
        last >= 0 &&
        endPages[last] === startPages[i] &&
        Math.abs(shares[last]! - shares[i]!) <= tolerance &&
        shares[last]! > 0 === shares[i]! > 0;
      if (!isAlike) {
        this.add(startPages[i]!, endPages[i]!, shares[i]!, residents[i]!, seenUs[i]!);
        continue;
      }
      const [pages, more] = [endPages[last]! - startPages[last]!, endPages[i]! - startPages[i]!];
      residents[last] = (residents[last]! * pages + residents[i]! * more) / (pages + more);
      shares[last] = (shares[last]! * pages + shares[i]! * more) / (pages + more);
      seenUs[last] = (seenUs[last]! * pages + seenUs[i]! * more) / (pages + more);
      endPages[last] = endPages[i]!;
    }
  }

  regions(): MeanRegion[] {
    return Array.from({ length: this.length }, (_, i) => ({
      startPage: this.startPages[i]!,
      endPage: this.endPages[i]!,
      share: this.shares[i]!,
      resident: this.residents[i]!,
      seenUs: this.seenUs[i]!,
    }));
  }
}

/** The snapshot that is being added. */
let snapshotRanges = new Ranges(MIN_RANGES);
