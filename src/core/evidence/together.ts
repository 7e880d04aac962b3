import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import type { Memory } from './memory.js';

/**
 * Neighbours have become colder together where that makes their answers this much likelier: a thousand rows come to it by
 * chance in one of 3,000 aggregation intervals, for a sum of such logarithms exceeds x with a chance of e^-x at most.
 */
const TOGETHER = 15;
/** What each row has to add. */
const FOR_EACH = 1;
/** So many samples of all are what is known of each from then on: or by itself none could be told from the ground. */
const SHARED = 8;

/**
 * Where what was hot has been cut into pieces, none may be asked often enough to tell soon that it is not hot any more; all
 * together tell it at once. (What becomes hotter has no need of it: its hits are surprises.)
 */
export function changeTogether(memory: Memory, { count, startPage, endPage, evidence }: RegionTable): void {
  const { toSmaller } = memory;
  // A run of rows goes on while its sum is above 0, and counts as far as that was largest.
  let [sum, from, most, to] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const touches = i > 0 && endPage[i - 1] === startPage[i];
    // Of what was planned for a closer look at it nothing is known.
    if (touches && evidence!.kind[i] !== RowKind.PLAIN) continue;
    const more = toSmaller[i]! - FOR_EACH;
    if (touches && sum + more > 0) {
      sum += more;
    } else {
      if (most > TOGETHER) change(memory, from, to);
      [sum, from, most] = [Math.max(0, more), more > 0 ? i : i + 1, 0];
    }
    if (sum > most) [most, to] = [sum, i + 1];
  }
  if (most > TOGETHER) change(memory, from, to);
}

/** What rows say now is what is known of each. */
function change(memory: Memory, from: number, to: number): void {
  const { hits, trials, pendingHits, pendingTrials, hasChanged } = memory;
  if (to - from < 2) return;
  let [allHits, all] = [0, 0];
  for (let i = from; i < to; i++) {
    allHits += pendingHits[i]!;
    all += pendingTrials[i]!;
  }
  for (let i = from; i < to; i++) {
    const news = pendingTrials[i]!;
    if (news === 0) continue;
    const shared = Math.max(0, Math.min(SHARED, all) - news);
    hasChanged[i] = 1;
    trials[i] = news + shared;
    hits[i] = pendingHits[i]! + (shared * allHits) / all;
    pendingHits[i] = pendingTrials[i] = 0;
  }
}
