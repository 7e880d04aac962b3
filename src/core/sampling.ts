import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type EvidenceColumns, NO_PLACE } from './evidence/columns.js';
import { pickPlanned } from './evidence/pick.js';
import type { RegionTable } from './region-table.js';

/** What a page check says about a sampled page. */
export const Answer = {
  /** Nothing: its frame cannot carry a mark, or it is not this page's tick. */
  NONE: 0,
  /** Not accessed since it was marked. A page that is not in memory was not. */
  MISS: 1,
  /** Accessed. */
  HIT: 2,
} as const;

/** Where the page was when the check looked it up. */
export const Residence = {
  UNKNOWN: 0,
  /** Not in memory. */
  ABSENT: 1,
  PRESENT: 2,
  /** In memory, and of a kind that the check cannot see. */
  UNSEEN: 3,
} as const;

/**
 * The sampled page of each region of a target in one sampling interval, and what the page check answers. Rows are the rows of
 * the region table. Core chooses the pages; the check fills in the rest.
 */
export class Samples {
  /** The page of each row, or NOT_ASKED. A check may put in a neighbour from the same region that stands for it. */
  readonly pages: Float64Array;
  /** Values of Answer. */
  readonly answers: Uint8Array;
  /** Values of Residence. */
  readonly residence: Uint8Array;
  /** For how many sampling intervals the answer stands, at least 1: some pages are too expensive to ask about in each. */
  readonly weights: Uint8Array;

  constructor(readonly table: RegionTable) {
    this.pages = table.samplePage;
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

  /** The region that a row's page is sampled from: [startPages[row], endPages[row]). */
  get startPages(): Float64Array {
    return this.table.startPage;
  }

  get endPages(): Float64Array {
    return this.table.endPage;
  }

  /** Sampling intervals in an aggregation interval. */
  get maxNrAccesses(): number {
    return this.table.maxNrAccesses;
  }

  /** Before a check marks the pages. */
  clear(): void {
    const { count } = this;
    this.answers.fill(Answer.NONE, 0, count);
    this.residence.fill(Residence.UNKNOWN, 0, count);
    this.weights.fill(1, 0, count);
  }
}

/**
 * Counts the answers of a sampling interval in the table. Once a tick and target, some 5 ns a region.
 *
 * @returns asked pages that got no answer because the check cannot see them
 */
export function countAnswers({ table, pages, answers, residence, weights }: Samples): number {
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
  if (table.evidence) recordAnswers(table.evidence, pages, answers, count);
  return unanswered;
}

/** Keeps which page of a row was hit or missed, in the place that was planned for it. Some 3 ns a region. */
function recordAnswers(
  { answers, answersPerRegion, place }: EvidenceColumns,
  pages: Float64Array,
  given: Uint8Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    if (place[i] === NO_PLACE || given[i] === Answer.NONE) continue;
    const page = pages[i]! + 1;
    answers[i * answersPerRegion + place[i]!] = given[i] === Answer.HIT ? page : -page;
  }
}

/**
 * Picks a uniformly random page of every region; in a table with evidence, the pages that are planned, and NOT_ASKED for
 * the regions whose turn it is not. Once a tick and target, some 20 ns a region.
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

/** Of so many neighbouring pages of a large region one is asked about, always the same. A power of two. */
export const SPARSE_GROUP = 64;

/** A region has at least so many pages to be asked about, or all that it has. */
export const MIN_CANDIDATES = 32;

/**
 * As `pickSamples`, but out of a fixed random part of the pages: in a large region one of each SPARSE_GROUP, in smaller
 * ones of as many as leave MIN_CANDIDATES. Each part holds the next smaller one, so that few pages are ever asked about
 * however regions change. Which pages these are depends on `salt` and on nothing that a program does, so the share of
 * them that is accessed is, for all regions with the salts there are, what it is of all pages.
 */
export function pickSparseSamples(table: RegionTable, random: RandomGenerator, salt: number): void {
  pickSamples(table, random);
  const { startPage, endPage, samplePage, count } = table;
  for (let i = 0; i < count; i++) {
    const start = startPage[i]!;
    const end = endPage[i]!;
    const group = sparseGroup(end - start, MIN_CANDIDATES);
    if (group === 1) continue;
    // Of the place among the 64, the low bits are fixed, and only the others are left to chance. (A bit operation takes
    // the low 32 bits of a page number of any size, and is cheaper than a remainder.)
    const page = samplePage[i]!;
    if (page < 0) continue;
    const place = page & (SPARSE_GROUP - 1);
    const first = page - place;
    const fixed = mixed(first / SPARSE_GROUP, salt) & (group - 1);
    const sparse = first + ((place & -group) | fixed);
    if (start <= sparse && sparse < end) samplePage[i] = sparse;
  }
}

/** Of how many neighbouring pages one is asked about, so that a region of `pages` has `candidates`; a power of two. */
export function sparseGroup(pages: number, candidates: number): number {
  let group = SPARSE_GROUP;
  while (group > 1 && pages < group * candidates) group /= 2;
  return group;
}

/** A signed number of 32 bits that looks random (the finalizer of MurmurHash3, by Austin Appleby, in the public domain). */
export function mixed(group: number, salt: number): number {
  let hash = (group | 0) ^ Math.imul((group / 2 ** 32) | 0, 0x9e37_79b9) ^ salt;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
