import { bestOfFew, logLikelihood, possibleRate } from './likelihood.js';
import type { Reading } from './reading.js';

/** A closer look has found something where two rates make its answers this much likelier than that of the ground. */
const FOUND = 7;
/** Below this there is not even a hint. */
const HINT = 3;

/**
 * Reads a PROBE: something is there where the answers around its page are not those of the ground, whose memory it has. What
 * has neither been found nor ruled out goes on as a row of its own.
 *
 * @returns 1 where something was found
 */
export function readProbe(reading: Reading, i: number): number {
  const { table, answers } = reading;
  const { evidence } = table;
  const start = table.startPage[i]!;
  const end = table.endPage[i]!;
  const had = evidence!.hits[i]!;
  const of = evidence!.trials[i]!;
  const pivot = evidence!.pivot[i]!;
  const ground = possibleRate(had, of);
  const isCold = ground < 0.5;
  reading.load(i);
  const { pages, count } = answers;
  let middle = 0;
  while (middle < count && pages[middle]! < pivot) middle++;
  let beyond = middle;
  while (beyond < count && pages[beyond] === pivot) beyond++;
  let [best, from, to] = [0, middle, beyond];
  if (beyond > middle) {
    for (let a = middle; a >= 0; a--) {
      for (let b = beyond; b <= count; b++) {
        const hits = answers.hitsIn(a, b);
        if (hits / (b - a) > ground !== isCold) continue;
        const gain = bestOfFew(hits, b - a) - logLikelihood(hits, b - a, ground);
        if (gain > best) [best, from, to] = [gain, a, b];
      }
    }
  }
  if (best < HINT) {
    reading.write(i, start, end, had, of, 0);
    return 0;
  }
  const left = Math.min(pages[from]!, from > 0 ? pages[from - 1]! + 1 : start);
  const right = Math.max(pages[to - 1]! + 1, to < count ? pages[to]! : end);
  const isFound = best > FOUND;
  const first = isFound ? pages[from]! : left;
  const after = isFound ? pages[to - 1]! + 1 : right;
  if (left > start) reading.write(i, start, left, had, of, 0);
  reading.writeEdge(left, first);
  reading.write(i, first, after, answers.hitsIn(from, to), to - from, to - from);
  reading.writeEdge(after, right);
  if (end > right) reading.write(i, right, end, had, of, 0);
  return isFound ? 1 : 0;
}
