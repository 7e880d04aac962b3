import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type EvidenceColumns, NO_PLACE, NOT_ASKED } from './evidence/columns.js';
import { pickPlanned } from './evidence/pick.js';
import type { Layout } from './layout.js';
import type { RegionTable } from './region-table.js';

/** A page check's answer for a sampled page. */
export const Answer = {
  /** No answer: the page's frame cannot carry a mark, or the page is not due in this tick. */
  NONE: 0,
  /** Not accessed since it was marked. Includes pages that are not in memory. */
  MISS: 1,
  /** Accessed. */
  HIT: 2,
} as const;

/** Whether the page was in memory when the check looked it up. */
export const Residence = {
  UNKNOWN: 0,
  /** Not in memory. */
  ABSENT: 1,
  PRESENT: 2,
  /** In memory, but of a kind that the check cannot see. */
  UNSEEN: 3,
} as const;

/**
 * The sampled page of each region of a target in one sampling interval, and the page check's answers. Rows are those of the
 * region table. Core chooses the pages, and the check fills in the rest.
 */
export class Samples {
  /** The page of each row, or NOT_ASKED. A check may substitute another one from `startPages` to before `endPages`. */
  readonly pages: Float64Array;
  /** Neighbouring pages of the row's region, the sampled one among them. */
  readonly startPages: Float64Array;
  readonly endPages: Float64Array;
  /** Values of Answer. */
  readonly answers: Uint8Array;
  /** Values of Residence. */
  readonly residence: Uint8Array;
  /** The number of sampling intervals that the answer counts for, at least 1: some pages are too expensive for every tick. */
  readonly weights: Uint8Array;

  /** Only over a layout: page minus position. */
  readonly offsets: Float64Array | undefined;

  /** @param isDense whether the table has positions in a layout in place of pages */
  constructor(
    readonly table: RegionTable,
    isDense = false,
  ) {
    const { capacity, samplePage, startPage, endPage } = table;
    this.pages = isDense ? new Float64Array(capacity) : samplePage;
    this.startPages = isDense ? new Float64Array(capacity) : startPage;
    this.endPages = isDense ? new Float64Array(capacity) : endPage;
    this.offsets = isDense ? new Float64Array(capacity) : undefined;
    this.answers = new Uint8Array(table.capacity);
    this.residence = new Uint8Array(table.capacity);
    this.weights = new Uint8Array(table.capacity);
  }

  get count(): number {
    return this.table.count;
  }

  get capacity(): number {
    return this.table.capacity;
  }

  /** Sampling intervals in an aggregation interval. */
  get maxNrAccesses(): number {
    return this.table.maxNrAccesses;
  }

  /** Called before a check marks the pages. */
  clear(): void {
    const { count } = this;
    this.answers.fill(Answer.NONE, 0, count);
    this.residence.fill(Residence.UNKNOWN, 0, count);
    this.weights.fill(1, 0, count);
  }
}

/**
 * Counts the answers of a sampling interval in the table. Runs once per tick and target, at about 5 ns a region.
 *
 * @returns sampled pages without an answer because the check cannot see them
 */
export function countAnswers({ table, pages, offsets, answers, residence, weights }: Samples): number {
  const { count, nrAccesses, lookedUp, present, unseen, maxNrAccesses } = table;
  let unanswered = 0;
  for (let i = 0; i < count; i++) {
    const answer = answers[i]!;
    const where = residence[i]!;
    if (answer === Answer.HIT) nrAccesses[i] = Math.min(maxNrAccesses, nrAccesses[i]! + weights[i]!);
    if (where === Residence.UNKNOWN) continue;
    lookedUp[i]!++;
    if (where !== Residence.ABSENT) present[i]!++;
    if (where === Residence.UNSEEN) unseen[i]!++;
    if (answer === Answer.NONE && where !== Residence.PRESENT) unanswered++;
  }
  if (table.evidence) recordAnswers(table.evidence, pages, offsets, answers, count);
  return unanswered;
}

/** Keeps which page of a row was hit or missed, in the place planned for it. About 3 ns a region. */
function recordAnswers(
  { answers, answersPerRegion, place }: EvidenceColumns,
  pages: Float64Array,
  offsets: Float64Array | undefined,
  given: Uint8Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    if (place[i] === NO_PLACE || given[i] === Answer.NONE) continue;
    const page = pages[i]! - (offsets ? offsets[i]! : 0) + 1;
    answers[i * answersPerRegion + place[i]!] = given[i] === Answer.HIT ? page : -page;
  }
}

/**
 * Picks a uniformly random page of every region. In a table with evidence, picks the planned pages, and NOT_ASKED for regions
 * that are not due. Runs once per tick and target, at about 20 ns a region.
 */
export function pickSamples(table: RegionTable, random: RandomGenerator): void {
  if (table.evidence) {
    pickPlanned(table, random);
    return;
  }
  table.asked = table.count;
  const { startPage, endPage, samplePage, count } = table;
  for (let i = 0; i < count; i++) {
    const start = startPage[i]!;
    samplePage[i] = uniformInt(random, start, endPage[i]! - 1);
  }
}

/**
 * Finds the pages of the picked positions. Runs once per tick and target, at about 10 ns a region: rows are in address order,
 * so most samples are in the run of the one before or in the next.
 */
export function placeSamples({ table, pages, startPages, endPages, offsets }: Samples, layout: Layout): void {
  const { samplePage, startPage, endPage, count } = table;
  const { starts, positions } = layout;
  let run = 0;
  for (let i = 0; i < count; i++) {
    const position = samplePage[i]!;
    if (position === NOT_ASKED) {
      pages[i] = NOT_ASKED;
      continue;
    }
    if (position >= positions[run + 1]!) {
      run++;
      if (position >= positions[run + 1]!) run = layout.runAt(position, run);
    }
    const offset = starts[run]! - positions[run]!;
    offsets![i] = offset;
    pages[i] = position + offset;
    startPages[i] = Math.max(startPage[i]!, positions[run]!) + offset;
    endPages[i] = Math.min(endPage[i]!, positions[run + 1]!) + offset;
  }
}

/** Group size in large regions: of this many neighbouring pages, always the same one is sampled. A power of two. */
export const SPARSE_GROUP = 64;

/** Fewest candidate pages of a region; a smaller region uses all of its pages. */
export const MIN_CANDIDATES = 32;

/**
 * Replaces picked pages by those of a fixed random subset of the pages: one of each SPARSE_GROUP in a large region, and a larger
 * share in smaller ones, so that MIN_CANDIDATES are left. Each subset contains the next sparser one, so few pages are ever
 * sampled, however the regions change.
 *
 * The subset depends on `salt` alone, and not on what a program does. So over all salts, the accessed share of the subset is
 * on average the accessed share of all pages.
 */
export function makeSparse({ table, pages, startPages, endPages, count }: Samples, salt: number): void {
  const { startPage, endPage } = table;
  for (let i = 0; i < count; i++) {
    const group = sparseGroup(endPage[i]! - startPage[i]!, MIN_CANDIDATES);
    if (group === 1) continue;
    // The low bits of the place among the 64 are fixed; the others are random. (A bit operation takes the low 32 bits of a page
    // number of any size, and is cheaper than a remainder.)
    const page = pages[i]!;
    if (page < 0) continue;
    const place = page & (SPARSE_GROUP - 1);
    const first = page - place;
    const fixed = mixed(first / SPARSE_GROUP, salt) & (group - 1);
    const sparse = first + ((place & -group) | fixed);
    if (startPages[i]! <= sparse && sparse < endPages[i]!) pages[i] = sparse;
  }
}

/** The group size, a power of two, with which a region of `pages` has `candidates` to sample. */
export function sparseGroup(pages: number, candidates: number): number {
  let group = SPARSE_GROUP;
  while (group > 1 && pages < group * candidates) group /= 2;
  return group;
}

/** A pseudo-random signed 32-bit number (the finalizer of MurmurHash3, by Austin Appleby, in the public domain). */
export function mixed(group: number, salt: number): number {
  let hash = (group | 0) ^ Math.imul((group / 2 ** 32) | 0, 0x9e37_79b9) ^ salt;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
