import type { RegionTable } from '../region-table.js';
import { MAX_ANSWERS } from './columns.js';

/** What the samples of one row said in an aggregation interval, in the order of their pages. */
export class Answers {
  count = 0;
  hits = 0;
  readonly pages = new Float64Array(MAX_ANSWERS);
  readonly isHit = new Uint8Array(MAX_ANSWERS);
  /** Hits among the first so many. */
  readonly before = new Uint8Array(MAX_ANSWERS + 1);

  /**
   * Some 50 ns.
   *
   * @param places of the row that may hold an answer
   */
  load(table: RegionTable, row: number, places: number): void {
    const { answers, answersPerRegion } = table.evidence!;
    const start = table.startPage[row]!;
    const end = table.endPage[row]!;
    const { pages, isHit, before } = this;
    let count = 0;
    let hits = 0;
    let isOrdered = true;
    for (let at = row * answersPerRegion, last = at + places; at < last; at++) {
      const answer = answers[at]!;
      if (answer === 0) continue;
      const page = Math.abs(answer) - 1;
      // Mappings that have changed since may have left less of the row.
      if (page < start || page >= end) continue;
      const hit = answer > 0 ? 1 : 0;
      // They are in order already but for what the check has moved by some pages.
      let to = count++;
      for (; to > 0 && pages[to - 1]! > page; to--) {
        pages[to] = pages[to - 1]!;
        isHit[to] = isHit[to - 1]!;
        isOrdered = false;
      }
      pages[to] = page;
      isHit[to] = hit;
      hits += hit;
      before[count] = hits;
    }
    for (let i = 0; !isOrdered && i < count; i++) before[i + 1] = before[i]! + isHit[i]!;
    this.count = count;
    this.hits = hits;
  }

  /** Hits among those from `from` to before `to`. */
  hitsIn(from: number, to: number): number {
    return this.before[to]! - this.before[from]!;
  }
}
