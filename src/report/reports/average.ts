import type { Snapshot } from '../../core/snapshot.js';
import { GrowingFloats } from './growing-floats.js';

/** A range of pages and its access share, 0 .. 1, over the time in which it lay in a region. */
export interface AverageRegion {
  readonly startPage: number;
  readonly endPage: number;
  readonly share: number;
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
export class AverageAccess {
  #pages = new GrowingFloats();
  /** At each edge, by how much the sum of share x time, and that of the time, changes from there on. */
  #accessed = new GrowingFloats();
  #seen = new GrowingFloats();
  #maxRanges = MIN_RANGES;

  add({ columns, maxNrAccesses, startUs, endUs }: Snapshot): void {
    const { startPages, endPages, nrAccesses } = columns;
    const us = Math.max(1, endUs - startUs);
    let before = 0;
    for (let i = 0; i < startPages.length; i++) {
      const accessed = (nrAccesses[i]! / maxNrAccesses) * us;
      const touches = i > 0 && endPages[i - 1] === startPages[i];
      if (!touches) this.#addEdge(startPages[i]!, accessed, us);
      else this.#addEdge(startPages[i]!, accessed - before, 0);
      if (endPages[i] !== startPages[i + 1]) this.#addEdge(endPages[i]!, -accessed, -us);
      before = accessed;
    }
    this.#maxRanges = Math.max(this.#maxRanges, RANGES_A_REGION * startPages.length);
    if (this.#pages.length > EDGES_A_RANGE * this.#maxRanges) this.#thinOut();
  }

  /** In address order. Of one snapshot they are its regions. */
  regions(): AverageRegion[] {
    const order = Uint32Array.from({ length: this.#pages.length }, (_, i) => i);
    order.sort((a, b) => this.#pages.at(a) - this.#pages.at(b));
    const regions: AverageRegion[] = [];
    let accessed = 0;
    let seenUs = 0;
    for (let i = 0; i + 1 < order.length; i++) {
      accessed += this.#accessed.at(order[i]!);
      seenUs += this.#seen.at(order[i]!);
      const startPage = this.#pages.at(order[i]!);
      const endPage = this.#pages.at(order[i + 1]!);
      if (endPage === startPage || seenUs <= 0) continue;
      const share = accessed < SMALLEST_SHARE * seenUs ? 0 : Math.min(1, accessed / seenUs);
      regions.push({ startPage, endPage, share, seenUs });
    }
    return regions;
  }

  #addEdge(page: number, accessed: number, us: number): void {
    this.#pages.push(page);
    this.#accessed.push(accessed);
    this.#seen.push(us);
  }

  #thinOut(): void {
    let regions = mergeAlike(this.regions(), 0);
    for (let tolerance = FIRST_TOLERANCE; regions.length > this.#maxRanges && tolerance < 1; tolerance *= 2) {
      regions = mergeAlike(regions, tolerance);
    }
    this.#pages = new GrowingFloats();
    this.#accessed = new GrowingFloats();
    this.#seen = new GrowingFloats();
    for (const { startPage, endPage, share, seenUs } of regions) {
      this.#addEdge(startPage, share * seenUs, seenUs);
      this.#addEdge(endPage, -share * seenUs, -seenUs);
    }
  }
}

/**
 * Neighbours that touch made one where their shares differ by no more than `tolerance`, with the mean share weighted by
 * size. What was never accessed stays apart from what was.
 */
export function mergeAlike(regions: readonly AverageRegion[], tolerance: number): AverageRegion[] {
  const merged: AverageRegion[] = [];
  for (const region of regions) {
    const last = merged.at(-1);
    const isAlike =
      last !== undefined &&
      last.endPage === region.startPage &&
      Math.abs(last.share - region.share) <= tolerance &&
      last.share > 0 === region.share > 0;
    if (isAlike) merged[merged.length - 1] = together(last, region);
    else merged.push(region);
  }
  return merged;
}

function together(a: AverageRegion, b: AverageRegion): AverageRegion {
  const [pagesOfA, pagesOfB] = [a.endPage - a.startPage, b.endPage - b.startPage];
  const mean = (ofA: number, ofB: number) => (ofA * pagesOfA + ofB * pagesOfB) / (pagesOfA + pagesOfB);
  return {
    startPage: a.startPage,
    endPage: b.endPage,
    share: mean(a.share, b.share),
    seenUs: mean(a.seenUs, b.seenUs),
  };
}
