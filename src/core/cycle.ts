import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Adaptation, AdaptationLimits, AdaptedTarget } from './adaptation.js';
import { type Attrs, maxNrAccesses } from './attrs.js';
import type { Layout } from './layout.js';
import type { RegionTable } from './region-table.js';
import { updateRegions } from './regions.js';
import { countAnswers, makeSparse, pickSamples, placeSamples, type Samples } from './sampling.js';
import type { Presence } from './snapshot-columns.js';
import { TargetStatus } from './table-header.js';

/**
 * The order of a monitor's work, as kdamond_fn in mm/damon/core.c defines it for the kernel:
 *
 *     every sampling interval     prepare, wait, count
 *     every aggregation interval  aggregate: make up for missed ticks, merge, publish and tune, reset, split
 *     every update interval       update
 *
 * Processes share pages, and marking a page old erases what another target's check would see. So every thread must finish
 * counting a tick before any thread prepares the next one.
 */

/** What the cycle needs of a page check (the contract is in src/sources/source.ts). */
export interface PageMarks {
  readonly repeatsPages: boolean;
  mark(samples: Samples, nowUs: number): boolean;
  answer(samples: Samples, nowUs: number): void;
}

/** A target, as the sampler that watches it sees it. */
export interface SampledTarget {
  readonly samples: Samples;
  readonly check: PageMarks;
  /** The target's own random stream: results do not depend on the number of threads. */
  readonly random: RandomGenerator;
  /** Selects the pages that are sampled, if the check repeats pages. */
  readonly salt: number;
  /** Where the positions of the table lie; undefined if they are pages. */
  layout?: Layout | undefined;
}

/** A target, as the thread that adapts its regions sees it. */
export interface AggregatedTarget extends AdaptedTarget {
  /** Ticks of this aggregation interval that checked it. */
  ticks: number;
  readonly presence: Presence;
}

/** Chooses a page of every region and has the check mark it old. Hot: once per tick and target. */
export function prepare({ samples, check, random, salt, layout }: SampledTarget, nowUs: number): void {
  const { table } = samples;
  pickSamples(table, random);
  if (layout) placeSamples(samples, layout);
  if (check.repeatsPages) makeSparse(samples, salt);
  samples.clear();
  if (!check.mark(samples, nowUs)) table.status = TargetStatus.STALE;
}

/** Counts the pages accessed since `prepare`. Hot: once per tick and target. @returns sampled pages that the check cannot see */
export function count({ samples, check }: SampledTarget, nowUs: number): number {
  check.answer(samples, nowUs);
  return countAnswers(samples);
}

/**
 * Ends an aggregation interval. Extrapolates the counts of targets that missed ticks, and leaves out targets that missed
 * more than half of them.
 *
 * @param ticks made in this aggregation interval
 * @param publish receives the targets with merged regions, to make snapshots and tune the intervals
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

/** The first half of `aggregate`: enough for targets that end within an interval. */
export function mergeSeen(
  targets: readonly AggregatedTarget[],
  adaptation: Adaptation,
  limits: AdaptationLimits,
): void {
  for (const { table, ticks, presence } of targets) {
    presence.measure(table);
    extrapolate(table, ticks, limits.maxNrAccesses);
  }
  adaptation.merge(targets, limits);
}

/** Fits the regions to new ranges. @returns false if the table has no room until its next merge */
export function update(table: RegionTable): boolean {
  if (!table.hasRoomForUpdate) return false;
  updateRegions(table);
  return true;
}

/**
 * Scales counts of `ticks` sampling intervals up to `max` intervals. A target misses ticks if the machine is too busy, or if
 * it is attached in the middle of an aggregation interval.
 */
export function extrapolate(table: RegionTable, ticks: number, max: number): void {
  if (ticks === max || ticks === 0) return;
  const { nrAccesses, count } = table;
  for (let i = 0; i < count; i++) nrAccesses[i] = Math.min(max, Math.round((nrAccesses[i]! * max) / ticks));
}

/** After a snapshot: keeps the counts as the last ones, and starts again from 0. */
export function resetAggregated(table: RegionTable): void {
  const { nrAccesses, lastNrAccesses, count } = table;
  for (let i = 0; i < count; i++) lastNrAccesses[i] = nrAccesses[i]!;
  nrAccesses.fill(0, 0, count);
  table.clearPresence();
  table.evidence?.answers.fill(0, 0, count * table.evidence.answersPerRegion);
  table.tick = 0;
}

/** Converts counts and ages from old intervals to new ones. The share of accesses and the time they stand for stay the same. */
export function rescale(table: RegionTable, from: Attrs, to: Attrs): void {
  const { nrAccesses, lastNrAccesses, age, count } = table;
  const oldMax = maxNrAccesses(from);
  const newMax = maxNrAccesses(to);
  table.maxNrAccesses = newMax;
  for (let i = 0; i < count; i++) {
    nrAccesses[i] = Math.floor((nrAccesses[i]! * newMax) / oldMax);
    lastNrAccesses[i] = Math.floor((lastNrAccesses[i]! * newMax) / oldMax);
    age[i] = Math.floor((age[i]! * from.aggrUs) / to.aggrUs);
  }
}
