import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Adaptation, AdaptationLimits, AdaptedTarget } from './adaptation.js';
import { extrapolate, resetAggregated } from './aggregate.js';
import { type RegionTable, TargetStatus } from './region-table.js';
import { countAnswers, pickSamples, pickSparseSamples, type Samples } from './sampling.js';
import type { Presence } from './snapshot-columns.js';
import { updateRegions } from './update.js';

/**
 * The life of a monitor in order, as kdamond_fn in mm/damon/core.c has it for the kernel:
 *
 *     every sampling interval     prepare, wait, count
 *     every aggregation interval  aggregate: make up for missed ticks, merge, publish and tune, reset, split
 *     every update interval       update
 *
 * Pages are shared between processes, and marking one old erases what another target's check would see. So no prepare of the
 * next tick may start before every count of this one has ended, in whatever thread.
 */

/** What the cycle needs of a page check (src/sources/page-check.ts has the contract). */
export interface PageMarks {
  readonly repeatsPages: boolean;
  mark(samples: Samples, nowUs: number): boolean;
  answer(samples: Samples, nowUs: number): void;
}

/** A target as the thread that samples it has it. */
export interface SampledTarget {
  readonly samples: Samples;
  readonly check: PageMarks;
  /** The target's own stream of random numbers, so that a run can be repeated whatever threads it had. */
  readonly random: RandomGenerator;
  /** Which part of the pages is asked about, if the check repeats pages. */
  readonly salt: number;
}

/** A target as the thread that adapts its regions has it. */
export interface AggregatedTarget extends AdaptedTarget {
  /** Ticks of the aggregation interval in which it was checked. */
  ticks: number;
  readonly presence: Presence;
}

/** Chooses a page of every region and has it marked old. Hot: once a tick and target. */
export function prepare({ samples, check, random, salt }: SampledTarget, nowUs: number): void {
  const { table } = samples;
  if (check.repeatsPages) pickSparseSamples(table, random, salt);
  else pickSamples(table, random);
  samples.clear();
  if (!check.mark(samples, nowUs)) table.status = TargetStatus.STALE;
}

/** Counts the pages that were accessed since. Hot, as above. @returns asked pages that the check cannot see */
export function count({ samples, check }: SampledTarget, nowUs: number): number {
  check.answer(samples, nowUs);
  return countAnswers(samples);
}

/**
 * Ends an aggregation interval. Ticks that a target has missed, because it came late or the machine was too busy, are made up
 * for; one that was checked in less than half of them is left out.
 *
 * @param ticks that were made in it
 * @param publish gets the targets with their merged regions, to make snapshots of them and to tune the intervals
 */
export function aggregate<T extends AggregatedTarget>(
  targets: readonly T[],
  ticks: number,
  adaptation: Adaptation,
  limits: AdaptationLimits,
  publish: (seen: readonly T[]) => void,
): void {
  const seen = targets.filter(
    (target) => target.table.status === TargetStatus.OK && 2 * target.ticks >= ticks,
  );
  mergeSeen(seen, adaptation, limits);
  publish(seen);
  for (const target of targets) {
    resetAggregated(target.table);
    target.ticks = 0;
  }
  adaptation.split(seen, limits);
}

/** The first half of it: for targets that end within an interval. */
export function mergeSeen(
  targets: readonly AggregatedTarget[],
  adaptation: Adaptation,
  limits: AdaptationLimits,
): void {
  for (const { table, ticks, presence } of targets) {
    presence.take(table);
    extrapolate(table, ticks, limits.maxNrAccesses);
  }
  adaptation.merge(targets, limits);
}

/** Fits the regions to the ranges that were read again. @returns false if the table must be merged first to have room */
export function update(table: RegionTable): boolean {
  if (!table.hasRoomForUpdate) return false;
  updateRegions(table);
  return true;
}
