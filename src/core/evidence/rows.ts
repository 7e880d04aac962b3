import { NOT_ASKED, RowKind } from './columns.js';
import { DIFFERENT, isDifferenceAbove, isMixed } from './significance.js';

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

  /** Whether two rates explain two rows better than one by more than this gain; false unless both have evidence. */
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
