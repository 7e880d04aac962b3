import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type Adaptation, type AdaptationLimits, type AdaptedTarget, countRegions } from './adaptation.js';
import { divideRegions, leastRegions } from './region-budget.js';
import type { RegionTable } from './region-table.js';

/** The kernel's algorithm (mm/damon/core.c): merge similar neighbours and split at random, so that chance finds the edges. */
export class DamonAdaptation implements Adaptation {
  readonly name = 'damon';
  readonly answersPerRegion = 0;
  #countAtLastSplit = 0;
  /** Each target's part of maxRegions, from its accesses at the last merge. */
  #quotas: Uint32Array = new Uint32Array();

  /**
   * Merges each target with a threshold of a tenth of its own largest nrAccesses. The kernel takes the largest of all
   * targets, but a busy process must not blur a quiet one.
   *
   * While more than maxRegions remain in total, doubles the threshold of targets that exceed their part, up to maxNrAccesses.
   * The size limit keeps some similar regions apart. With several targets, one that exceeds its part merges those as well,
   * so that they do not take room from others.
   */
  merge(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    const thresholds = targets.map(({ table }) => mergeThreshold(table));
    const quotas = divideRegions(targets, limits.maxRegions);
    this.#quotas = quotas;
    const least = targets.map((_, i) => leastRegions(limits, targets, quotas[i]!));
    const sizeLimits = targets.map(({ table }, i) => sizeLimit(table, least[i]!));
    targets.forEach(({ table }, i) => {
      countAges(table, thresholds[i]!);
      mergeRegions(table, thresholds[i]!, sizeLimits[i]!);
      if (targets.length === 1) return;
      mergeRegions(table, thresholds[i]!, Number.POSITIVE_INFINITY, Math.max(least[i]!, quotas[i]!));
    });
    if (countRegions(targets) <= limits.maxRegions) return;
    targets.forEach(({ table }, i) => {
      while (table.count > quotas[i]! && thresholds[i]! < limits.maxNrAccesses) {
        thresholds[i] = Math.min(limits.maxNrAccesses, Math.max(1, thresholds[i]! * 2));
        mergeRegions(table, thresholds[i]!, sizeLimits[i]!);
      }
    });
  }

  /**
   * Splits every region in two if there is room for twice as many.
   *
   * Splits in three if there is room and the last split found nothing new, which is when the number of regions came back to
   * what it was. A border may lie in the middle then, where two halves look alike.
   *
   * If there is no room to split several targets, splits those whose part of maxRegions allows it.
   */
  split(targets: readonly AdaptedTarget[], limits: AdaptationLimits): void {
    const count = countRegions(targets);
    if (count > limits.maxRegions / 2) {
      if (targets.length > 1) splitWithin(targets, limits.maxRegions - count, this.#quotas);
      return;
    }
    const pieces = count === this.#countAtLastSplit && count < limits.maxRegions / 3 ? 3 : 2;
    this.#countAtLastSplit = count;
    for (const { table, random } of targets) {
      // With many targets, one may have more regions than its table can hold twice.
      if (pieces * table.count <= table.capacity) splitRegions(table, pieces, random);
    }
  }
}

/** @param room regions that may be added in total */
function splitWithin(targets: readonly AdaptedTarget[], room: number, quotas: Uint32Array): void {
  targets.forEach(({ table, random }, i) => {
    const { count } = table;
    if (2 * count > quotas[i]! || count > room) return;
    splitRegions(table, 2, random);
    room -= table.count - count;
  });
}

/** The largest difference in nrAccesses that counts as chance. */
function mergeThreshold(table: RegionTable): number {
  const { nrAccesses, count } = table;
  let largest = 0;
  for (let i = 0; i < count; i++) if (nrAccesses[i]! > largest) largest = nrAccesses[i]!;
  return Math.floor(largest / 10);
}

/** Largest size of a merged region, in pages, such that at least `regions` of them remain. */
function sizeLimit(table: RegionTable, regions: number): number {
  return Math.max(1, table.totalPages() / regions);
}

/** Regions whose nrAccesses stayed about the same grow older by one aggregation interval; the others start again at 0. */
export function countAges(table: RegionTable, threshold: number): void {
  const { nrAccesses, lastNrAccesses, age, count } = table;
  for (let i = 0; i < count; i++) {
    age[i] = Math.abs(nrAccesses[i]! - lastNrAccesses[i]!) > threshold ? 0 : age[i]! + 1;
  }
}

/**
 * Joins touching regions that differ by at most `threshold` and together have at most `limitPages`. Stops at `least` regions.
 * In place.
 */
export function mergeRegions(table: RegionTable, threshold: number, limitPages: number, least = 1): void {
  const { startPage, endPage, nrAccesses, age, count } = table;
  if (count <= least) return;
  let left = count;
  let into = 0;
  for (let i = 1; i < count; i++) {
    const sizeInto = endPage[into]! - startPage[into]!;
    const size = endPage[i]! - startPage[i]!;
    if (
      endPage[into] === startPage[i] &&
      Math.abs(nrAccesses[into]! - nrAccesses[i]!) <= threshold &&
      sizeInto + size <= limitPages &&
      left > least
    ) {
      left--;
      nrAccesses[into] = weightedMean(nrAccesses[into]!, sizeInto, nrAccesses[i]!, size);
      age[into] = weightedMean(age[into]!, sizeInto, age[i]!, size);
      endPage[into] = endPage[i]!;
    } else {
      into++;
      if (into < i) table.copyRow(i, into);
    }
  }
  table.count = into + 1;
}

/** Rounded down. Equal values stay as they are, even if the products exceed what a float64 holds exactly. */
function weightedMean(a: number, weightA: number, b: number, weightB: number): number {
  return a === b ? a : Math.floor((a * weightA + b * weightB) / (weightA + weightB));
}

/**
 * Splits each region larger than two pages into up to `pieces`: first at a random tenth, then the left part again. In place;
 * the table must have room for all pieces.
 */
export function splitRegions(table: RegionTable, pieces: number, random: RandomGenerator): void {
  const { startPage, endPage, capacity } = table;
  let write = 0;
  for (let read = table.moveToEnd(); read < capacity; read++) {
    const start = startPage[read]!;
    const end = endPage[read]!;
    // Cuts are made from the right and rows written from the left. There are at most two cuts, kept in locals.
    let size = end - start;
    let cutA = 0;
    let cutB = 0;
    for (let piece = 1; piece < pieces && size > 2; piece++) {
      const left = Math.floor((uniformInt(random, 1, 9) * size) / 10);
      if (left === 0) continue;
      size = left;
      if (cutA === 0) cutA = start + left;
      else cutB = start + left;
    }
    if (cutB !== 0) write = writePiece(table, read, write, start, cutB);
    if (cutA !== 0) write = writePiece(table, read, write, cutB || start, cutA);
    write = writePiece(table, read, write, cutA || start, end);
  }
  table.count = write;
}

function writePiece(table: RegionTable, from: number, to: number, start: number, end: number): number {
  table.copyRow(from, to);
  table.startPage[to] = start;
  table.endPage[to] = end;
  return to + 1;
}
