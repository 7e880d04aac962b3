import type { Cells } from './cells.js';
import { RowKind } from './columns.js';
import { isSettledAs, possibleRate } from './likelihood.js';
import type { Rows } from './rows.js';

/** Two rows are told apart, and reported apart, where two rates make their answers this much likelier than one. */
export const DIFFERENT = 8;
/** Two rows are one where a difference of interest would make what is known of the smaller this much likelier, and does not. */
const ALIKE = 2;
/** So many samples of both that leave no difference of more than ALIKE are enough as well. */
const ENOUGH = 60;
/** Rows that what cells remember tells apart so much are not one yet. */
const ENOUGH_TO_WAIT = 5;
/** A row remembers at most so many samples after it was joined. */
const MOST_TRIALS = 800;

export const Verdict = { ALIKE: 0, OPEN: 1, DIFFERENT: 2 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Whether what is known of two rows allows to take them for one. */
export function compare(rows: Rows, a: number, b: number, tolerance: number): Verdict {
  const trialsA = rows.trials[a]!;
  const trialsB = rows.trials[b]!;
  if (trialsA === 0 || trialsB === 0) return tolerance > 0 ? Verdict.ALIKE : Verdict.OPEN;
  if (tolerance > 0) return rows.isDifferenceAbove(tolerance, a, b) ? Verdict.DIFFERENT : Verdict.ALIKE;
  if (rows.isDifferenceAbove(DIFFERENT, a, b)) return Verdict.DIFFERENT;
  if (Math.min(trialsA, trialsB) >= ENOUGH && !rows.isDifferenceAbove(ALIKE, a, b)) return Verdict.ALIKE;
  const known = trialsA >= trialsB ? a : b;
  const other = known === a ? b : a;
  const rate = possibleRate(rows.hits[known]!, rows.trials[known]!);
  return isSettledAs(rate, rows.hits[other]!, rows.trials[other]!, ALIKE) ? Verdict.ALIKE : Verdict.OPEN;
}

/** Whether the test tells two rows apart. */
export function areDifferent(rows: Rows, a: number, b: number): boolean {
  return rows.trials[a]! > 0 && rows.trials[b]! > 0 && rows.isDifferenceAbove(DIFFERENT, a, b);
}

/**
 * Joins touching rows that are alike, in place; an edge between rows that are alike goes with them.
 *
 * @param limitPages that a joined row must not exceed
 * @param tolerance what two rows may differ by all the same: above 0 where there are too many
 */
export function joinAlike(rows: Rows, limitPages: number, tolerance: number, cells?: Cells): void {
  const { count } = rows;
  let into = -1;
  let at = 0;
  let size = 0;
  for (let i = 0; i < count; i++) {
    at += size;
    size = rows.size(i);
    if (into < 0 || rows.end[into] !== rows.start[i]) {
      rows.copy(i, ++into);
      continue;
    }
    if (rows.kind[i] === RowKind.EDGE) {
      if (rows.kind[into] === RowKind.EDGE) rows.end[into] = rows.end[i]!;
      else rows.copy(i, ++into);
      continue;
    }
    const isBehindEdge = rows.kind[into] === RowKind.EDGE;
    const before = isBehindEdge ? into - 1 : into;
    if (isBehindEdge && !rows.meet(before, into)) {
      // Nothing is on its other side.
      const start = rows.start[into]!;
      rows.copy(i, into);
      rows.start[into] = start;
      continue;
    }
    const isTooLarge = rows.end[i]! - rows.start[before]! > limitPages;
    let verdict = isTooLarge ? Verdict.DIFFERENT : compare(rows, before, i, tolerance);
    if (verdict === Verdict.ALIKE && cells && rows.isMixed(before) && rows.isMixed(i)) {
      const gap = rows.start[i]! - rows.end[before]!;
      if (cells.areDifferent(ENOUGH_TO_WAIT, at - gap - rows.size(before), at - gap, at, at + size))
        verdict = Verdict.OPEN;
    }
    if (verdict === Verdict.ALIKE) {
      join(rows, before, i);
      into = before;
    } else {
      rows.copy(i, ++into);
      if (tolerance === 0) rows.open[into] = verdict === Verdict.OPEN && !isBehindEdge ? 1 : 0;
    }
  }
  rows.count = into + 1;
  dropLooseEdges(rows);
}

/** Row `i`, and an edge between them, become part of row `into`. */
function join(rows: Rows, into: number, i: number): void {
  const sizeInto = rows.size(into);
  const size = rows.size(i);
  const trials = rows.trials[into]! + rows.trials[i]!;
  const known = Math.min(trials, MOST_TRIALS);
  let rate = (rows.rate(into) * sizeInto + rows.rate(i) * size) / (sizeInto + size);
  if (rows.trials[into] === 0) rate = rows.rate(i);
  else if (rows.trials[i] === 0) rate = rows.rate(into);
  rows.hits[into] = rate * known;
  rows.trials[into] = known;
  rows.pendingHits[into] = rows.pendingTrials[into] = 0;
  rows.fresh[into]! += rows.fresh[i]!;
  if (size > sizeInto) {
    rows.age[into] = rows.age[i]!;
    rows.last[into] = rows.last[i]!;
  }
  rows.end[into] = rows.end[i]!;
}

/** An edge at the end of a range has nothing on its other side: it goes to the row before, or stands as a row. */
function dropLooseEdges(rows: Rows): void {
  let into = -1;
  for (let i = 0; i < rows.count; i++) {
    if (rows.kind[i] === RowKind.EDGE && !rows.touches(i)) {
      if (into >= 0 && rows.end[into] === rows.start[i]) {
        rows.end[into] = rows.end[i]!;
        continue;
      }
      rows.kind[i] = RowKind.PLAIN;
    }
    rows.copy(i, ++into);
  }
  rows.count = into + 1;
}

/** Differences are sorted into so many bins of this width; larger ones into more, of which each ends at twice the one before. */
const FINE_BINS = 64;
const BIN_WIDTH = 0.5;
const BINS = FINE_BINS + 16;
const bins = new Uint32Array(BINS);

/**
 * Joins those that differ least until there are at most `most` rows, if need be without regard to what they are: honest
 * averages.
 */
export function joinToFit(rows: Rows, most: number, limitPages: number): void {
  let tolerance = 0;
  while (rows.count > most && tolerance < Number.POSITIVE_INFINITY) {
    tolerance = Math.max(2 * tolerance, toleranceFor(rows, rows.count - most, limitPages));
    joinAlike(rows, limitPages, tolerance);
  }
}

/** What differences to tolerate so that so many rows go: about, for what is joined differs from others by something else. */
function toleranceFor(rows: Rows, excess: number, limitPages: number): number {
  bins.fill(0);
  for (let i = 0; i + 1 < rows.count; i++) {
    if (rows.kind[i] === RowKind.EDGE || !rows.touches(i)) continue;
    const next = rows.kind[i + 1] === RowKind.EDGE ? i + 2 : i + 1;
    if (next === rows.count || rows.end[next]! - rows.start[i]! > limitPages) continue;
    bins[binOf(rows.difference(i, next))]! += next - i;
  }
  let bin = 0;
  for (let less = bins[0]!; less < excess && bin + 1 < BINS; less += bins[bin]!) bin++;
  return bin < FINE_BINS ? (bin + 1) * BIN_WIDTH : FINE_BINS * BIN_WIDTH * 2 ** (bin - FINE_BINS + 1);
}

function binOf(difference: number): number {
  const bin = Math.floor(difference / BIN_WIDTH);
  if (bin < FINE_BINS) return bin;
  // The whole part of the binary logarithm.
  return Math.min(BINS - 1, FINE_BINS + 31 - Math.clz32(bin / FINE_BINS));
}
