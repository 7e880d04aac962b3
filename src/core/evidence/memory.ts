import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import { isDifferenceAbove, possibleRate } from './likelihood.js';

/** A row whose answers differ this much from what was remembered of it has changed: the memory goes. */
const CHANGED = 8;
/** What is remembered of a row: so many samples at least, or those of so many aggregation intervals. */
const MEMORY_SAMPLES = 200;
const MEMORY_ROUNDS = 10;
/** So many samples count as much as the rate of all of the target. */
const LEANING = 20;

/** What is known of each row of a table by now: what was remembered with what was seen, or that alone where it has changed. */
export class Memory {
  hits = new Float64Array(0);
  trials = new Float64Array(0);
  /** Answers of this aggregation interval. */
  fresh = new Uint8Array(0);
  /** 1 where the answers are not what was remembered. */
  hasChanged = new Uint8Array(0);
  /** Places of a row that may hold answers. */
  places = 0;
  /** The mean rate of all pages in this aggregation interval, never quite 0 or 1. */
  #meanRate = 0.5;

  /** Some 50 ns a row. */
  read(table: RegionTable): void {
    const { count, evidence, maxNrAccesses } = table;
    const { hits, trials, answers, answersPerRegion, kind } = evidence!;
    if (this.hits.length < count) {
      this.hits = new Float64Array(table.capacity);
      this.trials = new Float64Array(table.capacity);
      this.fresh = new Uint8Array(table.capacity);
      this.hasChanged = new Uint8Array(table.capacity);
    }
    const places = Math.min(answersPerRegion, maxNrAccesses);
    this.places = places;
    let weighted = 0;
    let pages = 0;
    let asked = 0;
    for (let i = 0; i < count; i++) {
      let nowHits = 0;
      let now = 0;
      for (let at = i * answersPerRegion, end = at + places; at < end; at++) {
        const answer = answers[at]!;
        if (answer === 0) continue;
        now++;
        if (answer > 0) nowHits++;
      }
      this.fresh[i] = now;
      this.hasChanged[i] = 0;
      let known = trials[i]!;
      if (now === 0 || kind[i] === RowKind.PROBE) {
        this.hits[i] = hits[i]!;
        this.trials[i] = known;
        continue;
      }
      if (kind[i] === RowKind.PLAIN) {
        const size = table.endPage[i]! - table.startPage[i]!;
        weighted += (size * nowHits) / now;
        pages += size;
        asked += now;
      }
      if (known > 0 && isDifferenceAbove(CHANGED, nowHits, now, hits[i]!, known)) {
        this.hasChanged[i] = 1;
        known = 0;
      }
      // Old samples fade, so that no more are remembered than may be.
      const most = Math.max(MEMORY_SAMPLES, MEMORY_ROUNDS * now);
      const fade = known === 0 ? 0 : Math.min(1, (most - now) / known);
      this.hits[i] = hits[i]! * fade + nowHits;
      this.trials[i] = known * fade + now;
    }
    this.#meanRate = possibleRate(pages > 0 ? (weighted / pages) * asked : asked / 2, asked);
  }

  /** The rate that a row was taken to have; one that was hardly hit, or that little is known of, leans to that of the target. */
  expected(hits: number, trials: number): number {
    return 2 * hits > trials
      ? possibleRate(hits, trials)
      : (hits + LEANING * this.#meanRate) / (trials + LEANING);
  }
}
