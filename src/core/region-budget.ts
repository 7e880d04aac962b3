import type { AdaptationLimits, AdaptedTarget } from './adaptation.js';
import { type Attrs, maxNrAccesses, maxSamples } from './attrs.js';
import type { AttrsInForce } from './stats.js';

/** The fewest regions of a target: one for each of its ranges. */
export const LEAST_REGIONS = 3;

/** The share of maxRegions that is divided by need, however many targets there are. */
const FOR_NEED = 0.5;

/** The weight of a page without accesses, so that a large idle target still gets some regions. */
const UNACCESSED = 1 / 64;

/**
 * The region limits for this number of targets:
 *
 * - With few targets, the limits as given.
 * - If minRegions of every target would take more than half of maxRegions, fewer per target, down to 3.
 * - If even 3 per target would, maxRegions grows to 3 per target plus half of the given maxRegions.
 */
export function limitsFor<A extends Pick<Attrs, 'minRegions' | 'maxRegions'>>(attrs: A, targets: number): A {
  const { minRegions, maxRegions } = attrs;
  const forNeed = Math.floor(FOR_NEED * maxRegions);
  const fairShare = Math.floor((maxRegions - forNeed) / Math.max(1, targets));
  return {
    ...attrs,
    minRegions: Math.min(minRegions, Math.max(LEAST_REGIONS, fairShare)),
    maxRegions: targets > 1 ? Math.max(maxRegions, LEAST_REGIONS * targets + forNeed) : maxRegions,
  };
}

/**
 * The fewest regions that a merge leaves a target: minRegions, or half of its part if not all targets can have minRegions.
 * Half, so that a split can double them.
 */
export function leastRegions(
  { minRegions, maxRegions }: Pick<Attrs, 'minRegions' | 'maxRegions'>,
  targets: readonly unknown[],
  quota: number,
): number {
  const isCrowded = targets.length * minRegions > FOR_NEED * maxRegions;
  return isCrowded ? Math.min(minRegions, Math.max(LEAST_REGIONS, Math.floor(quota / 2))) : minRegions;
}

/**
 * Divides maxRegions among the targets by need. Each gets 3. Its share of the rest grows with the memory that it accessed,
 * and a little with its size. Both count by their logarithm, because twice the memory has about as many edges. A share that
 * is too small for even one split goes to the targets with the greatest need instead.
 *
 * Runs once or twice per aggregation interval, and takes about 100 us for 500 targets.
 *
 * @returns the most regions for each target
 */
export function divideRegions(targets: readonly AdaptedTarget[], maxRegions: number): Uint32Array {
  const rest = Math.max(0, maxRegions - LEAST_REGIONS * targets.length);
  const needs = Float64Array.from(targets, needOf);
  const byNeed = Uint32Array.from(targets.keys()).sort((a, b) => needs[b]! - needs[a]!);
  const quotas = new Uint32Array(targets.length).fill(LEAST_REGIONS);
  let sharers = 0;
  let shared = 0;
  for (const i of byNeed) {
    if (rest * needs[i]! < LEAST_REGIONS * (shared + needs[i]!)) break;
    shared += needs[i]!;
    sharers++;
  }
  for (const i of byNeed.subarray(0, sharers)) quotas[i]! += Math.floor((rest * needs[i]!) / shared);
  return quotas;
}

function needOf({ table: { startPage, endPage, nrAccesses, count } }: AdaptedTarget): number {
  let [pages, accessed] = [0, 0];
  for (let i = 0; i < count; i++) {
    const size = endPage[i]! - startPage[i]!;
    pages += size;
    if (nrAccesses[i]! > 0) accessed += size;
  }
  return UNACCESSED * Math.log2(1 + pages) + Math.log2(1 + accessed);
}

/**
 * The attrs and limits in force. Decided when the attrs or the number of targets change, then passed along unchanged. `attrs`
 * are as chosen.
 */
export interface InForce extends AttrsInForce {
  /** The bounds of the adaptation, for all targets together. */
  readonly limits: AdaptationLimits;
  /** As reported to users: with the region limits for this number of targets. */
  readonly reported: AttrsInForce;
}

export function inForceFor({ attrs, reason, turns }: AttrsInForce, targets: number): InForce {
  const chosen = turns === undefined ? { reason } : { reason, turns };
  const reported = { attrs: limitsFor(attrs, targets), ...chosen };
  const { maxRegions } = reported.attrs;
  const limits = {
    minRegions: attrs.minRegions,
    maxRegions,
    maxNrAccesses: maxNrAccesses(attrs),
    maxSamples: maxSamples(attrs, maxRegions),
  };
  return { attrs, ...chosen, limits, reported };
}
