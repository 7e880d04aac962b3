import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from '../region-table.js';
import { type Cells, isVeryMixed } from './cells.js';
import { RowKind } from './columns.js';
import { Cutter } from './cut.js';
import { driftFromLeft, driftFromRight } from './drift.js';
import { readEdge } from './edge.js';
import { readProbe } from './probe.js';
import { Reading } from './reading.js';
import type { Rows } from './rows.js';
import type { Suspects } from './suspects.js';

/** So many samples must be behind what a row was, for a difference to be news. */
const KNOWN = 20;

/** What the answers of an aggregation interval say of the rows of a table: where they have to be cut. */
export class Structure {
  readonly #reading = new Reading();
  readonly #cutter = new Cutter(this.#reading);

  constructor(readonly cells: Cells) {}

  /**
   * Goes through a table, and writes its rows, cut where they have to be, with what is known of each by now.
   *
   * @param rows emptied before
   * @param suspects emptied before; gets the surprises that were not worth a cut
   * @returns how many cuts were made and rows have changed
   */
  read(table: RegionTable, rows: Rows, suspects: Suspects, random: RandomGenerator): number {
    const reading = this.#reading;
    const { kind, hits, trials } = table.evidence!;
    reading.begin(table, rows, suspects, random);
    const { memory } = reading;
    memory.read(table);
    let news = 0;
    this.cells.read(table, memory);
    for (let i = 0; i < table.count; i++) {
      if (kind[i] === RowKind.EDGE && readEdge(reading, i)) continue;
      const cuts = kind[i] === RowKind.PROBE ? readProbe(reading, i) : this.#readPlain(i);
      // Of what is or was hit as often as not, or hardly known, chance looks like news too often.
      const isNews =
        trials[i]! >= KNOWN &&
        !isVeryMixed(hits[i]!, trials[i]!) &&
        !isVeryMixed(memory.hits[i]!, memory.trials[i]!);
      if (isNews) news += cuts + memory.hasChanged[i]!;
    }
    return news;
  }

  #readPlain(i: number): number {
    const reading = this.#reading;
    const { table, memory, answers } = reading;
    const start = table.startPage[i]!;
    const end = table.endPage[i]!;
    const hits = memory.hits[i]!;
    const trials = memory.trials[i]!;
    const fresh = memory.fresh[i]!;
    // Rows whose answers are all alike are most of all: they have nothing in them to be looked at.
    if (fresh === 0 || hits === 0 || hits === trials) {
      reading.writeWhole(i);
      return 0;
    }
    reading.load(i);
    const { pages, count } = answers;
    if (count === 0) {
      reading.writeWhole(i);
      return 0;
    }
    const had = table.evidence!.hits[i]!;
    const of = table.evidence!.trials[i]!;
    const known = memory.expected(had, of);
    const first = driftFromLeft(reading, i, known);
    const last = driftFromRight(reading, i, known);
    if (first === 0 && last === count) return this.#cutter.cut(i, 0, count, start, end, had, of, 0);
    if (first >= last) {
      reading.writeWhole(i);
      return 0;
    }
    // Its neighbours have grown into it.
    let from = start;
    if (first > 0) {
      const edge = pages[first - 1]! + 1;
      from = Math.max(edge, pages[first]!);
      reading.extend(edge, answers.hitsIn(0, first), first);
      reading.writeEdge(edge, from);
    }
    const to = last < count ? Math.max(from + 1, pages[last - 1]! + 1) : end;
    const cuts = this.#cutter.cut(i, first, last, from, to, had, of, 1);
    if (last < count) {
      const edge = Math.max(to, pages[last]!);
      reading.writeEdge(to, edge);
      reading.leaveToNext(edge, answers.hitsIn(last, count), count - last);
    }
    return cuts + 1;
  }
}
