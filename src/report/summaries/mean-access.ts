import type { Snapshot } from '../../core/snapshot.js';
import { heatOf, seenPagesOf, sizeOf } from '../../core/working-set.js';
import { GrowingFloats } from './time-series.js';

/** A range of pages and its access share, 0 .. 1, over the time in which it lay in a region. */
export interface MeanRegion {
  readonly startPage: number;
  readonly endPage: number;
  readonly share: number;
  /** The part of its pages that were in memory and could be seen, 0 .. 1; 1 where that is not known. */
  readonly resident: number;
  readonly seenUs: number;
}

/** Ranges that are kept of a process: at least so many, and so many times as many as it has regions. */
const MIN_RANGES = 256;
const RANGES_A_REGION = 8;
/** Edges that are gathered before they are put in order, for each range that is kept. */
const EDGES_A_RANGE = 8;
/** How far the shares of neighbours may differ, at first, where there are too many ranges. */
const FIRST_TOLERANCE = 1e-3;
/** A smaller share is what rounding has left over. */
const SMALLEST_SHARE = 1e-9;

/**
 * The access share of every page over time. Regions begin and end elsewhere in every snapshot, so it is edges that are
 * gathered: by how much the sums change there. Now and then they are put in order, and neighbours that look alike made one.
 */
export class MeanAccess {
  #pages = new GrowingFloats();
  /** At each edge, by how much the sums of share x time, of resident x time, and of the time change from there on. */
  #accessed = new GrowingFloats();
  #resident = new GrowingFloats();
  #seen = new GrowingFloats();
  #maxRanges = MIN_RANGES;

  add({ columns, maxNrAccesses, startUs, endUs }: Snapshot): void {
    const { startPages, endPages } = columns;
    const us = Math.max(1, endUs - startUs);
    let [before, residentBefore] = [0, 0];
    for (let i = 0; i < startPages.length; i++) {
      const accessed = heatOf(columns, i, maxNrAccesses) * us;
      const resident = Math.min(1, seenPagesOf(columns, i) / sizeOf(columns, i)) * us;
      const touches = i > 0 && endPages[i - 1] === startPages[i];
      if (!touches) this.#addEdge(startPages[i]!, accessed, resident, us);
      else this.#addEdge(startPages[i]!, accessed - before, resident - residentBefore, 0);
      if (endPages[i] !== startPages[i + 1]) this.#addEdge(endPages[i]!, -accessed, -resident, -us);
      [before, residentBefore] = [accessed, resident];
    }
    this.#maxRanges = Math.max(this.#maxRanges, RANGES_A_REGION * startPages.length);
    if (this.#pages.length > EDGES_A_RANGE * this.#maxRanges) this.#thinOut();
  }

  /** In address order. Of one snapshot they are its regions. */
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
    // As of a snapshot: neighbours that touch have one edge together.
    for (let i = 0; i < ranges.length; i++) {
      const { startPages, endPages, shares, residents, seenUs } = ranges;
      const us = seenUs[i]!;
      const touches = i > 0 && endPages[i - 1] === startPages[i];
      const [accessed, resident] = [shares[i]! * us, residents[i]! * us];
      const usBefore = touches ? seenUs[i - 1]! : 0;
      const accessedBefore = touches ? shares[i - 1]! * usBefore : 0;
      const residentBefore = touches ? residents[i - 1]! * usBefore : 0;
      this.#addEdge(startPages[i]!, accessed - accessedBefore, resident - residentBefore, us - usBefore);
      if (endPages[i] !== startPages[i + 1] || i + 1 === ranges.length)
        this.#addEdge(endPages[i]!, -accessed, -resident, -us);
    }
  }
}

/** In order, each once: numbers alone are sorted several times as fast as what lies at them. */
function distinct(pages: Float64Array): Float64Array {
  pages.sort();
  let count = 0;
  for (let i = 0; i < pages.length; i++) {
    if (i === 0 || pages[i] !== pages[count - 1]) pages[count++] = pages[i]!;
  }
  return pages.subarray(0, count);
}

/** Where a page is that is among them. */
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
 * Neighbours that touch made one where their shares differ by no more than `tolerance`, with the mean share weighted by
 * size. What was never accessed stays apart from what was.
 */
export function mergeAlike(regions: readonly MeanRegion[], tolerance: number): MeanRegion[] {
  const ranges = new Ranges(regions.length);
  for (const { startPage, endPage, share, resident, seenUs } of regions)
    ranges.add(startPage, endPage, share, resident, seenUs);
  ranges.mergeAlike(tolerance);
  return ranges.regions();
}

/** Some ten thousand, made anew after every few snapshots: as objects they would keep the garbage collector busy. */
class Ranges {
  readonly startPages: Float64Array;
  readonly endPages: Float64Array;
  readonly shares: Float64Array;
  readonly residents: Float64Array;
  readonly seenUs: Float64Array;
  length = 0;

  constructor(limit: number) {
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
