import { isMixed } from './cells.js';
import { NOT_ASKED, RowKind } from './columns.js';
import { difference, isDifferenceAbove } from './likelihood.js';

/** Rows between the columns of two tables, or of one before and after: they can be added one after the other. */
export class Rows {
  count = 0;
  start = new Float64Array(64);
  end = new Float64Array(64);
  hits = new Float64Array(64);
  trials = new Float64Array(64);
  /** The latest of these, which lean away from the rest (trend.ts). */
  pendingHits = new Float64Array(64);
  pendingTrials = new Float64Array(64);
  pivot = new Float64Array(64);
  /** How far off its begin may be by what cells say (standard deviation, in pages); -1 where they say nothing. */
  blur = new Float64Array(64);
  /** nrAccesses as reported last. */
  last = new Uint32Array(64);
  age = new Uint32Array(64);
  kind = new Uint32Array(64);
  /** Samples of this aggregation interval that are in `trials`. */
  fresh = new Uint32Array(64);
  planned = new Uint32Array(64);
  /** 1 where it is still open whether the row and the one before it are alike. */
  open = new Uint32Array(64);

  /** Adds a row. */
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

  /** Adds a row that nothing is known of but that a boundary lies in it. */
  pushEdge(start: number, end: number): void {
    this.kind[this.push(start, end, 0, 0, 0, 0, 0)] = RowKind.EDGE;
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

  /** Adds a copy of row `i` to other rows. */
  copyTo(i: number, rows: Rows): void {
    rows.copy(i, rows.push(0, 0, 0, 0, 0, 0, 0), this);
  }

  size(i: number): number {
    return this.end[i]! - this.start[i]!;
  }

  /** How much likelier two rates make the evidence of two rows than one. */
  difference(a: number, b: number): number {
    return difference(this.hits[a]!, this.trials[a]!, this.hits[b]!, this.trials[b]!);
  }

  /** Whether that is above a bound. Both must have been asked. */
  isDifferenceAbove(bound: number, a: number, b: number): boolean {
    return isDifferenceAbove(bound, this.hits[a]!, this.trials[a]!, this.hits[b]!, this.trials[b]!);
  }

  rate(i: number): number {
    return this.trials[i]! > 0 ? this.hits[i]! / this.trials[i]! : 0;
  }

  /** Whether it takes many samples to tell a part of it from it. */
  isMixed(i: number): boolean {
    return isMixed(this.hits[i]!, this.trials[i]!);
  }

  /** Whether row `b` begins where row `a` ends. */
  meet(a: number, b: number): boolean {
    return a >= 0 && b < this.count && this.end[a] === this.start[b];
  }

  /** Whether rows `i` and `i + 1` touch. */
  touches(i: number): boolean {
    return i >= 0 && i + 1 < this.count && this.end[i] === this.start[i + 1];
  }

  #grow(): void {
    const rows = 2 * this.start.length;
    for (const column of [
      'start',
      'end',
      'hits',
      'trials',
      'pendingHits',
      'pendingTrials',
      'pivot',
      'blur',
    ] as const) {
      const larger = new Float64Array(rows);
      larger.set(this[column]);
      this[column] = larger;
    }
    for (const column of ['last', 'age', 'kind', 'fresh', 'planned', 'open'] as const) {
      const larger = new Uint32Array(rows);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}
