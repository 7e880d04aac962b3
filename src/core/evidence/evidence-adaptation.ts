import type { Adaptation, AdaptationLimits, AdaptedTarget } from '../adaptation.js';
import { divideRegions, leastRegions } from '../region-budget.js';
import { moveBoundaries } from './boundaries.js';
import { Cells } from './cells.js';
import { MAX_ANSWERS } from './columns.js';
import { joinAlike, joinToFit } from './join.js';
import { plan } from './plan.js';
import { Reporter } from './report.js';
import { Rows } from './rows.js';
import { Structure } from './structure.js';
import { Suspects } from './suspects.js';
import { write } from './write.js';

/** After so many samples without anything new, all of a target has been looked at as finely as one this large allows. */
const COVERED = 262_144;
/** Ranges of fewer pages are not looked for by all means. */
const LEAST_PAGES = 16;
/** Then all of it is looked at so finely again once in so many aggregation intervals. */
const ROUNDS = 256;
/** All of a target is looked at so finely in no less than so many intervals: in small memory there is no hurry to be paid for. */
const COVER_ROUNDS = 8;
/** What ground of any size may be asked in an interval; the kernel's way asks about as much of small memory. */
const LEAST_SAMPLES = 1_000;
/** The part of the regions that may be kept; the rest is for dividing them. */
const KEPT = 0.75;

/** What is known of a target between its merge and its split, and how long there has been nothing new. */
interface Known {
  readonly rows: Rows;
  readonly suspects: Suspects;
  news: number;
  /** Samples since there was something new. */
  quietSamples: number;
  quota: number;
}

/**
 * Regions by evidence (docs/adaptation.md): where in a region the samples were hit and missed says where to cut it, tests
 * with stated errors say what is a boundary, and samples go where they tell most.
 */
export class EvidenceAdaptation implements Adaptation {
  readonly name = 'evidence';
  readonly answersPerRegion = MAX_ANSWERS;
  readonly #cells = new Cells();
  readonly #structure = new Structure(this.#cells);
  readonly #reporter = new Reporter();
  readonly #planned = new Rows();
  readonly #known = new WeakMap<AdaptedTarget, Known>();

  merge(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    const quotas = targets.length > 1 ? divideRegions(targets, limits.maxRegions) : undefined;
    for (let t = 0; t < targets.length; t++) {
      const target = targets[t]!;
      const { table, random } = target;
      if (!table.evidence || table.count === 0) continue;
      const known = this.#of(target);
      const { rows, suspects } = known;
      known.quota = quotas?.[t] ?? limits.maxRegions;
      known.quietSamples += samplesIn(table.evidence.planned, table.count);
      known.news = this.#structure.read(table, rows, suspects, random);
      const least = Math.min(known.quota, leastRegions(limits, targets, known.quota));
      const limitPages = Math.max(1, table.totalPages() / least);
      joinAlike(rows, limitPages, 0, this.#cells);
      joinToFit(rows, Math.max(1, Math.floor(KEPT * known.quota)), limitPages);
      // Where minRegions is nearly maxRegions, pieces of less than half of that size may still be too many.
      joinToFit(rows, known.quota, Number.POSITIVE_INFINITY);
      moveBoundaries(rows, this.#cells);
      countAges(rows, table.maxNrAccesses);
      this.#reporter.report(rows, table, limitPages, least, this.#cells);
      if (known.news > 0) known.quietSamples = 0;
    }
  }

  split(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    const maxSamples = limits.maxSamples ?? limits.maxRegions * limits.maxNrAccesses;
    for (const target of targets) {
      const { table, random } = target;
      const known = this.#known.get(target);
      if (!known || !table.evidence || known.rows.count === 0) continue;
      const { rows, suspects, quota } = known;
      if (targets.length > 1) this.#cells.load(table);
      const each = Math.min(table.maxNrAccesses, MAX_ANSWERS);
      const regions = Math.min(quota, table.capacity);
      const toCover = Math.min(COVERED, table.totalPages() / LEAST_PAGES);
      const enough = Math.max(LEAST_SAMPLES, toCover / COVER_ROUNDS);
      const samples = Math.floor(Math.min(enough, (maxSamples * quota) / limits.maxRegions));
      const least = Math.min(1, toCover / ROUNDS / samples);
      const calm = Math.min(1, toCover / Math.max(1, known.quietSamples)) ** 2;
      // In steps of a half: every step moves the places that are asked.
      const search = 2 ** Math.round(Math.log2(Math.max(least, calm)));
      const allowance = { regions, samples, each, search };
      const density = plan(rows, suspects, this.#planned, allowance, random, this.#cells);
      write(this.#planned, table, allowance, density);
    }
  }

  #of(target: AdaptedTarget): Known {
    let known = this.#known.get(target);
    if (!known) {
      known = { rows: new Rows(), suspects: new Suspects(), news: 0, quietSamples: 0, quota: 0 };
      this.#known.set(target, known);
    }
    return known;
  }
}

/** One aggregation interval more for what stayed about the same, a new start for what did not. */
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
