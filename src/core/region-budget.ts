import type { AdaptedTarget } from './adaptation.js';
import type { Attrs } from './attrs.js';

/** Every target has so many regions at least: one for each of its ranges. */
export const LEAST_REGIONS = 3;

/** The share of maxRegions that is left to need, however many targets there are. */
const FOR_NEED = 0.5;

/** How much less a page weighs that was not accessed: who only is large gets a look now and then. */
const UNACCESSED = 1 / 64;

/**
 * What minRegions and maxRegions come to with so many targets. With few they are as given. Where minRegions of each would
 * take more than half of maxRegions, each has fewer, down to 3; and where even 3 of each would, there are more than
 * maxRegions in all: half of it beyond them.
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
 * The regions that a target keeps when its neighbours are merged: minRegions, and where not all can have that, half of its
 * part, so that it can split.
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
 * Divides maxRegions among the targets, by need: each has 3, and of the rest the more the more of its memory was accessed,
 * and a little for what it has. Both count by their logarithm: twice the memory has about as many edges. A part of the
 * rest that would not let a target split even once is of more use to those that need most.
 *
 * Once or twice an aggregation interval; some 100 us for 500 targets.
 *
 * @returns the regions that each target may have
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
