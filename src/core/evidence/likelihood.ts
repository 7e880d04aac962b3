import { MAX_ANSWERS } from './columns.js';

/**
 * What the tests are made of: logarithms of likelihoods of answers. `hits` of `trials` samples found their page accessed; each
 * would by itself with the probability `rate`.
 */

const SIZE = MAX_ANSWERS + 1;

/** At the rate that makes these answers most likely, which is hits / trials. */
export function bestLogLikelihood(hits: number, trials: number): number {
  const misses = trials - hits;
  if (hits <= 0 || misses <= 0) return 0;
  return timesLog(hits) + timesLog(misses) - timesLog(trials);
}

/** The same of whole numbers up to MAX_ANSWERS. */
export function bestOfFew(hits: number, trials: number): number {
  return FEW[hits * SIZE + trials]!;
}

const STEPS = 16;
const TABLE_END = 1_024;
const TIMES_LOG = Float64Array.from({ length: TABLE_END * STEPS + 2 }, (_, i) =>
  i === 0 ? 0 : (i / STEPS) * Math.log(i / STEPS),
);

/** x log x, within 0.03, and where x is 1 or more within 0.0005: from a table, for logarithms would be most of all costs. */
function timesLog(x: number): number {
  if (x >= TABLE_END) return x * Math.log(x);
  const at = x * STEPS;
  const below = at | 0;
  const least = TIMES_LOG[below]!;
  return least + (at - below) * (TIMES_LOG[below + 1]! - least);
}

/** Groups of the rarer of so many answers, and one more. */
const GROUPS = (MAX_ANSWERS >> 1) + 2;
/** mostGain where it has been asked for, else -1. */
const MOST_GAINS = new Float64Array(SIZE * SIZE * GROUPS).fill(-1);

/** bestLogLikelihood of few answers, at hits * SIZE + trials. */
const FEW = Float64Array.from({ length: SIZE * SIZE }, (_, i) => {
  const [hits, trials] = [Math.floor(i / SIZE), i % SIZE];
  return hits > trials ? Number.NaN : bestLogLikelihood(hits, trials);
});

/**
 * The most that a run of answers in a row of `trials` can gain, where the rarer answer comes `rare` times in so many groups:
 * the run holds what lies between its groups.
 */
export function mostGain(rare: number, trials: number, groups: number): number {
  const at = (rare * SIZE + trials) * GROUPS + groups;
  const known = MOST_GAINS[at]!;
  if (known >= 0) return known;
  let most = Number.NEGATIVE_INFINITY;
  for (let inside = 1; inside <= groups; inside++) {
    for (let hits = inside; hits <= rare - groups + inside; hits++) {
      const length = hits + inside - 1;
      most = Math.max(most, bestOfFew(hits, length) + bestOfFew(rare - hits, trials - length));
    }
  }
  MOST_GAINS[at] = most - bestOfFew(rare, trials);
  return MOST_GAINS[at]!;
}

/** At this rate, above 0 and below 1. */
export function logLikelihood(hits: number, trials: number, rate: number): number {
  return hits * Math.log(rate) + (trials - hits) * Math.log(1 - rate);
}

/** A rate that answers leave possible: never 0 and never 1 (Jeffreys' estimate). */
export function possibleRate(hits: number, trials: number): number {
  return (hits + 0.5) / (trials + 1);
}

/**
 * How much likelier two rates make two sets of answers than one rate for both; twice this has, where there is one rate, a
 * chi-squared distribution with one degree of freedom.
 */
export function difference(hitsA: number, trialsA: number, hitsB: number, trialsB: number): number {
  const hits = hitsA + hitsB;
  const trials = trialsA + trialsB;
  if (hits === 0 || hits === trials) return 0;
  return Math.max(
    0,
    bestLogLikelihood(hitsA, trialsA) + bestLogLikelihood(hitsB, trialsB) - bestLogLikelihood(hits, trials),
  );
}

/**
 * Whether `difference` is above a bound. Most are far from it, which two bounds of their own tell without a logarithm: of
 * two rates p and q, the divergence is at least 2 (p - q)^2 (Pinsker) and at most (p - q)^2 / (q (1 - q)).
 */
export function isDifferenceAbove(
  bound: number,
  hitsA: number,
  trialsA: number,
  hitsB: number,
  trialsB: number,
): boolean {
  const trials = trialsA + trialsB;
  const apart = hitsA / trialsA - hitsB / trialsB;
  const weighted = (apart * apart * trialsA * trialsB) / trials;
  if (2 * weighted > bound) return true;
  const rate = (hitsA + hitsB) / trials;
  if (weighted <= bound * rate * (1 - rate)) return false;
  return difference(hitsA, trialsA, hitsB, trialsB) > bound;
}

/** By how much a rate must differ from this one to be of interest. */
function interest(rate: number): number {
  return 0.1 + 0.2 * Math.sqrt(rate * (1 - rate));
}

/**
 * Whether answers are so much likelier at this rate than at one that differs enough to be of interest, higher or lower, that
 * it may be left at that: the lower bound of a sequential test.
 */
export function isSettledAs(rate: number, hits: number, trials: number, bound: number): boolean {
  const step = interest(rate);
  const same = logLikelihood(hits, trials, rate);
  const [above, below] = [rate + step, rate - step];
  return (
    (above >= 1 || logLikelihood(hits, trials, above) - same < -bound) &&
    (below <= 0 || logLikelihood(hits, trials, below) - same < -bound)
  );
}
