import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import type { Memory } from './learn.js';
import type { Rows } from './rows.js';
import { difference, HINT, isDifferenceAbove, isMixed } from './significance.js';

/** What is remembered of a cell fades by this part in an aggregation interval. */
const FADE = 1 / 256;
/** Rows of at least this many cells are recorded in them. */
export const LEAST_CELLS = 2;
/** Parts are looked for in rows of at least this many cells, */
export const LEAST_WITH_PARTS = 4;
/** with this many hits and misses: a few hits on cold ground are surprises, which probes follow, */
const LEAST_OF_BOTH = 8;
/** and with odds this many times those of the row. */
const ODDS = [2, 5, 16, 1 / 2, 1 / 5, 1 / 16] as const;

/**
 * Where in large mixed rows the hits were, over many aggregation intervals: all pages of a target in as many equal cells as
 * its table may have rows. One interval says too little about a range hit one time in five on ground hit one time in
 * twenty, and the memory of a row does not say where in it the hits were.
 *
 * Places are pages of the target, counted without the holes between its ranges.
 */
export class Cells {
  /** Pages of a cell. */
  pages = 1;
  /** The part that findPart() has found. */
  readonly part = { start: 0, end: 0 };
  /** Hits and samples of all cells before each. */
  #hits = new Float64Array(1);
  #trials = new Float64Array(1);

  /** Adds the answers of an aggregation interval. Takes about 3 ns a cell, and 3 ns for each answer of a large row. */
  read(table: RegionTable, memory: Memory): void {
    const { evidence, capacity, startPage, endPage, count } = table;
    const { cellHits, cellTrials, kind, answers, answersPerRegion } = evidence!;
    const cellPages = table.totalPages() / capacity;
    if (table.cellPages !== cellPages) {
      // The mappings have changed: what is remembered belongs to other pages.
      cellHits.fill(0);
      cellTrials.fill(0);
      table.cellPages = cellPages;
    }
    for (let c = 0; c < capacity; c++) {
      cellHits[c]! *= 1 - FADE;
      cellTrials[c]! *= 1 - FADE;
    }
    for (let i = 0, before = 0, size = 0; i < count; i++, before += size) {
      const start = startPage[i]!;
      size = endPage[i]! - start;
      if (size < LEAST_CELLS * cellPages || kind[i] !== RowKind.PLAIN) continue;
      if (memory.hasChanged[i] === 1) {
        const first = Math.ceil(before / cellPages);
        const after = Math.floor((before + size) / cellPages);
        cellHits.fill(0, first, after);
        cellTrials.fill(0, first, after);
      }
      if (memory.fresh[i] === 0 || !isMixed(memory.hits[i]!, memory.trials[i]!)) continue;
      for (let at = i * answersPerRegion, last = at + memory.places; at < last; at++) {
        const answer = answers[at]!;
        const page = Math.abs(answer) - 1 - start;
        if (answer === 0 || page < 0 || page >= size) continue;
        const c = Math.min(capacity - 1, Math.floor((before + page) / cellPages));
        cellTrials[c]!++;
        if (answer > 0) cellHits[c]!++;
      }
    }
    this.load(table);
  }

  /** Makes the cells of a target available to the other methods. */
  load({ cellPages, capacity, evidence }: RegionTable): void {
    const { cellHits, cellTrials } = evidence!;
    if (this.#hits.length <= capacity) {
      this.#hits = new Float64Array(capacity + 1);
      this.#trials = new Float64Array(capacity + 1);
    }
    this.pages = cellPages;
    for (let c = 0; c < capacity; c++) {
      this.#hits[c + 1] = this.#hits[c]! + cellHits[c]!;
      this.#trials[c + 1] = this.#trials[c]! + cellTrials[c]!;
    }
  }

  /** The first cell that starts at this place or after it. */
  firstIn(start: number): number {
    return Math.ceil(start / this.pages);
  }

  /** The cell after the last that ends at this place or before it. */
  lastIn(end: number): number {
    return Math.floor(end / this.pages);
  }

  /** Of cells [first, after). */
  hits(first: number, after: number): number {
    return after > first ? this.#hits[after]! - this.#hits[first]! : 0;
  }

  trials(first: number, after: number): number {
    return after > first ? this.#trials[after]! - this.#trials[first]! : 0;
  }

  /** Whether cells tell two parts of the target apart, [a, b) and [c, d). */
  areDifferent(level: number, a: number, b: number, c: number, d: number): boolean {
    const [firstA, afterA] = [this.firstIn(a), this.lastIn(b)];
    const [firstB, afterB] = [this.firstIn(c), this.lastIn(d)];
    const trialsA = this.trials(firstA, afterA);
    const trialsB = this.trials(firstB, afterB);
    if (trialsA === 0 || trialsB === 0) return false;
    return isDifferenceAbove(level, this.hits(firstA, afterA), trialsA, this.hits(firstB, afterB), trialsB);
  }

  /**
   * Finds the part of row `i` that most likely has a rate of its own. Takes about 10 ns a cell.
   *
   * @param before pages of the target before the row
   */
  findPart(rows: Rows, i: number, before: number): boolean {
    const size = rows.size(i);
    if (size < LEAST_WITH_PARTS * this.pages || !rows.isMixed(i)) return false;
    const first = this.firstIn(before);
    const after = this.lastIn(before + size);
    const hits = this.hits(first, after);
    const trials = this.trials(first, after);
    if (Math.min(hits, trials - hits) < LEAST_OF_BOTH || !isMixed(hits, trials)) return false;
    const odds = hits / (trials - hits);
    let [best, bestFrom, bestTo] = [HINT, 0, 0];
    for (const ratio of ODDS) {
      const forMiss = Math.log((1 + odds) / (1 + odds * ratio));
      const forHit = Math.log(ratio) + forMiss;
      // The run of cells with the largest sum.
      let [sum, most, from, mostFrom, mostTo] = [0, 0, first, 0, 0];
      for (let c = first; c < after; c++) {
        const its = this.hits(c, c + 1);
        sum += its * forHit + (this.trials(c, c + 1) - its) * forMiss;
        if (sum <= 0) [sum, from] = [0, c + 1];
        else if (sum > most) [most, mostFrom, mostTo] = [sum, from, c + 1];
      }
      const within = this.hits(mostFrom, mostTo);
      const of = this.trials(mostFrom, mostTo);
      if (of === 0 || of === trials) continue;
      const gain = difference(within, of, hits - within, trials - of);
      if (gain > best) [best, bestFrom, bestTo] = [gain, mostFrom, mostTo];
    }
    if (bestTo === 0) return false;
    const { part } = this;
    const start = rows.start[i]! - before;
    part.start = Math.max(rows.start[i]!, start + Math.round(bestFrom * this.pages));
    part.end = Math.min(rows.end[i]!, start + Math.round(bestTo * this.pages));
    return part.end > part.start;
  }
}
