import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { NOT_ASKED, RowKind } from './columns.js';
import { DIFFERENT, difference, isDifferenceAbove, isMixed } from './significance.js';

const COLUMNS = [
  ...(['start', 'end', 'hits', 'trials', 'pendingHits', 'pendingTrials', 'pivot', 'blur'] as const),
  ...(['last', 'age', 'kind', 'fresh', 'planned', 'open'] as const),
] as const;

/** Rows on their way from one table to the next, in order: each step of the algorithm reads and writes these. */
export class Rows {
  count = 0;
  start = new Float64Array(64);
  end = new Float64Array(64);
  hits = new Float64Array(64);
  trials = new Float64Array(64);
  pendingHits = new Float64Array(64);
  pendingTrials = new Float64Array(64);
  pivot = new Float64Array(64);
  /** Standard deviation of where the row starts, in pages, if cells have placed it; else -1. */
  blur = new Float64Array(64);
  /** nrAccesses as last reported. */
  last = new Float64Array(64);
  age = new Float64Array(64);
  kind = new Float64Array(64);
  /** How many of `trials` are from this aggregation interval. */
  fresh = new Float64Array(64);
  planned = new Float64Array(64);
  /** 1 while it is undecided whether the row and the one before it are alike. */
  open = new Float64Array(64);

  /** Adds a row and returns its index. */
  push(
    start: number,
    end: number,
    hits: number,
    trials: number,
    last: number,
    age: number,
    fresh: number,
  ): number {
    if (this.count === this.start.length) this.#grow();
    const at = this.count++;
    this.start[at] = start;
    this.end[at] = end;
    this.hits[at] = hits;
    this.trials[at] = trials;
    this.pendingHits[at] = 0;
    this.pendingTrials[at] = 0;
    this.pivot[at] = NOT_ASKED;
    this.blur[at] = -1;
    this.last[at] = last;
    this.age[at] = age;
    this.kind[at] = RowKind.PLAIN;
    this.fresh[at] = fresh;
    this.planned[at] = 0;
    this.open[at] = 0;
    return at;
  }

  pushEdge(start: number, end: number): void {
    this.kind[this.push(start, end, 0, 0, 0, 0, 0)] = RowKind.EDGE;
  }

  /** Adds pages [start, end) of row `i` of other rows, with their share of its evidence. */
  pushPart(rows: Rows, i: number, start: number, end: number): void {
    const part = (end - start) / rows.size(i);
    this.push(start, end, rows.hits[i]! * part, rows.trials[i]! * part, rows.last[i]!, rows.age[i]!, 0);
  }

  /** Makes row `to` a copy of row `from` of these or other rows. */
  copy(from: number, to: number, rows: Rows = this): void {
    if (from === to && rows === this) return;
    this.start[to] = rows.start[from]!;
    this.end[to] = rows.end[from]!;
    this.hits[to] = rows.hits[from]!;
    this.trials[to] = rows.trials[from]!;
    this.pendingHits[to] = rows.pendingHits[from]!;
    this.pendingTrials[to] = rows.pendingTrials[from]!;
    this.pivot[to] = rows.pivot[from]!;
    this.last[to] = rows.last[from]!;
    this.age[to] = rows.age[from]!;
    this.kind[to] = rows.kind[from]!;
    this.fresh[to] = rows.fresh[from]!;
    this.planned[to] = rows.planned[from]!;
    this.open[to] = rows.open[from]!;
  }

  size(i: number): number {
    return this.end[i]! - this.start[i]!;
  }

  rate(i: number): number {
    return this.trials[i]! > 0 ? this.hits[i]! / this.trials[i]! : 0;
  }

  isMixed(i: number): boolean {
    return isMixed(this.hits[i]!, this.trials[i]!);
  }

  /** How much likelier two rates make the evidence of two rows than one. */
  difference(a: number, b: number): number {
    return difference(this.hits[a]!, this.trials[a]!, this.hits[b]!, this.trials[b]!);
  }

  /** Whether that is above a level; false unless both have evidence. */
  isDifferenceAbove(level: number, a: number, b: number): boolean {
    if (this.trials[a] === 0 || this.trials[b] === 0) return false;
    return isDifferenceAbove(level, this.hits[a]!, this.trials[a]!, this.hits[b]!, this.trials[b]!);
  }

  /** Whether one comparison tells two rows apart. */
  areDifferent(a: number, b: number): boolean {
    return this.isDifferenceAbove(DIFFERENT, a, b);
  }

  /** Whether row `i + 1` starts where row `i` ends. */
  touches(i: number): boolean {
    return i >= 0 && i + 1 < this.count && this.end[i] === this.start[i + 1];
  }

  #grow(): void {
    for (const name of COLUMNS) {
      const larger = new Float64Array(2 * this[name].length);
      larger.set(this[name]);
      this[name] = larger;
    }
  }
}

const MOST_CANDIDATES = 256;

/** Pages with surprising answers, candidates for a probe; a random selection if there are too many. */
export class Candidates {
  readonly pivot = new Float64Array(MOST_CANDIDATES);
  /** The nearest answers of the other kind: the surprise reaches no farther. */
  readonly start = new Float64Array(MOST_CANDIDATES);
  readonly end = new Float64Array(MOST_CANDIDATES);
  #seen = 0;

  get count(): number {
    return Math.min(this.#seen, MOST_CANDIDATES);
  }

  clear(): void {
    this.#seen = 0;
  }

  add(pivot: number, start: number, end: number, random: RandomGenerator): void {
    const nth = this.#seen++;
    const at = nth < MOST_CANDIDATES ? nth : Math.floor(uniformFloat64(random) * this.#seen);
    if (at < MOST_CANDIDATES) this.#set(at, pivot, start, end);
  }

  /** Leaves at most `count` of them, chosen at random, in the order of their pages. */
  keep(count: number, random: RandomGenerator): void {
    let left = this.count;
    while (left > count) {
      const at = Math.floor(uniformFloat64(random) * left--);
      this.#set(at, this.pivot[left]!, this.start[left]!, this.end[left]!);
    }
    for (let i = 1; i < left; i++) {
      const [pivot, start, end] = [this.pivot[i]!, this.start[i]!, this.end[i]!];
      let to = i;
      for (; to > 0 && this.pivot[to - 1]! > pivot; to--)
        this.#set(to, this.pivot[to - 1]!, this.start[to - 1]!, this.end[to - 1]!);
      this.#set(to, pivot, start, end);
    }
    this.#seen = left;
  }

  #set(at: number, pivot: number, start: number, end: number): void {
    this.pivot[at] = pivot;
    this.start[at] = start;
    this.end[at] = end;
  }
}
