import { type Cells, isMixed } from './cells.js';
import { difference } from './likelihood.js';
import type { Rows } from './rows.js';

/** A row of fewer cells is known as finely without them. */
export const LEAST_WITH_PARTS = 4;
/** So many hits and misses must be remembered: a few hits are surprises that are followed otherwise. */
const LEAST_OF_BOTH = 8;
/** Parts are looked for whose odds are so many times those of the row, or one of so many. */
const ODDS = [2, 5, 16, 1 / 2, 1 / 5, 1 / 16] as const;
/** A part is looked at closely where a rate of its own makes what is remembered this much likelier. */
export const HINT = 5;
/** Above this it has been found: some thousand parts are tried, times the chance that chi-squared is above 26. */
export const FOUND = 13;
/** What is remembered of a part that has been found, at most. */
const MOST_TRIALS = 200;
/** What the others know. */
const FORGET = 5;

/** Finds parts of rows that have a rate of their own by what cells remember. */
export class Parts {
  /** The part that find() has found: pages, and what is known of them. */
  start = 0;
  end = 0;
  hits = 0;
  trials = 0;

  /**
   * Finds the part of a row that is likeliest to have a rate of its own. Some 10 ns a cell.
   *
   * @param before pages of the target before the row
   */
  find(cells: Cells, rows: Rows, i: number, before: number): boolean {
    const size = rows.size(i);
    if (size < LEAST_WITH_PARTS * cells.pages || !isMixed(rows.hits[i]!, rows.trials[i]!)) return false;
    const first = cells.firstIn(before);
    const after = cells.lastIn(before + size);
    const hits = cells.hits(first, after);
    const trials = cells.trials(first, after);
    if (Math.min(hits, trials - hits) < LEAST_OF_BOTH || !isMixed(hits, trials)) return false;
    const odds = hits / (trials - hits);
    let [best, bestFrom, bestTo] = [HINT, 0, 0];
    for (const ratio of ODDS) {
      const forMiss = Math.log((1 + odds) / (1 + odds * ratio));
      const forHit = Math.log(ratio) + forMiss;
      // The run of cells with the largest sum.
      let [sum, most, from, mostFrom, mostTo] = [0, 0, first, 0, 0];
      for (let c = first; c < after; c++) {
        const of = cells.hits(c, c + 1);
        sum += of * forHit + (cells.trials(c, c + 1) - of) * forMiss;
        if (sum <= 0) [sum, from] = [0, c + 1];
        else if (sum > most) [most, mostFrom, mostTo] = [sum, from, c + 1];
      }
      const within = cells.hits(mostFrom, mostTo);
      const of = cells.trials(mostFrom, mostTo);
      if (of === 0 || of === trials) continue;
      const gain = difference(within, of, hits - within, trials - of);
      if (gain > best) [best, bestFrom, bestTo] = [gain, mostFrom, mostTo];
    }
    if (bestTo === 0) return false;
    const start = rows.start[i]! - before;
    this.start = Math.max(rows.start[i]!, start + Math.round(bestFrom * cells.pages));
    this.end = Math.min(rows.end[i]!, start + Math.round(bestTo * cells.pages));
    const isFound = best > FOUND;
    const rate = isFound ? cells.hits(bestFrom, bestTo) / cells.trials(bestFrom, bestTo) : hits / trials;
    this.trials = isFound ? Math.min(MOST_TRIALS, cells.trials(bestFrom, bestTo)) : FORGET;
    this.hits = rate * this.trials;
    return this.end > this.start;
  }
}
