import { PagepulseError } from './errors.js';
import type { RegionTable } from './region-table.js';
import { brokenRule, integerIn, numberIn, type RulesOf } from './rules.js';

/**
 * The goal of automatic intervals: DAMON's monitoring intervals tuning goal (Documentation/mm/damon/design.rst, "Monitoring
 * Intervals Auto-tuning", in the kernel since 6.15). The defaults are the kernel's suggestions.
 */
export interface TuningGoal {
  /** Target share: observed accesses per 10,000 possible ones, from 1 to 10,000. Default 400. */
  readonly accessBp: number;
  /** Aggregation intervals per tuning step, at least 1. Default 3. */
  readonly aggrs: number;
  /** Shortest sampling interval, 1 us to 1 h, in microseconds. Default 5,000. */
  readonly minSampleUs: number;
  /** Longest sampling interval, 1 us to 1 h, in microseconds. Default 10,000,000. */
  readonly maxSampleUs: number;
}

export const DEFAULT_GOAL: TuningGoal = {
  accessBp: 400,
  aggrs: 3,
  minSampleUs: 5_000,
  maxSampleUs: 10_000_000,
};

const BOUND = numberIn(1, 3_600e6, 'from 1 us to 1 h, in microseconds');

export const GOAL_RULES: RulesOf<TuningGoal> = {
  accessBp: numberIn(1, 10_000, 'from 1 to 10,000: observed accesses per 10,000 possible ones'),
  aggrs: integerIn(1, Number.MAX_SAFE_INTEGER, 'a positive integer'),
  minSampleUs: BOUND,
  maxSampleUs: BOUND,
};

/**
 * A score this close to 1 changes nothing. The kernel changes the interval at every score but exactly 1, so with noisy scores
 * its interval never settles. Here, every change restarts the grid of ticks.
 */
const DEAD_BAND = 0.1;

/**
 * A score within this many standard deviations of 1 may be chance. The step before used an equally noisy score. Together they
 * exceed this in one step of 200, so ten steps in a row usually change nothing.
 */
const NOISE_DEVIATIONS = 4;

/** However few samples there are, twice the goal is too much. */
const MAX_BAND = 1;

/** @throws PagepulseError `ATTRS` */
export function completeGoal(given: Partial<TuningGoal>): TuningGoal {
  const goal = { ...DEFAULT_GOAL, ...given };
  const broken = brokenRule(goal, GOAL_RULES);
  if (broken) throw refuse(broken);
  const { minSampleUs, maxSampleUs } = goal;
  if (minSampleUs > maxSampleUs) {
    throw refuse(`minSampleUs (${minSampleUs} us) must not be above maxSampleUs (${maxSampleUs} us)`);
  }
  return goal;
}

/** One step of automatic intervals. */
export interface TuningStep {
  /** Microseconds since the monitor started. */
  readonly atUs: number;
  /** Observed / target, over the aggregation intervals since the last step. */
  readonly score: number;
  /** The sampling interval that the score was observed with, in microseconds. */
  readonly sampleUs: number;
  /** The sampling interval that tuning now wants, in microseconds. A budget may keep a longer one in force. */
  readonly wantedSampleUs: number;
}

/** Access events over any number of targets and aggregation intervals, in pages x sampling intervals. */
export class AccessEvents {
  /** Sum over regions of size x nrAccesses. */
  observed = 0;
  /** Sum over regions of size x maxNrAccesses. */
  possible = 0;
  /** Variance of `observed`: each nrAccesses is the number of hits among maxNrAccesses independent samples. */
  variance = 0;

  /**
   * Adds a table at the end of an aggregation interval, at some nanoseconds a region. Delivered tables count accessed and
   * resident pages.
   */
  add({ startPage, endPage, nrAccesses, count, delivered }: RegionTable, maxNrAccesses: number): void {
    if (delivered) {
      for (let i = 0; i < count; i++) {
        this.observed += delivered.accessedPages[i]!;
        this.possible += delivered.residentPages[i]!;
      }
      return;
    }
    for (let i = 0; i < count; i++) {
      const pages = endPage[i]! - startPage[i]!;
      const hits = nrAccesses[i]!;
      this.observed += pages * hits;
      this.possible += pages * maxNrAccesses;
      this.variance += pages * pages * hits * (1 - hits / maxNrAccesses);
    }
  }

  clear(): void {
    this.observed = this.possible = this.variance = 0;
  }
}

/** Observed / target. Below 1, the intervals are too short to see enough accesses. 0 if there were no possible accesses. */
export function scoreOf({ observed, possible }: AccessEvents, { accessBp }: TuningGoal): number {
  return possible > 0 ? observed / ((possible * accessBp) / 10_000) : 0;
}

/**
 * The sampling interval after a step, in microseconds, by the kernel's rule (kdamond_tune_intervals in mm/damon/core.c). With
 * too few events the interval grows in proportion, up to double. With too many it shrinks, down to half. A score that differs
 * from 1 only by chance changes nothing.
 */
export function nextSampleUs(sampleUs: number, events: AccessEvents, goal: TuningGoal): number {
  const score = scoreOf(events, goal);
  const deviation = events.variance > 0 ? (Math.sqrt(events.variance) / events.observed) * score : 0;
  const band = Math.min(MAX_BAND, Math.max(DEAD_BAND, NOISE_DEVIATIONS * deviation));
  const factor = Math.abs(score - 1) <= band ? 1 : tuningFactor(score);
  return clampSampleUs(Math.round(sampleUs * factor), goal);
}

/** 2 for a score of 0, 1 for a score of 1, 0.5 for 2 and above; linear in between. */
export function tuningFactor(score: number): number {
  const proportional = Math.max(0, 2 - score);
  return proportional >= 1 ? proportional : 0.5 + proportional / 2;
}

export function clampSampleUs(sampleUs: number, { minSampleUs, maxSampleUs }: TuningGoal): number {
  return Math.min(maxSampleUs, Math.max(minSampleUs, sampleUs));
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', `the goal of automatic intervals: ${reason}`);
}
