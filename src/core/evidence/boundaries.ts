import type { Cells } from './cells.js';
import { RowKind } from './columns.js';
import { areDifferent } from './join.js';
import { possibleRate } from './likelihood.js';
import { FOUND } from './parts.js';
import type { Rows } from './rows.js';

/** Rows that are smaller know their ends better without cells. */
const LEAST_CELLS = 2;
/** A boundary is looked for so many cells to both sides. */
const REACH = 32;
/** Rates whose divergence is above this are told apart within a row. */
const NEAR = 0.5;

/**
 * Moves boundaries between large rows whose rates are near to each other to where cells say that they are: the mean of all
 * places, each as likely as it makes what is remembered. Sets how far off that may be.
 */
export function moveBoundaries(rows: Rows, cells: Cells): void {
  let before = 0;
  for (let i = 0; i < rows.count; i++) {
    rows.blur[i] = -1;
    if (i > 0 && isNear(rows, i, cells, before)) move(rows, i, cells, before);
    before += rows.size(i);
  }
}

function isNear(rows: Rows, i: number, cells: Cells, before: number): boolean {
  const least = LEAST_CELLS * cells.pages;
  if (!rows.touches(i - 1) || rows.size(i - 1) < least || rows.size(i) < least) return false;
  if (rows.kind[i - 1] !== RowKind.PLAIN || rows.kind[i] !== RowKind.PLAIN) return false;
  if (!rows.isMixed(i - 1) || !rows.isMixed(i)) return false;
  if (divergence(rateOf(rows, i - 1), rateOf(rows, i)) > NEAR) return false;
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
  const forHit = Math.log(left / right);
  const forMiss = Math.log((1 - left) / (1 - right));
  const likelihood = (c: number) => {
    const hits = cells.hits(from, c);
    return hits * forHit + (cells.trials(from, c) - hits) * forMiss;
  };
  let best = 0;
  for (let c = from; c <= to; c++) best = Math.max(best, likelihood(c));
  let [sum, mean, square] = [0, 0, 0];
  for (let c = from; c <= to; c++) {
    const weight = Math.exp(likelihood(c) - best);
    sum += weight;
    mean += weight * (c - from);
    square += weight * (c - from) ** 2;
  }
  mean /= sum;
  const at = Math.round((from + mean) * pages);
  rows.blur[i] = pages * Math.sqrt(square / sum - mean * mean + 1 / 12);
  rows.start[i]! += at - before;
  rows.end[i - 1] = rows.start[i]!;
}
