import type { RegionTable } from './region-table.js';

/** Aggregation intervals before which regions never count as settled, and after which they always do. */
const FEWEST = 10;
const MOST = 60;
/** Compares this many latest intervals, and as many before them. */
const COMPARED = 5;
/** Settled if the latest intervals differ by no more than this share, ... */
const DIFFER = 0.1;
/** ... or if their mean differs by no more than this share from the mean of those before. */
const MEANS_DIFFER = 0.05;

/**
 * Whether a target's regions are still settling. They start as a few large ones, and one hit counts the whole region. So the
 * working set starts several times too large, and shrinks while regions are split and merged.
 *
 * It has settled when it stays about the same over the latest intervals. For programs whose working set always varies, a
 * steady mean is enough. Growth counts as a change, too: the regions of a target that pauses are merged, and found again
 * later.
 */
export class Settling {
  /** Pages in accessed regions in each of the latest intervals, the newest last. */
  readonly #pages: number[] = [];
  #intervals = 0;
  #hasSettled: boolean;

  /** @param isExact true for delivered regions, which need no settling */
  constructor(isExact: boolean) {
    this.#hasSettled = isExact;
  }

  get isSettling(): boolean {
    return !this.#hasSettled;
  }

  /** Adds the regions of a target at the end of an aggregation interval, after the merge. */
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
