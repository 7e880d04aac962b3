import type { Adaptation, AdaptationLimits, AdaptedTarget } from '../adaptation.js';
import { divideRegions, leastRegions } from '../region-budget.js';
import { MAX_ANSWERS } from './columns.js';
import { Cutter } from './cut.js';
import { Cells } from './learn.js';
import { joinAlike, joinToFit, moveBoundaries } from './merge.js';
import { type Allowance, plan, write } from './plan.js';
import { Reporter } from './report.js';
import { Rows } from './rows.js';

/** After this many samples without news, all of a target has been looked at as finely as can be asked for, */
const COVERED = 262_144;
/** or after one sample for this many pages. */
const LEAST_PAGES = 16;
/** All of it is then looked at that finely once in this many aggregation intervals. */
const ROUNDS = 256;
/** A target is covered in no fewer intervals than this: small memory is not worth more samples. */
const COVER_ROUNDS = 8;
/** What any target may be asked in an interval; `damon` asks about as much of small memory. */
const LEAST_SAMPLES = 1_000;
/** The part of the regions that merging leaves; the rest is for dividing them. */
const KEPT = 0.75;

/** What is known of a target between its merge and its split. */
interface Known {
  readonly rows: Rows;
  readonly candidates: Rows;
  /** Samples since there was news. */
  quietSamples: number;
  quota: number;
}

/**
 * Regions by evidence (docs/adaptation.md): the pages where samples were hit and missed say where to cut a region, tests
 * with stated error rates decide what is a boundary, and samples go where they tell most.
 *
 * merge() learns, cuts, merges and reports; split() plans.
 */
export class EvidenceAdaptation implements Adaptation {
  readonly name = 'evidence';
  readonly answersPerRegion = MAX_ANSWERS;
  readonly #cells = new Cells();
  readonly #cutter = new Cutter(this.#cells);
  readonly #reporter = new Reporter();
  readonly #planned = new Rows();
  readonly #known = new WeakMap<AdaptedTarget, Known>();

  merge(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    const quotas = targets.length > 1 ? divideRegions(targets, limits.maxRegions) : undefined;
    for (let t = 0; t < targets.length; t++) {
      const target = targets[t]!;
      const { table } = target;
      if (!table.evidence || table.count === 0) continue;
      const known = this.#of(target);
      const { rows, candidates } = known;
      const quota = quotas?.[t] ?? limits.maxRegions;
      const least = Math.min(quota, leastRegions(limits, targets, quota));
      const limitPages = Math.max(1, table.totalPages() / least);
      const samples = samplesIn(table.evidence.planned, table.count);
      const news = this.#cutter.read(table, rows, candidates);
      joinAlike(rows, limitPages, 0, this.#cells);
      joinToFit(rows, Math.max(1, Math.floor(KEPT * quota)), limitPages);
      // If minRegions is close to maxRegions, pieces of less than half of that size may still be too many.
      joinToFit(rows, quota, Number.POSITIVE_INFINITY);
      moveBoundaries(rows, this.#cells);
      countAges(rows, table.maxNrAccesses);
      this.#reporter.report(rows, table, limitPages, least, this.#cells);
      known.quota = quota;
      known.quietSamples = news > 0 ? 0 : known.quietSamples + samples;
    }
  }

  split(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    for (const target of targets) {
      const { table, random } = target;
      const known = this.#known.get(target);
      if (!known || !table.evidence || known.rows.count === 0) continue;
      if (targets.length > 1) this.#cells.load(table);
      const allowance = allowanceFor(target, known, limits);
      const density = plan(known.rows, known.candidates, this.#planned, allowance, random, this.#cells);
      write(this.#planned, table, allowance, density);
    }
  }

  #of(target: AdaptedTarget): Known {
    let known = this.#known.get(target);
    if (!known) {
      known = { rows: new Rows(), candidates: new Rows(), quietSamples: 0, quota: 0 };
      this.#known.set(target, known);
    }
    return known;
  }
}

/** A target's share of the budget, and how much of it the search is worth: less and less while there is no news. */
function allowanceFor(
  { table }: AdaptedTarget,
  { quota, quietSamples }: Known,
  { maxRegions, maxNrAccesses, maxSamples = maxRegions * maxNrAccesses }: AdaptationLimits,
): Allowance {
  const toCover = Math.min(COVERED, table.totalPages() / LEAST_PAGES);
  const enough = Math.max(LEAST_SAMPLES, toCover / COVER_ROUNDS);
  const samples = Math.floor(Math.min(enough, (maxSamples * quota) / maxRegions));
  const least = Math.min(1, toCover / ROUNDS / samples);
  const calm = Math.min(1, toCover / Math.max(1, quietSamples)) ** 2;
  return {
    regions: Math.min(quota, table.capacity),
    samples,
    each: Math.min(table.maxNrAccesses, MAX_ANSWERS),
    // In powers of two: each change moves the places that are asked.
    search: 2 ** Math.round(Math.log2(Math.max(least, calm))),
  };
}

/** Rows whose nrAccesses stayed about the same are one aggregation interval older; others start again, as with `damon`. */
function countAges(rows: Rows, maxNrAccesses: number): void {
  let largest = 0;
  for (let i = 0; i < rows.count; i++) largest = Math.max(largest, rows.rate(i) * maxNrAccesses);
  const threshold = Math.max(1, Math.floor(largest / 10));
  for (let i = 0; i < rows.count; i++) {
    const now = Math.round(rows.rate(i) * maxNrAccesses);
    rows.age[i] = Math.abs(now - rows.last[i]!) > threshold ? 0 : rows.age[i]! + 1;
    rows.last[i] = now;
  }
}

function samplesIn(planned: Uint32Array, count: number): number {
  let samples = 0;
  for (let i = 0; i < count; i++) samples += planned[i]!;
  return samples;
}
