// Who is too dear to be asked in every tick is asked in one of several, and then counts as often.

/** A page that is mapped by up to so many processes is asked about every time. */
const FREELY = 16;

/** However many they are: what is asked about more rarely tells too little of an aggregation interval. */
const MOST_TURNS = 4;

/**
 * In how many ticks a page that `mappers` page tables map is asked about once, and then counts as often: each of them is
 * visited to mark the page and again to read its mark, so that the visits stay about as many as 16 mappers make.
 *
 * Whose turn it is depends on the tick and the region alone, neither of which knows about accesses, so the expected
 * nrAccesses is the same; what varies is more. Always a divisor of `ticks`, so that a page that is always accessed counts
 * exactly `ticks`.
 *
 * @param ticks in an aggregation interval
 */
export function turnsFor(mappers: number, ticks: number): number {
  return divisorUpTo(Math.min(MOST_TURNS, Math.ceil(mappers / FREELY)), ticks);
}

/**
 * In how many ticks each target is asked once, so that a tick costs no more than it may: `needed` at least, but no more than
 * there are targets, and a divisor of `ticks` as above.
 *
 * @param needed what a tick of all costs, as a multiple of what one may
 * @param ticks in an aggregation interval
 */
export function targetTurns(needed: number, ticks: number, targets: number): number {
  let turns = 1;
  for (let more = 2; turns < needed && more <= Math.min(ticks, targets); more++)
    if (ticks % more === 0) turns = more;
  return turns;
}

/** The next smaller number of turns. */
export function fewerTurns(turns: number, ticks: number): number {
  return divisorUpTo(turns - 1, ticks);
}

/** The largest divisor of `ticks` that is not above `most`; at least 1. */
function divisorUpTo(most: number, ticks: number): number {
  let turns = Math.max(1, Math.min(most, ticks));
  while (ticks % turns !== 0) turns--;
  return turns;
}
