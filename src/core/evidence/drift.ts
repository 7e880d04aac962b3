import { RowKind } from './columns.js';
import { bestOfFew, logLikelihood, possibleRate } from './likelihood.js';
import type { Reading } from './reading.js';

/** A neighbour has grown into a row where its rate makes the answers next to it this much likelier than the row's. */
const GROWN = 4.5;
/** And this much likelier than one new rate for all of the row does: or a row that is hit less often now is taken for a boundary. */
const NOT_CHANGED = 2;
/** So many samples must be behind the rate of a neighbour. */
const LEAST_TRIALS = 8;

/**
 * How far the row before has grown into row `i`, whose answers are loaded. A boundary that moves is found so by two or three
 * answers next to it, where nothing else would be told by so few.
 *
 * @param known the rate that row `i` was taken to have
 * @returns the first answer that belongs to row `i`
 */
export function driftFromLeft(reading: Reading, i: number, known: number): number {
  const { answers, rows, table } = reading;
  if (!isRare(answers.isHit[0]!, known)) return 0;
  const start = table.startPage[i]!;
  const at = reading.rowBefore(start);
  if (at < 0 || rows.trials[at]! < LEAST_TRIALS) return 0;
  const rate = possibleRate(rows.hits[at]!, rows.trials[at]!);
  return reach(reading, rate, known, rows.size(at), 0, 1, start);
}

/** The same of the row after. Returns the first answer that belongs to it. */
export function driftFromRight(reading: Reading, i: number, known: number): number {
  const { answers, table, memory } = reading;
  const { startPage, endPage, count, evidence } = table;
  const last = answers.count - 1;
  if (!isRare(answers.isHit[last]!, known)) return answers.count;
  // The next that is neither an edge nor a closer look.
  let at = i + 1;
  while (at < count && evidence!.kind[at] !== RowKind.PLAIN && endPage[at - 1] === startPage[at]) at++;
  if (at >= count || endPage[at - 1] !== startPage[at] || memory.trials[at]! < LEAST_TRIALS)
    return answers.count;
  const rate = possibleRate(memory.hits[at]!, memory.trials[at]!);
  const size = endPage[at]! - startPage[at]!;
  return answers.count - reach(reading, rate, known, size, last, -1, endPage[i]!);
}

function isRare(isHit: number, known: number): boolean {
  return (isHit === 1) === known < 0.5;
}

/**
 * How many answers, from one end on, are likelier at a neighbour's rate; not beyond `most` pages: what is farther is something
 * else. None where one new rate for all of the row says nearly as much.
 */
function reach(
  { answers }: Reading,
  rate: number,
  known: number,
  most: number,
  first: number,
  step: number,
  fromPage: number,
): number {
  if (rate < 0.5 === known < 0.5) return 0;
  const { count, hits, pages, isHit } = answers;
  const forHit = Math.log(rate / known);
  const forMiss = Math.log((1 - rate) / (1 - known));
  let sum = 0;
  let best = GROWN;
  let length = 0;
  for (let n = 0; n < count; n++) {
    const at = first + n * step;
    if (Math.abs(pages[at]! - fromPage) > most) break;
    sum += isHit[at] === 1 ? forHit : forMiss;
    if (sum > best) {
      best = sum;
      length = n + 1;
    }
  }
  const others = count - length;
  if (length === 0 || others === 0) return length;
  const grown = step > 0 ? answers.hitsIn(0, length) : answers.hitsIn(others, count);
  const likelihood = logLikelihood(grown, length, rate) + bestOfFew(hits - grown, others);
  return likelihood - bestOfFew(hits, count) < NOT_CHANGED ? 0 : length;
}
