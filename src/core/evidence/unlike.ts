import type { Cells } from './cells.js';

/** A part that is unlike the rest of its row has odds so many times, or one of so many, those of the row. */
const ODDS = 5;
/** So many of either kind are expected in a target before anything is known, each of so many cells. */
const EXPECTED = 3;
const LENGTH = 4;

/**
 * How much of a large row may be unlike the rest of it: a hidden Markov chain along its cells, of which each is like the
 * row, or in a part that is accessed more or less. The root of the mean square of the number of pages in such parts, over all
 * ways in which there may be such, each as likely as it makes what cells remember (the forward algorithm). Some 50 ns a cell.
 *
 * @param first and the first cell after the row
 * @param count cells of the target
 */
export function unlikePages(cells: Cells, first: number, after: number, count: number): number {
  const hits = cells.hits(first, after);
  const trials = cells.trials(first, after);
  const odds = (hits + 0.5) / (trials - hits + 0.5);
  const more = Math.log((1 + odds) / (1 + odds * ODDS));
  const less = Math.log((1 + odds) / (1 + odds / ODDS));
  const step = Math.log(ODDS);
  const begin = EXPECTED / count;
  const end = 1 / LENGTH;
  // Of each state: its chance, and with that the mean and the mean square of the number of cells in parts so far.
  let [like, likeSum, likeSquare] = [1, 0, 0];
  let [high, highSum, highSquare] = [0, 0, 0];
  let [low, lowSum, lowSquare] = [0, 0, 0];
  for (let c = first; c < after; c++) {
    const h = cells.hits(c, c + 1);
    const misses = cells.trials(c, c + 1) - h;
    const ifHigh = Math.exp(h * (step + more) + misses * more);
    const ifLow = Math.exp(h * (less - step) + misses * less);
    const nextLike = (1 - 2 * begin) * like + end * (high + low);
    const nextLikeSum = (1 - 2 * begin) * likeSum + end * (highSum + lowSum);
    const nextLikeSquare = (1 - 2 * begin) * likeSquare + end * (highSquare + lowSquare);
    const nextHigh = ifHigh * (begin * like + (1 - end) * high);
    const highBefore = ifHigh * (begin * likeSum + (1 - end) * highSum);
    const highSquareBefore = ifHigh * (begin * likeSquare + (1 - end) * highSquare);
    const nextLow = ifLow * (begin * like + (1 - end) * low);
    const lowBefore = ifLow * (begin * likeSum + (1 - end) * lowSum);
    const lowSquareBefore = ifLow * (begin * likeSquare + (1 - end) * lowSquare);
    const all = 1 / (nextLike + nextHigh + nextLow);
    [like, likeSum, likeSquare] = [nextLike * all, nextLikeSum * all, nextLikeSquare * all];
    high = nextHigh * all;
    highSum = (highBefore + nextHigh) * all;
    highSquare = (highSquareBefore + 2 * highBefore + nextHigh) * all;
    low = nextLow * all;
    lowSum = (lowBefore + nextLow) * all;
    lowSquare = (lowSquareBefore + 2 * lowBefore + nextLow) * all;
  }
  return cells.pages * Math.sqrt(likeSquare + highSquare + lowSquare);
}
