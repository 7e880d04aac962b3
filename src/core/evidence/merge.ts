import { RowKind } from './columns.js';
import { type Cells, LEAST_CELLS } from './learn.js';
import type { Rows } from './rows.js';
import { divergence, HINT, isSettledAs, POSSIBLE, possibleRate, SURE } from './significance.js';

// Step 3, merge: neighbours that no test tells apart become one row, more of them if there are too many, and boundaries
// between similar rates move to where cells place them.

/** With this many samples each, rows are alike unless a difference is at least possible. */
const ENOUGH = 60;
/** A joined row remembers at most this many samples, or it would take as many to find a different part. */
const MOST_TRIALS = 800;

const Verdict = { ALIKE: 0, OPEN: 1, DIFFERENT: 2 } as const;
type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Whether the evidence allows to take two rows for one. */
function compare(rows: Rows, a: number, b: number, tolerance: number): Verdict {
  if (tolerance > 0) return rows.isDifferenceAbove(tolerance, a, b) ? Verdict.DIFFERENT : Verdict.ALIKE;
  const [trialsA, trialsB] = [rows.trials[a]!, rows.trials[b]!];
  if (trialsA === 0 || trialsB === 0) return Verdict.OPEN;
  if (rows.areDifferent(a, b)) return Verdict.DIFFERENT;
  if (Math.min(trialsA, trialsB) >= ENOUGH && !rows.isDifferenceAbove(POSSIBLE, a, b)) return Verdict.ALIKE;
  const [known, other] = trialsA >= trialsB ? [a, b] : [b, a];
  const rate = possibleRate(rows.hits[known]!, rows.trials[known]!);
  return isSettledAs(rate, rows.hits[other]!, rows.trials[other]!, POSSIBLE) ? Verdict.ALIKE : Verdict.OPEN;
}

/**
 * Joins touching rows that are alike, in place, with any edge between them.
 *
 * @param limitPages that a joined row must not exceed
 * @param tolerance the level below which rows are joined anyway; above 0 if there are too many
 */
export function joinAlike(rows: Rows, limitPages: number, tolerance: number, cells?: Cells): void {
  const { count } = rows;
  let into = -1;
  for (let i = 0, at = 0, size = 0; i < count; i++) {
    at += size;
    size = rows.size(i);
    if (into < 0 || rows.end[into] !== rows.start[i]) {
      rows.copy(i, ++into);
      continue;
    }
    const isBehindEdge = rows.kind[into] === RowKind.EDGE;
    if (rows.kind[i] === RowKind.EDGE) {
      if (isBehindEdge) rows.end[into] = rows.end[i]!;
      else rows.copy(i, ++into);
      continue;
    }
    const before = isBehindEdge ? into - 1 : into;
    if (isBehindEdge && (before < 0 || rows.end[before] !== rows.start[into])) {
      // Nothing is on the other side of the edge.
      const start = rows.start[into]!;
      rows.copy(i, into);
      rows.start[into] = start;
      continue;
    }
    const isTooLarge = rows.end[i]! - rows.start[before]! > limitPages;
    let verdict = isTooLarge ? Verdict.DIFFERENT : compare(rows, before, i, tolerance);
    if (verdict === Verdict.ALIKE && cells && rows.isMixed(before) && rows.isMixed(i)) {
      const gap = rows.start[i]! - rows.end[before]!;
      if (cells.areDifferent(HINT, at - gap - rows.size(before), at - gap, at, at + size))
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

/** An edge at the end of a range has nothing on its other side: it goes to the row before, or becomes a plain row. */
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

/** Two rows of full memory differ by less. */
const MOST_GAIN = 2_048;

/** Joins the rows that differ least until there are at most `most`, in the end whatever they are: honest averages. */
export function joinToFit(rows: Rows, most: number, limitPages: number): void {
  for (let level = 0.5; rows.count > most && level <= MOST_GAIN; level *= 2)
    joinAlike(rows, limitPages, level);
}

/** A boundary is looked for this many cells to both sides, */
const REACH = 32;
/** unless the divergence of its rates is above this: then a few answers tell them apart. */
const FAR = 1.5;
/** Above this it only moves from a place that is not possible: others may have known it better. */
const NEAR = 0.5;

/**
 * Moves boundaries between large rows with similar rates to where cells place them: the mean of all places, weighted by how
 * likely each makes what cells remember. Sets how far off that may be.
 */
export function moveBoundaries(rows: Rows, cells: Cells): void {
  let before = 0;
  for (let i = 0; i < rows.count; i++) {
    const after = before + rows.size(i);
    rows.blur[i] = -1;
    if (i > 0 && areNear(rows, i, cells, before)) move(rows, i, cells, before);
    before = after;
  }
}

function areNear(rows: Rows, i: number, cells: Cells, before: number): boolean {
  const least = LEAST_CELLS * cells.pages;
  if (!rows.touches(i - 1) || rows.size(i - 1) < least || rows.size(i) < least) return false;
  if (rows.kind[i - 1] !== RowKind.PLAIN || rows.kind[i] !== RowKind.PLAIN) return false;
  if (!rows.isMixed(i - 1) || !rows.isMixed(i)) return false;
  const left = possibleRate(rows.hits[i - 1]!, rows.trials[i - 1]!);
  if (divergence(left, possibleRate(rows.hits[i]!, rows.trials[i]!)) > FAR) return false;
  const [start, end] = [before - rows.size(i - 1), before + rows.size(i)];
  return rows.areDifferent(i - 1, i) || cells.areDifferent(SURE, start, before, before, end);
}

function move(rows: Rows, i: number, cells: Cells, before: number): void {
  const { pages } = cells;
  const first = cells.firstIn(before - rows.size(i - 1));
  const after = cells.lastIn(before + rows.size(i));
  const middle = Math.round(before / pages);
  const from = Math.max(first + 1, middle - REACH);
  const to = Math.min(after - 1, middle + REACH);
  if (from >= to || cells.trials(first, middle) === 0 || cells.trials(middle, after) === 0) return;
  const left = possibleRate(cells.hits(first, middle), cells.trials(first, middle));
  const right = possibleRate(cells.hits(middle, after), cells.trials(middle, after));
  const middleRate = (left + right) / 2;
  const forHit = Math.log(left / right);
  const forMiss = Math.log((1 - left) / (1 - right));
  const halfForHit = Math.log(middleRate / right);
  const halfForMiss = Math.log((1 - middleRate) / (1 - right));
  // How much likelier the boundary is this many half cells after `from` than at `from`.
  const likelihood = (halves: number) => {
    const c = from + (halves >> 1);
    const hits = cells.hits(from, c);
    const whole = hits * forHit + (cells.trials(from, c) - hits) * forMiss;
    if ((halves & 1) === 0) return whole;
    const more = cells.hits(c, c + 1);
    return whole + more * halfForHit + (cells.trials(c, c + 1) - more) * halfForMiss;
  };
  const most = 2 * (to - from);
  let best = 0;
  for (let h = 0; h <= most; h++) best = Math.max(best, likelihood(h));
  let [sum, mean, square] = [0, 0, 0];
  for (let h = 0; h <= most; h++) {
    const weight = Math.exp(likelihood(h) - best);
    sum += weight;
    mean += weight * h;
    square += weight * h * h;
  }
  mean /= sum;
  rows.blur[i] = (pages / 2) * Math.sqrt(square / sum - mean * mean + 1 / 12);
  const now = Math.max(0, Math.min(most, Math.round((2 * before) / pages) - 2 * from));
  if (divergence(left, right) > NEAR && likelihood(now) > best - POSSIBLE) return;
  const at = Math.round((from + mean / 2) * pages);
  rows.start[i]! += at - before;
  rows.end[i - 1] = rows.start[i]!;
}
