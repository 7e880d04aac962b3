import type { SamplerLink } from './sampler-link.js';
import type { Target } from './target.js';

/** Samplers whose regions differ by less are even: a region costs some microseconds a tick. */
const LEAST_GAP = 32;
/** ... or by less than this share of the larger one's. */
const LEAST_GAP_SHARE = 0.25;

/**
 * The target that should change hands for the samplers to have about as many regions to check: of the one that has most,
 * that which comes nearest to half of what it has more than the one that has fewest. None where they are even enough, or
 * where no move would take a quarter off the difference.
 *
 * @param mayGrow whether a sampler could be started for it
 */
export function targetToMove(
  targets: readonly Target[],
  samplers: readonly SamplerLink[],
  mayGrow: boolean,
): Target | undefined {
  const regions = new Map(samplers.map((link) => [link, 0]));
  for (const { link, table } of targets) {
    if (link) regions.set(link, (regions.get(link) ?? 0) + table.count);
  }
  const [most, its] = [...regions].reduce((a, b) => (b[1] > a[1] ? b : a), [undefined, 0] as [
    unknown,
    number,
  ]);
  const least = mayGrow ? 0 : Math.min(...regions.values());
  const gap = its - least;
  if (gap < LEAST_GAP || gap < LEAST_GAP_SHARE * its) return undefined;
  let best: Target | undefined;
  let bestGap = 0.75 * gap;
  for (const target of targets) {
    const gapAfter = Math.abs(gap - 2 * target.table.count);
    if (target.link === most && gapAfter < bestGap) [best, bestGap] = [target, gapAfter];
  }
  return best;
}
