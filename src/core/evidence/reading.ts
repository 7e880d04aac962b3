import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from '../region-table.js';
import { Answers } from './answers.js';
import { RowKind } from './columns.js';
import { Memory } from './memory.js';
import { Rows } from './rows.js';
import { Suspects } from './suspects.js';

/** The pass over a table that finds out what its answers say: what is read, and what has been written so far. */
export class Reading {
  table!: RegionTable;
  random!: RandomGenerator;
  rows = new Rows();
  suspects = new Suspects();
  readonly memory = new Memory();
  /** Of the row that is being read. */
  readonly answers = new Answers();
  /** What the next row begins with: pages that turned out to be of its kind, and their answers. */
  #nextStart = -1;
  #nextHits = 0;
  #nextTrials = 0;

  /** @param rows and suspects are emptied */
  begin(table: RegionTable, rows: Rows, suspects: Suspects, random: RandomGenerator): void {
    this.table = table;
    this.rows = rows;
    this.suspects = suspects;
    this.random = random;
    rows.count = 0;
    suspects.clear();
    this.#nextStart = -1;
  }

  load(row: number): void {
    this.answers.load(this.table, row, this.memory.places);
  }

  /**
   * Writes a part of row `i`, which ends where the part before ended.
   *
   * @param fresh samples of this aggregation interval among `trials`
   */
  write(i: number, start: number, end: number, hits: number, trials: number, fresh: number): void {
    const { lastNrAccesses, age } = this.table;
    const hasMore = this.#nextStart >= 0;
    const from = hasMore ? this.#nextStart : start;
    this.#nextStart = -1;
    if (end <= from) return;
    const moreHits = hasMore ? this.#nextHits : 0;
    const moreTrials = hasMore ? this.#nextTrials : 0;
    this.rows.push(from, end, hits + moreHits, trials + moreTrials, lastNrAccesses[i]!, age[i]!, fresh);
  }

  /** Writes row `i` as it is, with all that is known of it. */
  writeWhole(i: number): void {
    const { table, memory, rows } = this;
    const at = rows.count;
    this.write(
      i,
      table.startPage[i]!,
      table.endPage[i]!,
      memory.hits[i]!,
      memory.trials[i]!,
      memory.fresh[i]!,
    );
    if (rows.count === at) return;
    rows.pendingHits[at] = memory.pendingHits[i]!;
    rows.pendingTrials[at] = memory.pendingTrials[i]!;
  }

  /** Writes pages that a boundary lies in; none where there are none. */
  writeEdge(start: number, end: number): void {
    if (end <= start) return;
    const from = this.#nextStart >= 0 ? this.#nextStart : start;
    this.#nextStart = -1;
    this.rows.pushEdge(from, end);
  }

  /** The row that was written last takes what turned out to be of its kind; an edge after it is none. */
  extend(end: number, hits: number, trials: number): void {
    const { rows } = this;
    this.#nextStart = -1;
    if (rows.kind[rows.count - 1] === RowKind.EDGE && rows.touches(rows.count - 2)) rows.count--;
    const at = rows.count - 1;
    rows.end[at] = end;
    if (rows.kind[at] === RowKind.EDGE) return;
    rows.hits[at]! += hits;
    rows.trials[at]! += trials;
  }

  /** The row that is written next begins here already. */
  leaveToNext(start: number, hits: number, trials: number): void {
    if (this.#nextStart < 0) {
      this.#nextStart = start;
      this.#nextHits = this.#nextTrials = 0;
    }
    this.#nextHits += hits;
    this.#nextTrials += trials;
  }

  /** The row that was written last if it ends at this page, beyond an edge; -1 where there is none. */
  rowBefore(page: number): number {
    const { rows } = this;
    const last = rows.count - 1;
    if (last < 0 || rows.end[last] !== page || this.#nextStart >= 0) return -1;
    return rows.kind[last] === RowKind.EDGE && rows.touches(last - 1) ? last - 1 : last;
  }
}
