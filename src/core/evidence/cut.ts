import type { RegionTable } from '../region-table.js';
import { MAX_ANSWERS, RowKind } from './columns.js';
import { grownFromLeft, grownFromRight, RowBuilder, readEdge, readProbe } from './edges.js';
import type { Cells } from './learn.js';
import type { Rows } from './rows.js';
import {
  bestOfFew,
  CUT,
  difference,
  HINT,
  isVeryMixed,
  KNOWN,
  logLikelihood,
  mostGain,
  POSSIBLE,
  SURE,
} from './significance.js';

// Step 2, cut: rows are cut where the answers of this aggregation interval say that a part has a rate of its own.

/** A run of answers is a surprise if at most this many such runs were expected in its row. */
const SURPRISE = 0.5;

export class Cutter {
  readonly #builder = new RowBuilder();
  /** Where runs of the rarer answer start and end. */
  readonly #runFrom = new Uint8Array(MAX_ANSWERS);
  readonly #runTo = new Uint8Array(MAX_ANSWERS);
  /** The rarer answer, and the length of its longest run. */
  #rare = 0;
  #longest = 0;
  #best = 0;
  #bestFrom = 0;
  #bestTo = 0;

  constructor(readonly cells: Cells) {}

  /**
   * Reads the answers of a table and writes its rows, cut where necessary, with what is known of each by now.
   *
   * @param rows emptied before
   * @param candidates emptied before; gets the surprises that were not worth a cut
   * @returns how many cuts and changed rows are news
   */
  read(table: RegionTable, rows: Rows, candidates: Rows): number {
    const { kind, hits, trials } = table.evidence!;
    const builder = this.#builder;
    builder.begin(table, rows, candidates);
    const { memory } = builder;
    this.cells.read(table, memory);
    let news = 0;
    for (let i = 0; i < table.count; i++) {
      if (kind[i] === RowKind.EDGE && readEdge(builder, i)) continue;
      const cuts = kind[i] === RowKind.PROBE ? readProbe(builder, i) : this.#readPlain(i);
      // If a row is or was hit as often as not, or is hardly known, chance looks like news too often.
      const isNews =
        trials[i]! >= KNOWN &&
        !isVeryMixed(hits[i]!, trials[i]!) &&
        !isVeryMixed(memory.hits[i]!, memory.trials[i]!);
      if (isNews) news += cuts + memory.hasChanged[i]!;
    }
    return news;
  }

  #readPlain(i: number): number {
    const builder = this.#builder;
    const { table, memory, answers } = builder;
    const { hits, trials } = table.evidence!;
    const start = table.startPage[i]!;
    const end = table.endPage[i]!;
    const [had, of] = [hits[i]!, trials[i]!];
    // In most rows all answers are the same: nothing in them can be told apart.
    const isPure = memory.hits[i] === 0 || memory.hits[i] === memory.trials[i];
    answers.count = 0;
    if (memory.fresh[i]! > 0 && !isPure) builder.load(i);
    const { pages, count } = answers;
    if (count === 0) {
      builder.writeWhole(i);
      return 0;
    }
    const known = memory.expected(had, of);
    const first = grownFromLeft(builder, i, known);
    const last = grownFromRight(builder, i, known);
    if (first === 0 && last === count) return this.#cut(i, had, of, known);
    if (first >= last) {
      builder.writeWhole(i);
      return 0;
    }
    // Its neighbours have grown into it.
    let from = start;
    if (first > 0) {
      const edge = pages[first - 1]! + 1;
      from = Math.max(edge, pages[first]!);
      builder.extend(edge, answers.hitsIn(0, first), first);
      builder.writeEdge(edge, from);
    }
    const to = last < count ? Math.max(from + 1, pages[last - 1]! + 1) : end;
    this.#writePart(i, first, last, from, to, had, of);
    if (last < count) {
      const edge = Math.max(to, pages[last]!);
      builder.writeEdge(to, edge);
      builder.leaveToNext(edge, answers.hitsIn(last, count), count - last);
    }
    return 1;
  }

  /**
   * Writes row `i` in one piece, or in two or three.
   *
   * @param had of `of` samples, what was remembered of it
   * @param known the rate that it was taken to have
   * @returns how many cuts were made
   */
  #cut(i: number, had: number, of: number, known: number): number {
    const builder = this.#builder;
    const { pages, count } = builder.answers;
    const hits = builder.answers.hitsIn(0, count);
    const start = builder.table.startPage[i]!;
    const end = builder.table.endPage[i]!;
    const isMixed = hits > 0 && hits < count;
    if (isMixed) this.#findBest();
    if (!isMixed || !this.#isWorthIt(known)) {
      if (isMixed) this.#findSurprises(start, end, known);
      builder.writeWhole(i);
      return 0;
    }
    const bestFrom = this.#bestFrom;
    const bestTo = this.#bestTo;
    // Either boundary may lie anywhere between its outermost and its innermost possible place.
    let [outFrom, inFrom, inTo, outTo] = [bestFrom, bestFrom, bestTo, bestTo];
    const least = this.#likelihood(bestFrom, bestTo) - POSSIBLE;
    while (outFrom > 0 && this.#likelihood(outFrom - 1, bestTo) > least) outFrom--;
    while (inFrom + 1 < bestTo && this.#likelihood(inFrom + 1, bestTo) > least) inFrom++;
    while (outTo < count && this.#likelihood(bestFrom, outTo + 1) > least) outTo++;
    while (inTo - 1 > inFrom + 1 && this.#likelihood(bestFrom, inTo - 1) > least) inTo--;
    // No boundary lies within a page.
    while (outFrom > 0 && pages[outFrom - 1] === pages[outFrom]) outFrom--;
    while (outTo < count && pages[outTo] === pages[outTo - 1]) outTo++;
    // The memory of the whole includes what the inner part contributed; the outer parts go on without it.
    const inner = builder.answers.hitsIn(bestFrom, bestTo) / (bestTo - bestFrom);
    const share = Math.min(1, (pages[bestTo - 1]! + 1 - pages[bestFrom]!) / (end - start));
    const outerOf = of * (1 - share);
    const outerHad = Math.min(outerOf, Math.max(0, had - of * share * inner));
    let at = start;
    if (outFrom > 0) {
      const edge = pages[outFrom - 1]! + 1;
      this.#writePart(i, 0, outFrom, at, edge, outerHad, outerOf);
      at = Math.max(edge, pages[inFrom]!);
      builder.writeEdge(edge, at);
    }
    if (outTo === count) {
      this.#writePart(i, inFrom, inTo, at, end, 0, 0);
      return 1;
    }
    const innerEnd = Math.max(at + 1, pages[inTo - 1]! + 1);
    this.#writePart(i, inFrom, inTo, at, innerEnd, 0, 0);
    at = Math.max(innerEnd, pages[outTo]!);
    builder.writeEdge(innerEnd, at);
    this.#writePart(i, outTo, count, at, end, outerHad, outerOf);
    return 1;
  }

  /** Writes [start, end) of row `i`, with the answers [from, to), and the memory of it unless they contradict it. */
  #writePart(i: number, from: number, to: number, start: number, end: number, had: number, of: number): void {
    const count = to - from;
    const hits = this.#builder.answers.hitsIn(from, to);
    const keeps = of > 0 && difference(hits, count, had, of) < POSSIBLE;
    this.#builder.write(i, start, end, hits + (keeps ? had : 0), count + (keeps ? of : 0), count);
  }

  /** Finds the run of answers that gains most from a rate of its own; it starts and ends with the rarer answer. */
  #findBest(): void {
    const { answers } = this.#builder;
    const { pages, isHit, count } = answers;
    const runFrom = this.#runFrom;
    const runTo = this.#runTo;
    const hits = answers.hitsIn(0, count);
    const rare = 2 * hits <= count ? 1 : 0;
    let [runs, length, longest] = [0, 0, 0];
    for (let at = 0; at < count; at++) {
      if (isHit[at] !== rare) {
        length = 0;
        continue;
      }
      if (++length > longest) longest = length;
      // No cut lies within a page.
      if (runs > 0 && (length > 1 || pages[at - 1] === pages[at])) {
        runTo[runs - 1] = at + 1;
      } else {
        runFrom[runs] = at;
        runTo[runs++] = at + 1;
      }
    }
    this.#rare = rare;
    this.#longest = longest;
    this.#best = 0;
    // The answers of most rows are too well mixed for any cut.
    if (mostGain(rare === 1 ? hits : count - hits, count, runs) <= HINT) return;
    for (let a = 0; a < runs; a++) {
      for (let b = a; b < runs; b++) {
        const [first, after] = [runFrom[a]!, runTo[b]!];
        const gain = this.#likelihood(first, after) - bestOfFew(hits, count);
        if (gain <= this.#best || after - first === count) continue;
        this.#best = gain;
        this.#bestFrom = first;
        this.#bestTo = after;
      }
    }
  }

  #isWorthIt(known: number): boolean {
    if (this.#best > CUT) return true;
    if (this.#best <= HINT) return false;
    const length = this.#bestTo - this.#bestFrom;
    const hits = this.#builder.answers.hitsIn(this.#bestFrom, this.#bestTo);
    return bestOfFew(hits, length) - logLikelihood(hits, length, known) > SURE;
  }

  /** Of all answers, if those of [a, b) have a rate of their own. */
  #likelihood(a: number, b: number): number {
    const { answers } = this.#builder;
    const within = answers.hitsIn(a, b);
    const others = answers.count - (b - a);
    return bestOfFew(within, b - a) + bestOfFew(answers.hitsIn(0, answers.count) - within, others);
  }

  /** Makes runs of unexpected answers candidates for a probe, which reaches to the next other answers. */
  #findSurprises(start: number, end: number, known: number): void {
    const { candidates, answers } = this.#builder;
    const { pages, isHit, count } = answers;
    const strange = known < 0.5 ? 1 : 0;
    const chance = strange === 1 ? known : 1 - known;
    let least = 1;
    for (let runs = count * chance; runs > SURPRISE; runs *= chance) least++;
    if (strange === this.#rare && this.#longest < least) return;
    for (let at = 0; at < count; at++) {
      if (isHit[at] !== strange) continue;
      const first = at;
      while (at + 1 < count && isHit[at + 1] === strange) at++;
      if (at + 1 - first < least) continue;
      const left = first > 0 ? pages[first - 1]! + 1 : start;
      const right = at + 1 < count ? pages[at + 1]! : end;
      candidates.pivot[candidates.push(left, right, 0, 0, 0, 0, 0)] = pages[(first + at) >> 1]!;
    }
  }
}
