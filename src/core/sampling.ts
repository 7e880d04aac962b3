import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { pickPlanned } from './evidence/pick.js';
import type { RegionTable } from './region-table.js';

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
