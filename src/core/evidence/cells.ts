import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import { isDifferenceAbove } from './likelihood.js';
import type { Memory } from './memory.js';

/** What is remembered of a cell fades by this part in an aggregation interval. */
const FADE = 1 / 256;
/** Rows whose rate times its rest is below this are read without cells: there a single answer is a surprise. */
const MIXED = 0.02;
const VERY_MIXED = 0.1;
/** Rows of fewer cells know as well where their ends are. */
export const LEAST_CELLS = 2;

/**
 * Where in large rows that are hit now and then the hits were, over many aggregation intervals: the pages of a target in as
 * many equal cells as its table may have rows. One interval tells too little of a range that is hit one time in five on
 * ground that is hit one time in twenty; and what is remembered of a row says nothing of where in it that was.
 *
 * All places are in pages of the target, counted without the holes between its regions.
 */
export class Cells {
  /** Pages of a cell. */
  pages = 1;
  /** Hits and samples of all cells before each. */
  #hits = new Float64Array(1);
  #trials = new Float64Array(1);

  /** Takes in the answers of an aggregation interval. Some 3 ns a cell, and 3 ns a place for answers of a large row. */
  read(table: RegionTable, memory: Memory): void {
    const { evidence, capacity, startPage, endPage, count } = table;
    const { cellHits, cellTrials, kind, answers, answersPerRegion } = evidence!;
    const total = table.totalPages();
    if (table.cellPages !== total / capacity) {
      // Other mappings: what is remembered is of other pages.
      cellHits.fill(0);
      cellTrials.fill(0);
      table.cellPages = total / capacity;
    }
    const { cellPages } = table;
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
        if (answer === 0) continue;
        const page = Math.abs(answer) - 1 - start;
        if (page < 0 || page >= size) continue;
        const c = Math.min(capacity - 1, Math.floor((before + page) / cellPages));
        cellTrials[c]!++;
        if (answer > 0) cellHits[c]!++;
      }
    }
    this.load(table);
  }

  /** Makes ready what the others need of a target. */
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

  /** The first whole cell from a place on, and the first that is not whole before it. */
  firstIn(start: number): number {
    return Math.ceil(start / this.pages);
  }

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

  /** Whether what cells remember of two parts is more than `bound` likelier at two rates. */
  areDifferent(bound: number, startA: number, endA: number, startB: number, endB: number): boolean {
    const [firstA, afterA] = [this.firstIn(startA), this.lastIn(endA)];
    const [firstB, afterB] = [this.firstIn(startB), this.lastIn(endB)];
    const trialsA = this.trials(firstA, afterA);
    const trialsB = this.trials(firstB, afterB);
    if (trialsA === 0 || trialsB === 0) return false;
    return isDifferenceAbove(bound, this.hits(firstA, afterA), trialsA, this.hits(firstB, afterB), trialsB);
  }
}

/** Whether it was hit as often as not, about. */
export function isVeryMixed(hits: number, trials: number): boolean {
  return hits * (trials - hits) > VERY_MIXED * trials * trials;
}

/** Whether it takes many samples to tell a part of such a row from it. */
export function isMixed(hits: number, trials: number): boolean {
  return hits * (trials - hits) > MIXED * trials * trials;
}
