import { MAX_ANSWERS } from './columns.js';
import { bestOfFew, difference, logLikelihood, mostGain } from './likelihood.js';
import type { Reading } from './reading.js';

/** A row is cut where two rates make its answers this much likelier than one. */
const CUT = 11;
/** Or this much, where the answers inside are that unlikely at the rate that was known before. */
const CUT_AT_LEAST = 6;
const CUT_FROM_KNOWN = 14;
/** A boundary is kept open between all places that are at most this much less likely than the best. */
const OPEN = 2;
/** A part of a row that was cut keeps the memory of the whole where it differs no more than this. */
const SAME_AS_BEFORE = 2;
/** Neighbouring answers are a surprise where so many such runs or fewer were to be expected in a row. */
const SURPRISE = 0.5;
/** A part that was cut is cut again, so often at most. */
const MOST_DEPTH = 5;

/** Cuts rows where their rarer answers are gathered. */
export class Cutter {
  /** Where runs of the rarer answer begin and end. */
  readonly #runFrom = new Uint8Array(MAX_ANSWERS);
  readonly #runTo = new Uint8Array(MAX_ANSWERS);
  /** The rarer answer, and how many of it there are side by side at most. */
  #rare = 0;
  #longest = 0;
  #best = 0;
  #bestFrom = 0;
  #bestTo = 0;

  constructor(readonly reading: Reading) {}

  /**
   * Writes [start, end) of row `i`, which answers `from` to before `to` are of, in one piece or in several.
   *
   * @param had of `of` samples, what was remembered of these pages
   * @param depth 0 for a whole row
   * @returns how many cuts were made
   */
  cut(
    i: number,
    from: number,
    to: number,
    start: number,
    end: number,
    had: number,
    of: number,
    depth: number,
  ): number {
    const { reading } = this;
    const { answers, memory } = reading;
    const { pages } = answers;
    const count = to - from;
    const hits = answers.hitsIn(from, to);
    const isMixed = hits > 0 && hits < count && depth <= MOST_DEPTH;
    if (isMixed) this.#findBest(from, to);
    const known = depth > 0 && of === 0 ? -1 : memory.expected(had, of);
    if (!isMixed || !this.#isWorthIt(known)) {
      if (depth === 0) {
        if (isMixed) this.#suspect(from, to, start, end, known);
        reading.writeWhole(i);
      } else {
        const keeps = of > 0 && difference(hits, count, had, of) < SAME_AS_BEFORE;
        reading.write(i, start, end, hits + (keeps ? had : 0), count + (keeps ? of : 0), count);
      }
      return 0;
    }
    const bestFrom = this.#bestFrom;
    const bestTo = this.#bestTo;
    // Between the outermost and the innermost place where either boundary may be.
    let [outFrom, inFrom, inTo, outTo] = [bestFrom, bestFrom, bestTo, bestTo];
    const least = this.#likelihood(from, bestFrom, bestTo, to) - OPEN;
    while (outFrom > from && this.#likelihood(from, outFrom - 1, bestTo, to) > least) outFrom--;
    while (inFrom + 1 < bestTo && this.#likelihood(from, inFrom + 1, bestTo, to) > least) inFrom++;
    while (outTo < to && this.#likelihood(from, bestFrom, outTo + 1, to) > least) outTo++;
    while (inTo - 1 > inFrom + 1 && this.#likelihood(from, bestFrom, inTo - 1, to) > least) inTo--;
    // No boundary lies within a page.
    while (outFrom > from && pages[outFrom - 1] === pages[outFrom]) outFrom--;
    while (outTo < to && pages[outTo] === pages[outTo - 1]) outTo++;
    // What was remembered of the whole holds what the inner part brought in: the outer parts go on without that.
    const inner = answers.hitsIn(bestFrom, bestTo) / (bestTo - bestFrom);
    const share = Math.min(1, (pages[bestTo - 1]! + 1 - pages[bestFrom]!) / (end - start));
    const outerOf = of * (1 - share);
    const outerHad = Math.min(outerOf, Math.max(0, had - of * share * inner));
    let cuts = 1;
    let at = start;
    if (outFrom > from) {
      const edge = pages[outFrom - 1]! + 1;
      cuts += this.cut(i, from, outFrom, at, edge, outerHad, outerOf, depth + 1);
      at = Math.max(edge, pages[inFrom]!);
      reading.writeEdge(edge, at);
    }
    if (outTo === to) return cuts + this.cut(i, inFrom, inTo, at, end, 0, 0, depth + 1);
    const innerEnd = Math.max(at + 1, pages[inTo - 1]! + 1);
    cuts += this.cut(i, inFrom, inTo, at, innerEnd, 0, 0, depth + 1);
    at = Math.max(innerEnd, pages[outTo]!);
    reading.writeEdge(innerEnd, at);
    return cuts + this.cut(i, outTo, to, at, end, outerHad, outerOf, depth + 1);
  }

  /** Finds the answers that a rate of their own suits best: they begin and end with the rarer one. */
  #findBest(from: number, to: number): void {
    const { pages, isHit, before } = this.reading.answers;
    const runFrom = this.#runFrom;
    const runTo = this.#runTo;
    const count = to - from;
    const hits = before[to]! - before[from]!;
    const rare = 2 * hits <= count ? 1 : 0;
    let runs = 0;
    let together = 0;
    let longest = 0;
    for (let at = from; at < to; at++) {
      if (isHit[at] !== rare) {
        together = 0;
        continue;
      }
      if (++together > longest) longest = together;
      // No cut lies within a page.
      if (at > from && runs > 0 && (together > 1 || pages[at - 1] === pages[at])) {
        runTo[runs - 1] = at + 1;
      } else {
        runFrom[runs] = at;
        runTo[runs++] = at + 1;
      }
    }
    this.#rare = rare;
    this.#longest = longest;
    this.#best = 0;
    // Most rows are spared what follows: their answers are too well mixed.
    if (mostGain(rare === 1 ? hits : count - hits, count, runs) <= CUT_AT_LEAST) return;
    const all = bestOfFew(hits, count);
    for (let a = 0; a < runs; a++) {
      const first = runFrom[a]!;
      for (let b = a; b < runs; b++) {
        const after = runTo[b]!;
        const length = after - first;
        const within = before[after]! - before[first]!;
        const gain = bestOfFew(within, length) + bestOfFew(hits - within, count - length) - all;
        if (gain > this.#best && length < count) {
          this.#best = gain;
          this.#bestFrom = first;
          this.#bestTo = after;
        }
      }
    }
  }

  #isWorthIt(known: number): boolean {
    if (this.#best > CUT) return true;
    if (known < 0 || this.#best <= CUT_AT_LEAST) return false;
    const length = this.#bestTo - this.#bestFrom;
    const hits = this.reading.answers.hitsIn(this.#bestFrom, this.#bestTo);
    return bestOfFew(hits, length) - logLikelihood(hits, length, known) > CUT_FROM_KNOWN;
  }

  /** Of the answers from `from` to before `to` where those of [a, b) have a rate of their own. */
  #likelihood(from: number, a: number, b: number, to: number): number {
    const { answers } = this.reading;
    const within = answers.hitsIn(a, b);
    return bestOfFew(within, b - a) + bestOfFew(answers.hitsIn(from, to) - within, to - from - (b - a));
  }

  /** Runs of answers that were not to be expected are to be looked at closely, as far as the next others. */
  #suspect(from: number, to: number, start: number, end: number, known: number): void {
    const { suspects, random, answers } = this.reading;
    const { pages, isHit } = answers;
    const strange = known < 0.5 ? 1 : 0;
    const chance = strange === 1 ? known : 1 - known;
    let least = 1;
    for (let runs = (to - from) * chance; runs > SURPRISE; runs *= chance) least++;
    if (strange === this.#rare && this.#longest < least) return;
    for (let at = from; at < to; at++) {
      if (isHit[at] !== strange) continue;
      const first = at;
      while (at + 1 < to && isHit[at + 1] === strange) at++;
      if (at + 1 - first < least) continue;
      const left = first > from ? pages[first - 1]! + 1 : start;
      const right = at + 1 < to ? pages[at + 1]! : end;
      suspects.add(pages[(first + at) >> 1]!, left, right, random);
    }
  }
}
