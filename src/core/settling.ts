import type { RegionTable } from './region-table.js';

/** Regions never count as settled before the first number of aggregation intervals, and always after the second. */
const FEWEST = 10;
const MOST = 60;
/** The latest intervals that are looked at, beside as many before them. */
const COMPARED = 5;
/** The working set has settled once the latest differ by no more than this share, */
const DIFFER = 0.1;
/** or their mean from that of those before by no more than this one. */
const MEANS_DIFFER = 0.05;

/**
 * Whether the regions of a target are still being found. They begin as a few large ones, of which one hit counts all, so
 * the working set starts several times too large and shrinks while they are split and merged. It has settled when it stays
 * about the same: from each of the latest intervals to the next, or, for programs whose working set never does, on average.
 * Growth is a change, too: where a target does nothing for a moment its regions are merged, and found once more.
 */
export class Settling {
  /** Pages in accessed regions, of the latest intervals, the last at the end. */
  readonly #pages: number[] = [];
  #intervals = 0;
  #hasSettled: boolean;

  /** @param isExact what is delivered needs no settling */
  constructor(isExact: boolean) {
    this.#hasSettled = isExact;
  }

  get isSettling(): boolean {
    return !this.#hasSettled;
  }

  /** Takes the regions of a target at the end of an aggregation interval, after the merge. */
  add({ startPage, endPage, nrAccesses, count }: RegionTable): void {
    if (this.#hasSettled) return;
    let pages = 0;
    for (let i = 0; i < count; i++) if (nrAccesses[i]! > 0) pages += endPage[i]! - startPage[i]!;
    this.#pages.push(pages);
    if (this.#pages.length > 2 * COMPARED) this.#pages.shift();
    this.#intervals++;
    this.#hasSettled = this.#intervals >= MOST || (this.#intervals >= FEWEST && this.#isSteady());
  }

  #isSteady(): boolean {
    const latest = this.#pages.slice(-COMPARED);
    const largest = Math.max(...latest);
    if (largest - Math.min(...latest) <= DIFFER * largest) return true;
    const [before, after] = [sum(this.#pages.slice(0, COMPARED)), sum(latest)];
    return Math.abs(after - before) <= MEANS_DIFFER * before;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
