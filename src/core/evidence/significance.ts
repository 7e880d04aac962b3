import { MAX_ANSWERS } from './columns.js';

// The tests. `hits` of `trials` samples found their page accessed, each independently with the probability `rate`.

/**
 * The levels of significance. Each is a *gain*: how much larger the logarithm of the likelihood of the answers is with two
 * rates than with one. If there is one rate, twice the gain has a chi-squared distribution with one degree of freedom
 * (Wilks), which gives the error rates below. A test that compares more needs a higher level.
 */

/** Two rates are as good as one; a place at most 7 times less likely than the best is possible. */
export const POSSIBLE = 2;
/** The same for what is read many times, edges and probes: the true place is excluded once in 70 times. */
export const FAINT = 3;
/** Worth a closer look, or waiting for more samples; with a known rate, enough to see that a boundary has moved. */
export const HINT = 5;
/** One comparison tells two rates apart: one false alarm in 16,000. */
export const DIFFERENT = 8;
/** The best of some 200 runs of answers tells a part of a row apart: one false alarm in 2,000 rows. */
export const CUT = 11;
/** The best of some thousand comparisons tells two rates apart: one false alarm in 8,000. */
export const SURE = 14;

/** Samples from which a rate counts as known. */
export const KNOWN = 20;

/** Rows whose rate r has r (1 - r) above this are mixed: it takes many samples to tell a part of one from the rest. */
const MIXED = 0.02;
/** Hit about as often as not. */
const VERY_MIXED = 0.1;

const SIZE = MAX_ANSWERS + 1;

/** Log-likelihood of answers at the rate that makes them most likely, which is hits / trials. */
export function bestLogLikelihood(hits: number, trials: number): number {
  const misses = trials - hits;
  if (hits <= 0 || misses <= 0) return 0;
  return timesLog(hits) + timesLog(misses) - timesLog(trials);
}

/** The same for whole numbers up to MAX_ANSWERS. */
export function bestOfFew(hits: number, trials: number): number {
  return FEW[hits * SIZE + trials]!;
}

const STEPS = 16;
const TABLE_END = 1_024;
const TIMES_LOG = Float64Array.from({ length: TABLE_END * STEPS + 2 }, (_, i) =>
  i === 0 ? 0 : (i / STEPS) * Math.log(i / STEPS),
);

/** x log x, within 0.03, and within 0.0005 for x of 1 or more. From a table: logarithms would be most of the cost. */
function timesLog(x: number): number {
  if (x >= TABLE_END) return x * Math.log(x);
  const at = x * STEPS;
  const below = at | 0;
  const least = TIMES_LOG[below]!;
  return least + (at - below) * (TIMES_LOG[below + 1]! - least);
}

/** More than the rarer answer can have groups. */
const GROUPS = (MAX_ANSWERS >> 1) + 2;
/** Results of mostGain; -1 if not computed yet. */
const MOST_GAINS = new Float64Array(SIZE * SIZE * GROUPS).fill(-1);

/** bestLogLikelihood, at hits * SIZE + trials. */
const FEW = Float64Array.from({ length: SIZE * SIZE }, (_, i) => {
  const [hits, trials] = [Math.floor(i / SIZE), i % SIZE];
  return hits > trials ? Number.NaN : bestLogLikelihood(hits, trials);
});

/**
 * The most that any run of answers can gain in a row of `trials`, if the rarer answer comes `rare` times, in this many
 * groups. A run includes the other answers between its groups.
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

/** Log-likelihood of answers at this rate, above 0 and below 1. */
export function logLikelihood(hits: number, trials: number, rate: number): number {
  return hits * Math.log(rate) + (trials - hits) * Math.log(1 - rate);
}

/** Jeffreys' estimate of a rate, never 0 and never 1. */
export function possibleRate(hits: number, trials: number): number {
  return (hits + 0.5) / (trials + 1);
}

/** How much likelier two rates make two sets of answers than one rate for both: their gain. */
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
 * Whether `difference` is above a level. Most are far from it, which needs no logarithm: the divergence of two rates p and q
 * is at least 2 (p - q)^2 (Pinsker) and at most (p - q)^2 / (q (1 - q)).
 */
export function isDifferenceAbove(
  level: number,
  hitsA: number,
  trialsA: number,
  hitsB: number,
  trialsB: number,
): boolean {
  const trials = trialsA + trialsB;
  const apart = hitsA / trialsA - hitsB / trialsB;
  const weighted = (apart * apart * trialsA * trialsB) / trials;
  if (2 * weighted > level) return true;
  const rate = (hitsA + hitsB) / trials;
  if (weighted <= level * rate * (1 - rate)) return false;
  return difference(hitsA, trialsA, hitsB, trialsB) > level;
}

/** How much a rate must differ from this one to be of interest. */
function interest(rate: number): number {
  return 0.1 + 0.2 * Math.sqrt(rate * (1 - rate));
}

/**
 * Whether answers are this much likelier at this rate than at any higher or lower one that differs enough to be of interest:
 * the lower bound of a sequential test.
 */
export function isSettledAs(rate: number, hits: number, trials: number, level: number): boolean {
  const step = interest(rate);
  const same = logLikelihood(hits, trials, rate);
  const [above, below] = [rate + step, rate - step];
  return (
    (above >= 1 || logLikelihood(hits, trials, above) - same < -level) &&
    (below <= 0 || logLikelihood(hits, trials, below) - same < -level)
  );
}

/** How much one sample on each side tells about which side has which rate. */
export function divergence(a: number, b: number): number {
  return (a - b) * Math.log((a * (1 - b)) / (b * (1 - a)));
}

/** Whether it takes many samples to tell a part of such a row from it; a single answer is a surprise in others. */
export function isMixed(hits: number, trials: number): boolean {
  return hits * (trials - hits) > MIXED * trials * trials;
}

export function isVeryMixed(hits: number, trials: number): boolean {
  return hits * (trials - hits) > VERY_MIXED * trials * trials;
}
