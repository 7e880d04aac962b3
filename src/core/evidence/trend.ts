/**
 * Whether answers lean away from a rate: Page's cumulative sums (Biometrika 41, 1954), one for odds that are five times as
 * large now, one for a fifth. Answers add the logarithm of how much likelier they are at these odds; a sum that is not above
 * 0 begins anew, so that what was before a change does not weigh against it.
 */

/** By what factor odds have changed that are looked for. */
const TIMES = 5;
const FOR_HIT = Math.log(TIMES);
const STEPS = 1_024;
/** By the rate before: what each answer takes from the sum for larger odds, and what it gives to that for smaller ones. */
const LARGER = byRate((rate) => Math.log(1 + (TIMES - 1) * rate));
const SMALLER = byRate((rate) => -Math.log(1 - (1 - 1 / TIMES) * rate));

/** What answers add to the sum for larger odds. @param rate before, 0 .. 1 */
export function forLarger(hits: number, trials: number, rate: number): number {
  return hits * FOR_HIT - trials * LARGER[Math.round(rate * STEPS)]!;
}

/** What answers add to the sum for smaller odds. @param rate before, 0 .. 1 */
export function forSmaller(hits: number, trials: number, rate: number): number {
  return trials * SMALLER[Math.round(rate * STEPS)]! - hits * FOR_HIT;
}

function byRate(of: (rate: number) => number): Float64Array {
  return Float64Array.from({ length: STEPS + 1 }, (_, i) => of(i / STEPS));
}
