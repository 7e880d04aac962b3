import { possibleRate } from './likelihood.js';
import type { Reading } from './reading.js';

/** An edge is kept open between all places that are at most this much less likely than the best. */
const OPEN = 3;
/** One that reaches over so much of what it was is no clearer than before. */
const UNCLEAR = 0.6;
/** Rates that are nearer to each other tell too little of where one begins. */
const LEAST_APART = 0.05;

/**
 * Reads an EDGE, between two rows whose rates are known: the boundary lies where that makes the answers likeliest, or not much
 * farther. What is on its sides goes to the neighbours.
 *
 * @returns false where it has no two sides, or is no clearer than before: then it is as any other row
 */
export function readEdge(reading: Reading, i: number): boolean {
  const { table, memory, answers } = reading;
  const { startPage, endPage, count } = table;
  const start = startPage[i]!;
  const end = endPage[i]!;
  if (i === 0 || i + 1 === count || endPage[i - 1] !== start || startPage[i + 1] !== end) return false;
  if (memory.trials[i - 1] === 0 || memory.trials[i + 1] === 0) return false;
  const left = possibleRate(memory.hits[i - 1]!, memory.trials[i - 1]!);
  const right = possibleRate(memory.hits[i + 1]!, memory.trials[i + 1]!);
  if (Math.abs(left - right) < LEAST_APART) return false;
  reading.load(i);
  const { pages, isHit, count: asked } = answers;
  if (asked === 0) {
    reading.writeEdge(start, end);
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
  let first = -1;
  let last = -1;
  for (let at = 0, sum = 0; at <= asked; at++) {
    if (sum >= best - OPEN) {
      if (first < 0) first = at;
      last = at;
    }
    sum += at < asked && isHit[at] === 1 ? forHit : forMiss;
  }
  const from = first > 0 ? pages[first - 1]! + 1 : start;
  const to = last < asked ? Math.max(from, pages[last]!) : end;
  if (to - from > UNCLEAR * (end - start) && end - start > 2) return false;
  if (from > start) reading.extend(from, answers.hitsIn(0, first), first);
  reading.writeEdge(from, to);
  if (to < end) reading.leaveToNext(to, answers.hitsIn(last, asked), asked - last);
  return true;
}
