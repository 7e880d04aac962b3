import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type Adaptation, type AdaptationLimits, type AdaptedTarget, countRegions } from './adaptation.js';
import { divideRegions, leastRegions } from './region-budget.js';
import type { RegionTable } from './region-table.js';

/** The kernel's way (mm/damon/core.c): merge what looks alike, split at random, let chance find the edges. */
export class DamonAdaptation implements Adaptation {
  readonly name = 'damon';
  readonly answersPerRegion = 0;
  #countAtLastSplit = 0;
  /** The part of the budget of each target, by what was seen of it when they were merged last. */
  #quotas: Uint32Array = new Uint32Array();

  /**
   * Merges each target with a threshold of a tenth of its own largest nrAccesses (the kernel takes the largest
   * of all targets; a busy process must not blur a quiet one), and while that leaves more than maxRegions in
   * all, again with twice the threshold, up to the largest difference there can be: in those targets that have more
   * than their part. Regions that are too large to be merged, though they look alike, must not take the room of others:
   * of several targets, one that has more than its part loses them.
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
   * Splits every region in two while there is room for twice as many; in three where the last split found
   * nothing new (the number of regions came back to what it was) and there is room: then a border may lie in
   * the middle, where two halves look alike. Where there is no room to split all of several targets, those are split
   * whose part of the budget allows it.
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
      // One of a crowd may have more than its table can hold twice.
      if (pieces * table.count <= table.capacity) splitRegions(table, pieces, random);
    }
  }
}

/** @param room regions that may be added in all */
function splitWithin(targets: readonly AdaptedTarget[], room: number, quotas: Uint32Array): void {
  targets.forEach(({ table, random }, i) => {
    const { count } = table;
    if (2 * count > quotas[i]! || count > room) return;
    splitRegions(table, 2, random);
    room -= table.count - count;
  });
}

/** Differences of nrAccesses up to this one are taken for chance. */
export function mergeThreshold(table: RegionTable): number {
  const { nrAccesses, count } = table;
  let largest = 0;
  for (let i = 0; i < count; i++) if (nrAccesses[i]! > largest) largest = nrAccesses[i]!;
  return Math.floor(largest / 10);
}

/** A merged region must not exceed this, so that at least `regions` of them remain. In pages. */
function sizeLimit(table: RegionTable, regions: number): number {
  return Math.max(1, table.totalPages() / regions);
}

/** One aggregation interval more for what stayed about the same, a new start for what did not. */
export function countAges(table: RegionTable, threshold: number): void {
  const { nrAccesses, lastNrAccesses, age, count } = table;
  for (let i = 0; i < count; i++) {
    age[i] = Math.abs(nrAccesses[i]! - lastNrAccesses[i]!) > threshold ? 0 : age[i]! + 1;
  }
}

/**
 * Joins touching regions that differ by at most `threshold` and together have at most `limitPages`, as long as there are
 * more than `least`; in place.
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

/** Rounded down; equal values stay as they are even where the products exceed what a float64 holds exactly. */
function weightedMean(a: number, weightA: number, b: number, weightB: number): number {
  return a === b ? a : Math.floor((a * weightA + b * weightB) / (weightA + weightB));
}

/**
 * Splits each region larger than two pages into up to `pieces`: cut at a random tenth, then the left part
 * again. In place; the table must have room for all pieces.
 */
export function splitRegions(table: RegionTable, pieces: number, random: RandomGenerator): void {
  const { startPage, endPage, capacity } = table;
  let write = 0;
  for (let read = table.moveToEnd(); read < capacity; read++) {
    const start = startPage[read]!;
    const end = endPage[read]!;
    // The cuts come from the right, the rows are written from the left: at most two cuts, kept in locals.
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
