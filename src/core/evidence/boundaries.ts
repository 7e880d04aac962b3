import { type Cells, LEAST_CELLS } from './cells.js';
import { RowKind } from './columns.js';
import { areDifferent } from './join.js';
import { possibleRate } from './likelihood.js';
import { FOUND } from './parts.js';
import type { Rows } from './rows.js';

/** A boundary is looked for so many cells to both sides. */
const REACH = 32;
/** Rates whose divergence is above this are told apart by a few answers. */
const FAR = 1.5;
/** Above this, a boundary stays where it is if that is not much less likely than elsewhere: others may have known it better. */
const NEAR = 0.5;
const UNLIKELY = 2;

/**
 * Moves boundaries between large rows whose rates are near to each other to where cells say that they are: the mean of all
 * places, each as likely as it makes what is remembered. Sets how far off that may be.
 */
export function moveBoundaries(rows: Rows, cells: Cells): void {
  let before = 0;
  for (let i = 0; i < rows.count; i++) {
    const after = before + rows.size(i);
    rows.blur[i] = -1;
    if (i > 0 && isNear(rows, i, cells, before)) move(rows, i, cells, before);
    before = after;
  }
}

function isNear(rows: Rows, i: number, cells: Cells, before: number): boolean {
  const least = LEAST_CELLS * cells.pages;
  if (!rows.touches(i - 1) || rows.size(i - 1) < least || rows.size(i) < least) return false;
  if (rows.kind[i - 1] !== RowKind.PLAIN || rows.kind[i] !== RowKind.PLAIN) return false;
  if (!rows.isMixed(i - 1) || !rows.isMixed(i)) return false;
  if (divergence(rateOf(rows, i - 1), rateOf(rows, i)) > FAR) return false;
  const start = before - rows.size(i - 1);
  return (
    areDifferent(rows, i - 1, i) || cells.areDifferent(FOUND, start, before, before, before + rows.size(i))
  );
}

function rateOf(rows: Rows, i: number): number {
  return possibleRate(rows.hits[i]!, rows.trials[i]!);
}

/** How much a sample tells of which of two rates it has, on both sides together. */
export function divergence(a: number, b: number): number {
  return (a - b) * Math.log((a * (1 - b)) / (b * (1 - a)));
}

function move(rows: Rows, i: number, cells: Cells, before: number): void {
  const { pages } = cells;
  const start = before - rows.size(i - 1);
  const end = before + rows.size(i);
  const middle = Math.round(before / pages);
  const from = Math.max(cells.firstIn(start) + 1, middle - REACH);
  const to = Math.min(cells.lastIn(end) - 1, middle + REACH);
  const first = cells.firstIn(start);
  const after = cells.lastIn(end);
  if (from >= to || cells.trials(first, middle) === 0 || cells.trials(middle, after) === 0) return;
  const left = possibleRate(cells.hits(first, middle), cells.trials(first, middle));
  const right = possibleRate(cells.hits(middle, after), cells.trials(middle, after));
  const middleRate = (left + right) / 2;
  const forHit = Math.log(left / right);
  const forMiss = Math.log((1 - left) / (1 - right));
  const halfForHit = Math.log(middleRate / right);
  const halfForMiss = Math.log((1 - middleRate) / (1 - right));
  // By how much likelier it is after so many halves of cells than at `from`.
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
  if (divergence(left, right) > NEAR && likelihood(now) > best - UNLIKELY) return;
  const at = Math.round((from + mean / 2) * pages);
  rows.start[i]! += at - before;
  rows.end[i - 1] = rows.start[i]!;
}
