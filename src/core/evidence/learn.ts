import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import { DIFFERENT, isDifferenceAbove, isMixed, possibleRate, SURE } from './significance.js';

// Step 1, learn: what this aggregation interval's answers, added to those before, say about the rate of each row.

/** A row remembers this many samples, or those of this many aggregation intervals if that is more. */
const MEMORY_SAMPLES = 200;
const MEMORY_ROUNDS = 10;
/** The mean rate of the target counts as much as this many samples of a row. */
const LEANING = 20;
/** The factor between the odds before a change and after it that the cumulative sums look for. */
const TIMES = 5;
/** What each row must contribute to a joint change. */
const FOR_EACH = 1;
/** After a joint change each row knows this many samples of all of them; alone it could not be told from the ground. */
const SHARED = 8;
/** What is remembered of a cell fades by this part in an aggregation interval. */
const FADE = 1 / 256;
/** Rows of at least this many cells are recorded in them. */
export const LEAST_CELLS = 2;
/** In rows of at least this many, cells tell parts from the rest. */
export const LEAST_WITH_PARTS = 4;

/** The evidence of each row of a table: remembered and new answers, or only the new ones if the row has changed. */
export class Memory {
  hits = new Float64Array(0);
  trials = new Float64Array(0);
  /** The latest of these, while they lean to one side of the others: the row may be about to change. */
  pendingHits = new Float64Array(0);
  pendingTrials = new Float64Array(0);
  /** Answers of this aggregation interval. */
  fresh = new Uint8Array(0);
  freshHits = new Uint8Array(0);
  /** 1 if the new answers contradict what was remembered. */
  hasChanged = new Uint8Array(0);
  /** Answers that a row may have. */
  places = 0;
  /** How much likelier the pending answers are at a fifth of the odds (log). */
  #toSmaller = new Float64Array(0);
  /** The mean rate of all pages in this aggregation interval, never exactly 0 or 1. */
  #meanRate = 0.5;

  /** Takes about 50 ns a row. */
  read(table: RegionTable): void {
    const { count, evidence, maxNrAccesses, startPage, endPage } = table;
    const { answers, answersPerRegion, kind } = evidence!;
    if (this.hits.length < count) this.#grow(table.capacity);
    this.places = Math.min(answersPerRegion, maxNrAccesses);
    let [weighted, pages, asked] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      let [hits, trials] = [0, 0];
      for (let at = i * answersPerRegion, end = at + this.places; at < end; at++) {
        if (answers[at] === 0) continue;
        trials++;
        if (answers[at]! > 0) hits++;
      }
      this.fresh[i] = trials;
      this.freshHits[i] = hits;
      if (trials > 0 && kind[i] === RowKind.PLAIN) {
        const size = endPage[i]! - startPage[i]!;
        weighted += (size * hits) / trials;
        pages += size;
        asked += trials;
      }
      this.#learn(table, i);
    }
    this.#changeTogether(table);
    this.#meanRate = possibleRate(pages > 0 ? (weighted / pages) * asked : asked / 2, asked);
  }

  /** The rate that a row was taken to have. A row with few samples or hits leans to the rate of the target. */
  expected(hits: number, trials: number): number {
    return 2 * hits > trials
      ? possibleRate(hits, trials)
      : (hits + LEANING * this.#meanRate) / (trials + LEANING);
  }

  #learn({ evidence }: RegionTable, i: number): void {
    const { hits, trials, pendingHits, pendingTrials, kind } = evidence!;
    const now = this.fresh[i]!;
    const nowHits = this.freshHits[i]!;
    let news = pendingTrials[i]!;
    let newHits = pendingHits[i]!;
    let known = trials[i]!;
    let knownHits = hits[i]!;
    let isPending = false;
    this.hasChanged[i] = 0;
    this.#toSmaller[i] = 0;
    if (now === 0 || kind[i] === RowKind.PROBE) {
      this.#set(i, knownHits, known, newHits, news);
      return;
    }
    if (knownHits + nowHits === 0 || (knownHits === known && nowHits === now)) {
      // Most rows are never hit, or always.
      news = now;
      newHits = nowHits;
    } else {
      known -= news;
      knownHits -= newHits;
      const rate = known > 0 ? possibleRate(knownHits, known) : 0;
      const larger = Math.max(0, forLarger(newHits, news, rate));
      const smaller = Math.max(0, forSmaller(newHits, news, rate));
      const toLarger = larger + forLarger(nowHits, now, rate);
      const toSmaller = smaller + forSmaller(nowHits, now, rate);
      if ((toLarger > toSmaller ? larger : smaller) === 0) {
        // The new answers lean to the other side, if to any: the pending ones were chance.
        known = trials[i]!;
        knownHits = hits[i]!;
        news = newHits = 0;
      }
      news += now;
      newHits += nowHits;
      if (known > 0) {
        this.#toSmaller[i] = toSmaller;
        if (isDifferenceAbove(DIFFERENT, newHits, news, knownHits, known)) {
          this.hasChanged[i] = 1;
          known = knownHits = 0;
        }
      }
      isPending = news < known && Math.max(toLarger, toSmaller) > 0;
    }
    // Old samples fade, so that no more are remembered than may be.
    const most = Math.max(MEMORY_SAMPLES, MEMORY_ROUNDS * now);
    const fade = known <= most - news ? 1 : Math.max(0, (most - news) / known);
    this.#set(
      i,
      knownHits * fade + newHits,
      known * fade + news,
      isPending ? newHits : 0,
      isPending ? news : 0,
    );
  }

  /**
   * Pieces of a range that was hot may each have too few samples to show soon that it no longer is; together they show it
   * at once. Rows that become hotter need no such test: their hits are surprises.
   *
   * The gains of neighbours add up while their sum is above 0, and count up to where it was largest.
   */
  #changeTogether({ count, startPage, endPage, evidence }: RegionTable): void {
    let [sum, from, most, to] = [0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const touches = i > 0 && endPage[i - 1] === startPage[i];
      if (touches && evidence!.kind[i] !== RowKind.PLAIN) continue;
      const more = this.#toSmaller[i]! - FOR_EACH;
      if (touches && sum + more > 0) {
        sum += more;
      } else {
        if (most > SURE) this.#change(from, to);
        [sum, from, most] = [Math.max(0, more), more > 0 ? i : i + 1, 0];
      }
      if (sum > most) [most, to] = [sum, i + 1];
    }
    if (most > SURE) this.#change(from, to);
  }

  /** Only what rows [from, to) say now is known of them. */
  #change(from: number, to: number): void {
    const { hits, trials, pendingHits, pendingTrials, hasChanged } = this;
    if (to - from < 2) return;
    let [allHits, all] = [0, 0];
    for (let i = from; i < to; i++) {
      allHits += pendingHits[i]!;
      all += pendingTrials[i]!;
    }
    for (let i = from; i < to; i++) {
      const news = pendingTrials[i]!;
      if (news === 0) continue;
      const shared = Math.max(0, Math.min(SHARED, all) - news);
      hasChanged[i] = 1;
      trials[i] = news + shared;
      hits[i] = pendingHits[i]! + (shared * allHits) / all;
      pendingHits[i] = pendingTrials[i] = 0;
    }
  }

  #set(i: number, hits: number, trials: number, pendingHits: number, pendingTrials: number): void {
    this.hits[i] = hits;
    this.trials[i] = trials;
    this.pendingHits[i] = pendingHits;
    this.pendingTrials[i] = pendingTrials;
  }

  #grow(rows: number): void {
    this.hits = new Float64Array(rows);
    this.trials = new Float64Array(rows);
    this.pendingHits = new Float64Array(rows);
    this.pendingTrials = new Float64Array(rows);
    this.#toSmaller = new Float64Array(rows);
    this.fresh = new Uint8Array(rows);
    this.freshHits = new Uint8Array(rows);
    this.hasChanged = new Uint8Array(rows);
  }
}

// Page's cumulative sums (Biometrika 41, 1954), one for odds five times as large, one for a fifth: each answer adds the
// logarithm of how much likelier it is at those odds. A sum that falls to 0 starts again, so that answers from before a
// change do not weigh against it.

const FOR_HIT = Math.log(TIMES);
const STEPS = 1_024;
/** By the rate before: what a sample takes from the sum for larger odds, and adds to the sum for smaller ones. */
const LARGER = byRate((rate) => Math.log(1 + (TIMES - 1) * rate));
const SMALLER = byRate((rate) => -Math.log(1 - (1 - 1 / TIMES) * rate));

function forLarger(hits: number, trials: number, rate: number): number {
  return hits * FOR_HIT - trials * LARGER[Math.round(rate * STEPS)]!;
}

function forSmaller(hits: number, trials: number, rate: number): number {
  return trials * SMALLER[Math.round(rate * STEPS)]! - hits * FOR_HIT;
}

function byRate(of: (rate: number) => number): Float64Array {
  return Float64Array.from({ length: STEPS + 1 }, (_, i) => of(i / STEPS));
}

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
}
