import { PagepulseError } from './errors.js';
import type { RegionTable } from './region-table.js';
import { brokenRule, integerIn, numberIn, type RulesOf } from './rules.js';

/**
 * What automatic intervals aim at: DAMON's monitoring intervals tuning goal (Documentation/mm/damon/design.rst, "Monitoring
 * Intervals Auto-tuning", in the kernel since 6.15), with the kernel's suggestions as defaults.
 */
export interface TuningGoal {
  /** Share of the access events there could be that are to be seen, in 1/10,000. 1 .. 10,000. Default 400. */
  readonly accessBp: number;
  /** Aggregation intervals between two steps. At least 1. Default 3. */
  readonly aggrs: number;
  /** Bounds of the sampling interval, in microseconds. Default 5,000 and 10,000,000. */
  readonly minSampleUs: number;
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
 * A score this near to 1 changes nothing. The kernel goes on at every score but exactly 1; so its interval never rests,
 * for what is seen is a sample, and every change costs a grid that begins anew.
 */
const DEAD_BAND = 0.1;

/**
 * So many standard deviations from 1 may be chance. The step before went by a score with as much noise in it: together
 * they reach this in one step of 200, so that ten in a row rest.
 */
const NOISE_DEVIATIONS = 4;

/** However few samples there are: twice the goal is too much. */
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
  /** In microseconds since the monitor started. */
  readonly atUs: number;
  /** Observed / goal, in the aggregation intervals since the step before. */
  readonly score: number;
  /** The sampling interval that this was observed with, and the one that is wanted now: a budget may keep it longer. */
  readonly sampleUs: number;
  readonly wantedSampleUs: number;
}

/** Access events, in pages times sampling intervals, of any number of targets and aggregation intervals. */
export class AccessEvents {
  /** Sum over regions of size x nrAccesses, and of size x the largest nrAccesses there could be. */
  observed = 0;
  possible = 0;
  /** Of `observed`: each nrAccesses is the number of hits among maxNrAccesses independent samples. */
  variance = 0;

  /** Adds a table at the end of an aggregation interval; of one that was delivered, what is resident. Some nanoseconds a region. */
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

/** Observed / goal: below 1 the intervals are too short to see enough. 0 where nothing could be seen. */
export function scoreOf({ observed, possible }: AccessEvents, { accessBp }: TuningGoal): number {
  return possible > 0 ? observed / ((possible * accessBp) / 10_000) : 0;
}

/**
 * The sampling interval after a step, in microseconds: the kernel's rule (kdamond_tune_intervals in mm/damon/core.c). Too
 * few events make it longer, in proportion up to twice as long; too many shorter, down to half. A score that may be 1 but
 * for chance changes nothing.
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
