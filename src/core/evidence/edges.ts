import type { RegionTable } from '../region-table.js';
import { MAX_ANSWERS, RowKind } from './columns.js';
import { Memory } from './learn.js';
import { Rows } from './rows.js';
import { bestOfFew, DIFFERENT, FAINT, HINT, logLikelihood, POSSIBLE, possibleRate } from './significance.js';

// Step 2, cut, where the rates on both sides are known: edges, boundaries that have moved, and probes.

/** An edge that still spans this part of what it was is no clearer than before. */
const UNCLEAR = 0.6;
/** Rates closer to each other say too little about where one starts. */
const LEAST_APART = 0.05;
/** Samples behind the rate of a neighbour that may have grown. */
const LEAST_TRIALS = 8;

/** The answers of one row in an aggregation interval, in the order of their pages. */
export class Answers {
  count = 0;
  readonly pages = new Float64Array(MAX_ANSWERS);
  readonly isHit = new Uint8Array(MAX_ANSWERS);
  /** Hits among the first n. */
  readonly #before = new Uint8Array(MAX_ANSWERS + 1);

  /** Takes about 50 ns. @param places of the row that may hold an answer */
  load(table: RegionTable, row: number, places: number): void {
    const { answers, answersPerRegion } = table.evidence!;
    const start = table.startPage[row]!;
    const end = table.endPage[row]!;
    const { pages, isHit } = this;
    let count = 0;
    for (let at = row * answersPerRegion, last = at + places; at < last; at++) {
      const answer = answers[at]!;
      const page = Math.abs(answer) - 1;
      // Mappings that have changed since may have left less of the row.
      if (answer === 0 || page < start || page >= end) continue;
      // They are already in order, unless the check has moved some by a few pages.
      let to = count++;
      for (; to > 0 && pages[to - 1]! > page; to--) {
        pages[to] = pages[to - 1]!;
        isHit[to] = isHit[to - 1]!;
      }
      pages[to] = page;
      isHit[to] = answer > 0 ? 1 : 0;
    }
    for (let i = 0; i < count; i++) this.#before[i + 1] = this.#before[i]! + isHit[i]!;
    this.count = count;
  }

  /** Hits among the answers [from, to). */
  hitsIn(from: number, to: number): number {
    return this.#before[to]! - this.#before[from]!;
  }
}

/** Builds the rows that a table's answers speak for, from left to right. */
export class RowBuilder {
  table!: RegionTable;
  rows = new Rows();
  /** Pages with surprising answers, to be probed: their pivots, and the nearest answers of the other kind on both sides. */
  candidates = new Rows();
  readonly memory = new Memory();
  /** Of the row that is being read. */
  readonly answers = new Answers();
  /** Pages before the next row that turned out to belong to it, and their evidence; -1 for none. */
  #nextStart = -1;
  #nextHits = 0;
  #nextTrials = 0;

  /** @param rows and candidates are emptied */
  begin(table: RegionTable, rows: Rows, candidates: Rows): void {
    this.table = table;
    this.rows = rows;
    this.candidates = candidates;
    rows.count = 0;
    candidates.count = 0;
    this.#nextStart = -1;
    this.memory.read(table);
  }

  load(row: number): void {
    this.answers.load(this.table, row, this.memory.places);
  }

  /** Writes a part of row `i`. @param fresh how many of `trials` are from this aggregation interval */
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

  /** Writes row `i` as it is, with everything known of it. */
  writeWhole(i: number): void {
    const { table, memory, rows } = this;
    const { hits, trials, fresh, pendingHits, pendingTrials } = memory;
    const at = rows.count;
    this.write(i, table.startPage[i]!, table.endPage[i]!, hits[i]!, trials[i]!, fresh[i]!);
    if (rows.count === at) return;
    rows.pendingHits[at] = pendingHits[i]!;
    rows.pendingTrials[at] = pendingTrials[i]!;
  }

  /** Writes pages that a boundary lies in, if there are any. */
  writeEdge(start: number, end: number): void {
    if (end <= start) return;
    const from = this.#nextStart >= 0 ? this.#nextStart : start;
    this.#nextStart = -1;
    this.rows.pushEdge(from, end);
  }

  /** Adds pages to the row written last; an edge behind it turned out to belong to it. */
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

  /** Leaves pages from `start` on to the row that is written next. */
  leaveToNext(start: number, hits: number, trials: number): void {
    if (this.#nextStart < 0) {
      this.#nextStart = start;
      this.#nextHits = this.#nextTrials = 0;
    }
    this.#nextHits += hits;
    this.#nextTrials += trials;
  }

  /** The last written row that is not an edge, if it ends at this page or an edge between them does; else -1. */
  rowBefore(page: number): number {
    const { rows } = this;
    const last = rows.count - 1;
    if (last < 0 || rows.end[last] !== page || this.#nextStart >= 0) return -1;
    return rows.kind[last] === RowKind.EDGE && rows.touches(last - 1) ? last - 1 : last;
  }
}

/**
 * Reads an EDGE: the boundary lies where the rates of both neighbours make the answers likeliest, or not much farther. The
 * rest of its pages goes to the neighbours.
 *
 * @returns false if it lacks a neighbour or is no clearer than before; it is then read as any other row
 */
export function readEdge(builder: RowBuilder, i: number): boolean {
  const { table, memory, answers } = builder;
  const { startPage, endPage, count } = table;
  const start = startPage[i]!;
  const end = endPage[i]!;
  if (i === 0 || i + 1 === count || endPage[i - 1] !== start || startPage[i + 1] !== end) return false;
  if (memory.trials[i - 1] === 0 || memory.trials[i + 1] === 0) return false;
  const left = possibleRate(memory.hits[i - 1]!, memory.trials[i - 1]!);
  const right = possibleRate(memory.hits[i + 1]!, memory.trials[i + 1]!);
  if (Math.abs(left - right) < LEAST_APART) return false;
  builder.load(i);
  const { pages, isHit, count: asked } = answers;
  if (asked === 0) {
    builder.writeEdge(start, end);
    return true;
  }
  // By how much each further answer is likelier on the left of the boundary than on the right.
  const forHit = Math.log(left / right);
  const forMiss = Math.log((1 - left) / (1 - right));
  let best = 0;
  for (let at = 0, sum = 0; at < asked; at++) {
    sum += isHit[at] === 1 ? forHit : forMiss;
    best = Math.max(best, sum);
  }
  let [first, last] = [-1, -1];
  for (let at = 0, sum = 0; at <= asked; at++) {
    if (sum >= best - FAINT) {
      if (first < 0) first = at;
      last = at;
    }
    sum += at < asked && isHit[at] === 1 ? forHit : forMiss;
  }
  const from = first > 0 ? pages[first - 1]! + 1 : start;
  const to = last < asked ? Math.max(from, pages[last]!) : end;
  if (to - from > UNCLEAR * (end - start) && end - start > 2) return false;
  if (from > start) builder.extend(from, answers.hitsIn(0, first), first);
  builder.writeEdge(from, to);
  if (to < end) builder.leaveToNext(to, answers.hitsIn(last, asked), asked - last);
  return true;
}

/**
 * How far the row before has grown into row `i`, whose answers are loaded. Two or three answers next to a boundary are
 * enough to see that it has moved; nothing else could be told from so few.
 *
 * @param known the rate that row `i` was taken to have
 * @returns the first answer that belongs to row `i`
 */
export function grownFromLeft(builder: RowBuilder, i: number, known: number): number {
  const { answers, rows, table } = builder;
  if (!isRare(answers.isHit[0]!, known)) return 0;
  const start = table.startPage[i]!;
  const at = builder.rowBefore(start);
  if (at < 0 || rows.trials[at]! < LEAST_TRIALS) return 0;
  const rate = possibleRate(rows.hits[at]!, rows.trials[at]!);
  return reach(answers, rate, known, rows.size(at), 0, 1, start);
}

/** The same for the row after. Returns the first answer that belongs to that. */
export function grownFromRight(builder: RowBuilder, i: number, known: number): number {
  const { answers, table, memory } = builder;
  const { startPage, endPage, count, evidence } = table;
  const last = answers.count - 1;
  if (!isRare(answers.isHit[last]!, known)) return answers.count;
  let at = i + 1;
  while (at < count && evidence!.kind[at] !== RowKind.PLAIN && endPage[at - 1] === startPage[at]) at++;
  if (at >= count || endPage[at - 1] !== startPage[at] || memory.trials[at]! < LEAST_TRIALS)
    return answers.count;
  const rate = possibleRate(memory.hits[at]!, memory.trials[at]!);
  const size = endPage[at]! - startPage[at]!;
  return answers.count - reach(answers, rate, known, size, last, -1, endPage[i]!);
}

function isRare(isHit: number, known: number): boolean {
  return (isHit === 1) === known < 0.5;
}

/**
 * How many answers, counted from one end, are likelier at a neighbour's rate. What is farther than `most` pages is something
 * else. None if one new rate for the whole row explains them about as well: the row has changed, not its boundary.
 */
function reach(
  answers: Answers,
  rate: number,
  known: number,
  most: number,
  first: number,
  step: number,
  fromPage: number,
): number {
  if (rate < 0.5 === known < 0.5) return 0;
  const { count, pages, isHit } = answers;
  const forHit = Math.log(rate / known);
  const forMiss = Math.log((1 - rate) / (1 - known));
  let [sum, best, length] = [0, HINT, 0];
  for (let n = 0; n < count; n++) {
    const at = first + n * step;
    if (Math.abs(pages[at]! - fromPage) > most) break;
    sum += isHit[at] === 1 ? forHit : forMiss;
    if (sum > best) [best, length] = [sum, n + 1];
  }
  const others = count - length;
  if (length === 0 || others === 0) return length;
  const hits = answers.hitsIn(0, count);
  const grown = step > 0 ? answers.hitsIn(0, length) : answers.hitsIn(others, count);
  const likelihood = logLikelihood(grown, length, rate) + bestOfFew(hits - grown, others);
  return likelihood - bestOfFew(hits, count) < POSSIBLE ? 0 : length;
}

/**
 * Reads a PROBE: it has found something if the answers around its page contradict the rate of the ground, which it
 * remembers. If that is neither shown nor ruled out, the pages go on as a row of their own.
 *
 * @returns 1 if something was found
 */
export function readProbe(builder: RowBuilder, i: number): number {
  const { table, answers } = builder;
  const { evidence } = table;
  const start = table.startPage[i]!;
  const end = table.endPage[i]!;
  const had = evidence!.hits[i]!;
  const of = evidence!.trials[i]!;
  const pivot = evidence!.pivot[i]!;
  const ground = possibleRate(had, of);
  builder.load(i);
  const { pages, count } = answers;
  let middle = 0;
  while (middle < count && pages[middle]! < pivot) middle++;
  let beyond = middle;
  while (beyond < count && pages[beyond] === pivot) beyond++;
  let [best, from, to] = [0, middle, beyond];
  for (let a = middle; beyond > middle && a >= 0; a--) {
    for (let b = beyond; b <= count; b++) {
      const hits = answers.hitsIn(a, b);
      if (hits / (b - a) > ground !== ground < 0.5) continue;
      const gain = bestOfFew(hits, b - a) - logLikelihood(hits, b - a, ground);
      if (gain > best) [best, from, to] = [gain, a, b];
    }
  }
  if (best < FAINT) {
    builder.write(i, start, end, had, of, 0);
    return 0;
  }
  const left = Math.min(pages[from]!, from > 0 ? pages[from - 1]! + 1 : start);
  const right = Math.max(pages[to - 1]! + 1, to < count ? pages[to]! : end);
  const isFound = best > DIFFERENT;
  const first = isFound ? pages[from]! : left;
  const after = isFound ? pages[to - 1]! + 1 : right;
  if (left > start) builder.write(i, start, left, had, of, 0);
  builder.writeEdge(left, first);
  builder.write(i, first, after, answers.hitsIn(from, to), to - from, to - from);
  builder.writeEdge(after, right);
  if (end > right) builder.write(i, right, end, had, of, 0);
  return isFound ? 1 : 0;
}
