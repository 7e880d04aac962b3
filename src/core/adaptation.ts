import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from './region-table.js';

/** One target, as an adaptation sees it. */
export interface AdaptedTarget {
  readonly table: RegionTable;
  /** The target's own random stream: results do not depend on the number of threads. */
  readonly random: RandomGenerator;
}

/** The bounds that an adaptation keeps to. */
export interface AdaptationLimits {
  readonly minRegions: number;
  readonly maxRegions: number;
  /** Aggregation interval / sampling interval. */
  readonly maxNrAccesses: number;
  /** Most samples per aggregation interval, over all targets; `evidence` only. Default maxRegions x maxNrAccesses. */
  readonly maxSamples?: number;
}

/**
 * Decides where regions start and end, from what the samples found. Once per aggregation interval, `merge` runs before the
 * snapshot and `split` after it, each with every target of the monitor. The regions of a target must still cover the same
 * pages afterwards, and must be sorted, disjoint and non-empty.
 */
export interface Adaptation {
  readonly name: AdaptationName;
  /** How many answers the table keeps for each region; 0 for none. */
  readonly answersPerRegion: number;
  /** Updates the ages, and joins neighbours with a similar access rate. */
  merge(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void;
  /** Splits regions, so that the next interval can find differences inside them. */
  split(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void;
}

/** All adaptations. */
export const ADAPTATIONS = ['damon', 'evidence'] as const;
export type AdaptationName = (typeof ADAPTATIONS)[number];

/** Regions in all targets. */
export function countRegions(targets: readonly AdaptedTarget[]): number {
  let regions = 0;
  for (let i = 0; i < targets.length; i++) regions += targets[i]!.table.count;
  return regions;
}
