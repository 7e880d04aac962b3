import type { RegionTable } from './region-table.js';

/** Regions are never taken for settled before so many aggregation intervals, and always after this many. */
const FEWEST = 10;
const MOST = 60;
/** Means of so many intervals are compared. */
const COMPARED = 5;
/** The working set has settled once it shrinks by no more than this share from one mean to the next. */
const SHRINKS = 0.1;

/**
 * Whether the regions of a target are still being found. They begin as a few large ones, of which one hit counts all, so
 * the working set starts several times too large and shrinks while they are split and merged. It has settled when it stops
 * shrinking; that it grows afterwards is the program's doing.
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
    const [before, latest] = [this.#sum(0, COMPARED), this.#sum(COMPARED, 2 * COMPARED)];
    this.#hasSettled =
      this.#intervals >= MOST || (this.#intervals >= FEWEST && latest >= (1 - SHRINKS) * before);
  }

  #sum(from: number, to: number): number {
    return this.#pages.slice(from, to).reduce((sum, pages) => sum + pages, 0);
  }
}
