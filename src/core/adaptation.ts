import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from './region-table.js';

/** What an adaptation may do with one target. */
export interface AdaptedTarget {
  readonly table: RegionTable;
  /** The target's own stream of random numbers, so that a run can be repeated whatever threads it had. */
  readonly random: RandomGenerator;
}

/** The bounds that an adaptation keeps. */
export interface AdaptationLimits {
  readonly minRegions: number;
  readonly maxRegions: number;
  /** aggregation / sampling interval. */
  readonly maxNrAccesses: number;
  /** Pages that may be asked about in an aggregation interval, in all targets (evidence). Default maxRegions x maxNrAccesses. */
  readonly maxSamples?: number;
}

/**
 * How regions follow what was seen: the one place that decides where regions begin and end. Both calls come
 * once an aggregation interval, with every target of the monitor, before and after the snapshot is taken.
 * Implementations keep the union of the regions of a target, and leave them sorted, disjoint and not empty.
 */
export interface Adaptation {
  readonly name: AdaptationName;
  /** What has to be kept of each region's samples in its table; 0 for nothing. */
  readonly answersPerRegion: number;
  /** Counts the ages, and joins neighbours that were accessed alike. */
  merge(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void;
  /** Divides regions, so that the next interval can find differences inside them. */
  split(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void;
}

/** The adaptations there are. */
export const ADAPTATIONS = ['damon', 'evidence'] as const;
export type AdaptationName = (typeof ADAPTATIONS)[number];

/** Regions in all targets. */
export function countRegions(targets: readonly AdaptedTarget[]): number {
  let regions = 0;
  for (let i = 0; i < targets.length; i++) regions += targets[i]!.table.count;
  return regions;
}
