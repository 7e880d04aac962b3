import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import { isDifferenceAbove, possibleRate } from './likelihood.js';
import { forLarger, forSmaller } from './trend.js';

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
  /** The latest of these, which lean away from the rest (trend.ts): so a row that is hardly asked tells that it has changed. */
  pendingHits = new Float64Array(0);
  pendingTrials = new Float64Array(0);
  /** How much likelier they are at a fifth of the odds: a logarithm. */
  toSmaller = new Float64Array(0);
  /** Answers of this aggregation interval. */
  fresh = new Uint8Array(0);
  freshHits = new Uint8Array(0);
  /** 1 where the answers are not what was remembered. */
  hasChanged = new Uint8Array(0);
  /** Places of a row that may hold answers. */
  places = 0;
  /** The mean rate of all pages in this aggregation interval, never quite 0 or 1. */
  #meanRate = 0.5;

  /** Some 50 ns a row. */
  read(table: RegionTable): void {
    const { count, evidence, maxNrAccesses } = table;
    const { answers, answersPerRegion, kind } = evidence!;
    if (this.hits.length < count) this.#grow(table.capacity);
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
      this.freshHits[i] = nowHits;
      if (now > 0 && kind[i] === RowKind.PLAIN) {
        const size = table.endPage[i]! - table.startPage[i]!;
        weighted += (size * nowHits) / now;
        pages += size;
        asked += now;
      }
      this.#learn(table, i);
    }
    changeTogether(this, table);
    this.#meanRate = possibleRate(pages > 0 ? (weighted / pages) * asked : asked / 2, asked);
  }

  /** The rate that a row was taken to have; one that was hardly hit, or that little is known of, leans to that of the target. */
  expected(hits: number, trials: number): number {
    return 2 * hits > trials
      ? possibleRate(hits, trials)
      : (hits + LEANING * this.#meanRate) / (trials + LEANING);
  }

  #learn({ evidence }: RegionTable, i: number): void {
    const { hits, trials, pendingHits, pendingTrials, kind } = evidence!;
    const now = this.fresh[i]!;
    const nowHits = this.freshHits[i]!;
    let news = pendingTrials[i]!;
    let newHits = pendingHits[i]!;
    this.hasChanged[i] = 0;
    this.toSmaller[i] = 0;
    if (now === 0 || kind[i] === RowKind.PROBE) {
      this.hits[i] = hits[i]!;
      this.trials[i] = trials[i]!;
      this.pendingHits[i] = newHits;
      this.pendingTrials[i] = news;
      return;
    }
    let known = trials[i]! - news;
    let knownHits = hits[i]! - newHits;
    let isPending = false;
    if (hits[i]! + nowHits === 0 || (hits[i]! === trials[i]! && nowHits === now)) {
      // Most rows are never hit, or always.
      known = trials[i]!;
      knownHits = hits[i]!;
      news = now;
      newHits = nowHits;
    } else {
      const rate = known > 0 ? possibleRate(knownHits, known) : 0;
      const larger = Math.max(0, forLarger(newHits, news, rate));
      const smaller = Math.max(0, forSmaller(newHits, news, rate));
      const toLarger = larger + forLarger(nowHits, now, rate);
      const toSmaller = smaller + forSmaller(nowHits, now, rate);
      if ((toLarger > toSmaller ? larger : smaller) === 0) {
        // The new answers lean to the other side, if they do: those before were chance.
        known = trials[i]!;
        knownHits = hits[i]!;
        news = newHits = 0;
      }
      news += now;
      newHits += nowHits;
      if (known > 0) {
        this.toSmaller[i] = toSmaller;
        this.hasChanged[i] = isDifferenceAbove(CHANGED, newHits, news, knownHits, known) ? 1 : 0;
      }
      if (this.hasChanged[i] === 1) known = knownHits = 0;
      isPending = news < known && Math.max(toLarger, toSmaller) > 0;
    }
    // Old samples fade, so that no more are remembered than may be.
    const most = Math.max(MEMORY_SAMPLES, MEMORY_ROUNDS * now);
    const fade = known <= most - news ? 1 : Math.max(0, (most - news) / known);
    this.hits[i] = knownHits * fade + newHits;
    this.trials[i] = known * fade + news;
    this.pendingHits[i] = isPending ? newHits : 0;
    this.pendingTrials[i] = isPending ? news : 0;
  }

  #grow(rows: number): void {
    this.hits = new Float64Array(rows);
    this.trials = new Float64Array(rows);
    this.pendingHits = new Float64Array(rows);
    this.pendingTrials = new Float64Array(rows);
    this.toSmaller = new Float64Array(rows);
    this.fresh = new Uint8Array(rows);
    this.freshHits = new Uint8Array(rows);
    this.hasChanged = new Uint8Array(rows);
  }
}

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
function changeTogether(memory: Memory, { count, startPage, endPage, evidence }: RegionTable): void {
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
