import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type Allowance, allot, FOR_PROBES } from './allot.js';
import { type Cells, isVeryMixed } from './cells.js';
import { RowKind } from './columns.js';
import { areDifferent } from './join.js';
import { LEAST_WITH_PARTS, Parts } from './parts.js';
import { isBetween } from './report.js';
import type { Rows } from './rows.js';
import type { Suspects } from './suspects.js';

/** A row that holds a boundary between rates near to each other is cut into so many, so that each can make up its mind. */
const PIECES = 4;
/** What a piece knows from the row that it was cut from: it must be able to turn out different. */
const FORGET = 5;
/** A row that is hit as often as not is looked at in pieces, once in so many aggregation intervals. */
const REVIEW = 8;
/** This part of a cell is small. */
const SMALL = 1 / 32;
/** Below this part of the smaller neighbour, where exactly the boundary lies is not worth more samples. */
const FINE = 1 / 256;

const parts = new Parts();

/**
 * Divides rows for the next aggregation interval, and decides how often each is asked. Nothing that is done here is ever
 * reported: what the next answers do not confirm is joined again.
 *
 * @param planned emptied; gets the result
 * @returns samples a page of cold ground
 */
export function plan(
  rows: Rows,
  suspects: Suspects,
  planned: Rows,
  allowance: Allowance,
  random: RandomGenerator,
  cells: Cells,
): number {
  const { samples, each, regions } = allowance;
  const spare = Math.max(0, regions - rows.count);
  suspects.keep(Math.min(Math.floor((FOR_PROBES * samples) / each), Math.floor(spare / 4)), random);
  divide(rows, suspects, planned, Math.floor(spare / 2), random, cells);
  return allot(planned, allowance);
}

/** Closer looks around suspects, and pieces of rows that hold a boundary. */
function divide(
  rows: Rows,
  suspects: Suspects,
  planned: Rows,
  mostPieces: number,
  random: RandomGenerator,
  cells: Cells,
): void {
  planned.count = 0;
  let suspect = 0;
  let pieces = 0;
  let before = 0;
  for (let i = 0; i < rows.count; before += rows.size(i++)) {
    const [start, end] = [rows.start[i]!, rows.end[i]!];
    while (suspect < suspects.count && suspects.pivot[suspect]! < start) suspect++;
    const isPlain = rows.kind[i] === RowKind.PLAIN;
    if (isPlain && pieces + PIECES <= mostPieces && (isWorthCutting(rows, i) || isDoubtful(rows, i, cells))) {
      pieces += pushPieces(rows, i, planned, random) - 1;
      continue;
    }
    if (isPlain && pieces + PIECES <= mostPieces && parts.find(cells, rows, i, before)) {
      pushAround(rows, i, planned, parts);
      pieces += 2;
      continue;
    }
    let from = start;
    const [hits, trials] = [rows.hits[i]!, rows.trials[i]!];
    for (; isPlain && suspect < suspects.count && suspects.pivot[suspect]! < end; suspect++) {
      const pivot = suspects.pivot[suspect]!;
      const left = Math.max(from, suspects.start[suspect]!);
      const right = Math.min(end, suspects.end[suspect]!);
      if (pivot < left || right <= pivot || right - left < 2) continue;
      if (left > from) pushPart(rows, i, planned, from, left);
      const at = planned.push(left, right, hits, trials, rows.last[i]!, rows.age[i]!, 0);
      planned.kind[at] = RowKind.PROBE;
      planned.pivot[at] = pivot;
      from = right;
    }
    if (from === start) rows.copyTo(i, planned);
    else if (from < end) pushPart(rows, i, planned, from, end);
  }
}

/** A row in some pieces of about the same length, that know little yet. Returns how many. */
function pushPieces(rows: Rows, i: number, into: Rows, random: RandomGenerator): number {
  const [start, size] = [rows.start[i]!, rows.size(i)];
  const count = Math.min(PIECES, size);
  const known = FORGET / Math.max(FORGET, rows.trials[i]!);
  const shift = size >= 4 * count ? uniformFloat64(random) - 0.5 : 0;
  let from = start;
  for (let p = 1; p <= count; p++) {
    const to = p === count ? start + size : start + Math.floor(((p + shift) * size) / count);
    into.push(from, to, rows.hits[i]! * known, rows.trials[i]! * known, rows.last[i]!, rows.age[i]!, 0);
    from = to;
  }
  return count;
}

/** A part of a row that knows little yet, and the rest. */
function pushAround(rows: Rows, i: number, into: Rows, { start, end, hits, trials }: Parts): void {
  if (start > rows.start[i]!) pushPart(rows, i, into, rows.start[i]!, start);
  into.push(start, end, hits, trials, rows.last[i]!, rows.age[i]!, 0);
  if (end < rows.end[i]!) pushPart(rows, i, into, end, rows.end[i]!);
}

/**
 * Whether a row that is hit now and then has stayed one for so long that it should be looked at in pieces again. Not where
 * cells see its parts; and not while it may be such a piece, but for one that is small beside a cell.
 */
function isDoubtful(rows: Rows, i: number, cells: Cells): boolean {
  const size = rows.size(i);
  const isOpen = rows.open[i] === 1 || (i + 1 < rows.count && rows.open[i + 1] === 1);
  return (
    isVeryMixed(rows.hits[i]!, rows.trials[i]!) &&
    rows.trials[i]! >= 100 &&
    (rows.age[i]! + i) % REVIEW === 0 &&
    size >= 8 &&
    size < (isOpen ? SMALL : LEAST_WITH_PARTS) * cells.pages
  );
}

/** A part of a row has its part of what is known. */
function pushPart(rows: Rows, i: number, into: Rows, start: number, end: number): void {
  const part = (end - start) / rows.size(i);
  into.push(start, end, rows.hits[i]! * part, rows.trials[i]! * part, rows.last[i]!, rows.age[i]!, 0);
}

function isWorthCutting(rows: Rows, i: number): boolean {
  if (!isBetween(rows, i) || rows.size(i) < 2) return false;
  if (rows.size(i) < FINE * Math.min(rows.size(i - 1), rows.size(i + 1))) return false;
  return areDifferent(rows, i - 1, i) && areDifferent(rows, i, i + 1);
}
