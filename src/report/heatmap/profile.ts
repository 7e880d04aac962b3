import type { SnapshotColumns } from '../../core/snapshot.js';

/**
 * How an address space was accessed during one stretch of time: pieces that touch, each seen alike all over. All values are
 * densities, the same for every page of a piece, so that a piece can be cut anywhere without a change.
 */
export interface Profile {
  /** In pages, ascending; one more than there are pieces. */
  readonly edges: Float64Array;
  /** For how long a page was watched, in us; 0 where it was not. */
  readonly watchedUs: Float64Array;
  /** watchedUs x share of the samples that found it accessed. */
  readonly accessedUs: Float64Array;
  /** watchedUs x age, in us squared. */
  readonly agedUs: Float64Array;
}

export const NOTHING: Profile = profileOf([], []);

/** @param pieces [watchedUs, accessedUs, agedUs] of each */
export function profileOf(
  edges: ArrayLike<number>,
  pieces: readonly (readonly [number, number, number])[],
): Profile {
  return {
    edges: Float64Array.from(edges),
    watchedUs: Float64Array.from(pieces, (piece) => piece[0]),
    accessedUs: Float64Array.from(pieces, (piece) => piece[1]),
    agedUs: Float64Array.from(pieces, (piece) => piece[2]),
  };
}

/**
 * A snapshot that lasted `us`.
 *
 * @param ageUnitUs how long one unit of age is
 */
export function profileOfSnapshot(
  { startPages, endPages, nrAccesses, ages }: SnapshotColumns,
  maxNrAccesses: number,
  us: number,
  ageUnitUs: number,
): Profile {
  const out = new Builder(2 * startPages.length);
  for (let i = 0; i < startPages.length; i++) {
    const share = Math.min(1, nrAccesses[i]! / Math.max(1, maxNrAccesses));
    out.add(startPages[i]!, endPages[i]!, us, us * share, us * ages[i]! * ageUnitUs);
  }
  return out.profile();
}

/** Both stretches of time together: the pieces of each, cut at the edges of the other. In proportion to their pieces. */
export function sumOf(a: Profile, b: Profile): Profile {
  if (a.watchedUs.length === 0) return b;
  if (b.watchedUs.length === 0) return a;
  const out = new Builder(a.edges.length + b.edges.length);
  const [aEnd, bEnd] = [a.watchedUs.length, b.watchedUs.length];
  let i = -1; // the piece of a that holds `page`; -1 before the first
  let j = -1;
  let page = Math.min(a.edges[0]!, b.edges[0]!);
  for (;;) {
    while (i < aEnd && a.edges[i + 1]! <= page) i++;
    while (j < bEnd && b.edges[j + 1]! <= page) j++;
    if (i === aEnd && j === bEnd) break;
    const isInA = i >= 0 && i < aEnd;
    const isInB = j >= 0 && j < bEnd;
    const aNext = i < aEnd ? a.edges[i + 1]! : Number.POSITIVE_INFINITY;
    const bNext = j < bEnd ? b.edges[j + 1]! : Number.POSITIVE_INFINITY;
    const next = Math.min(aNext, bNext);
    out.add(
      page,
      next,
      (isInA ? a.watchedUs[i]! : 0) + (isInB ? b.watchedUs[j]! : 0),
      (isInA ? a.accessedUs[i]! : 0) + (isInB ? b.accessedUs[j]! : 0),
      (isInA ? a.agedUs[i]! : 0) + (isInB ? b.agedUs[j]! : 0),
    );
    page = next;
  }
  return out.profile();
}

/**
 * The same with at most `limit` pieces: neighbours become one, with the mean of both, where that says least that is wrong:
 * where their shares differ little, and the smaller is small. Only pairs, and then pairs of these: so a slope stays one.
 */
export function coarsened(profile: Profile, limit: number): Profile {
  let coarse = profile;
  while (coarse.watchedUs.length > limit) {
    const losses = lossesOf(coarse);
    // Some more than needed, or it would be done again for every snapshot. A sample tells well enough how many that are.
    const part = Math.min(1, (coarse.watchedUs.length - limit * 0.75) / losses.length);
    const sample = losses.filter((_, i) => i % SAMPLED === 0).sort();
    coarse = withPairsMerged(coarse, losses, sample[Math.ceil(sample.length * part) - 1]!);
  }
  return coarse;
}

const SAMPLED = 8;

/** What is lost where a piece becomes one with the next; about what a person would miss in a picture. */
function lossesOf({ edges, watchedUs, accessedUs }: Profile): Float64Array {
  const losses = new Float64Array(watchedUs.length - 1);
  for (let i = 0; i < losses.length; i++) {
    const smaller = Math.min(edges[i + 1]! - edges[i]!, edges[i + 2]! - edges[i + 1]!);
    const [here, next] = [watchedUs[i]!, watchedUs[i + 1]!];
    const difference =
      here > 0 && next > 0
        ? Math.abs(accessedUs[i]! / here - accessedUs[i + 1]! / next)
        : here === next
          ? 0
          : 2; // what nobody watched stays apart for as long as it can
    losses[i] = difference * Math.log2(1 + smaller);
  }
  return losses;
}

function withPairsMerged(profile: Profile, losses: Float64Array, threshold: number): Profile {
  const { edges, watchedUs, accessedUs, agedUs } = profile;
  const out = new Builder(watchedUs.length);
  for (let i = 0; i < watchedUs.length; i++) {
    const isPair = i < losses.length && losses[i]! <= threshold && !(losses[i + 1]! < losses[i]!);
    if (!isPair) {
      out.add(edges[i]!, edges[i + 1]!, watchedUs[i]!, accessedUs[i]!, agedUs[i]!);
      continue;
    }
    const a = edges[i + 1]! - edges[i]!;
    const b = edges[i + 2]! - edges[i + 1]!;
    const mean = (values: Float64Array) => (values[i]! * a + values[i + 1]! * b) / (a + b);
    out.add(edges[i]!, edges[i + 2]!, mean(watchedUs), mean(accessedUs), mean(agedUs));
    i++;
  }
  return out.profile();
}

/** Grow, and are used again: one profile is built at a time, and one is built for every snapshot. */
let scratch = scratchOf(1_024);

function scratchOf(pieces: number): Profile {
  return {
    edges: new Float64Array(pieces + 1),
    watchedUs: new Float64Array(pieces),
    accessedUs: new Float64Array(pieces),
    agedUs: new Float64Array(pieces),
  };
}

/** Takes pieces in address order; what lies between two is a piece that nobody watched. */
class Builder {
  readonly scratch: Profile;
  #count = 0;

  constructor(limit: number) {
    if (scratch.edges.length <= limit) scratch = scratchOf(2 * limit);
    this.scratch = scratch;
  }

  add(start: number, end: number, watchedUs: number, accessedUs: number, agedUs: number): void {
    if (!(end > start)) return;
    if (this.#count === 0) this.scratch.edges[0] = start;
    const last = this.scratch.edges[this.#count]!;
    if (start < last) return; // regions do not overlap
    if (start > last) this.#push(start, 0, 0, 0);
    this.#push(end, watchedUs, accessedUs, agedUs);
  }

  profile(): Profile {
    const { edges, watchedUs, accessedUs, agedUs } = this.scratch;
    const count = this.#count;
    if (count === 0) return NOTHING;
    // In one piece of memory: there are many, and small ones, of which each has its price.
    const all = new Float64Array(4 * count + 1);
    const column = (i: number, from: Float64Array) => {
      const its = all.subarray(i * count, (i + 1) * count);
      its.set(from.subarray(0, count));
      return its;
    };
    all.set(edges.subarray(0, count + 1), 3 * count);
    return {
      watchedUs: column(0, watchedUs),
      accessedUs: column(1, accessedUs),
      agedUs: column(2, agedUs),
      edges: all.subarray(3 * count),
    };
  }

  #push(end: number, watchedUs: number, accessedUs: number, agedUs: number): void {
    const { scratch } = this;
    const i = this.#count - 1;
    const isSame =
      i >= 0 &&
      scratch.watchedUs[i] === watchedUs &&
      scratch.accessedUs[i] === accessedUs &&
      scratch.agedUs[i] === agedUs;
    if (!isSame) {
      scratch.watchedUs[this.#count] = watchedUs;
      scratch.accessedUs[this.#count] = accessedUs;
      scratch.agedUs[this.#count] = agedUs;
      this.#count++;
    }
    scratch.edges[this.#count] = end;
  }
}

/** Sums over some pages: page-microseconds, of which the share and the age are `accessed / watched`, `aged / watched`. */
export interface CellSums {
  readonly watched: Float64Array;
  readonly accessed: Float64Array;
  readonly aged: Float64Array;
}

/** Adds `weight` x what lies in each of the cells between these edges. One pass over both. */
export function addToCells(profile: Profile, cellEdges: Float64Array, weight: number, cells: CellSums): void {
  const { edges, watchedUs, accessedUs, agedUs } = profile;
  const pieces = watchedUs.length;
  let cell = 0;
  let i = firstEndingAfter(edges, cellEdges[0]!);
  while (i < pieces && cell < cellEdges.length - 1) {
    const end = Math.min(edges[i + 1]!, cellEdges[cell + 1]!);
    const pages = end - Math.max(edges[i]!, cellEdges[cell]!);
    if (pages > 0 && watchedUs[i]! > 0) {
      cells.watched[cell]! += watchedUs[i]! * pages * weight;
      cells.accessed[cell]! += accessedUs[i]! * pages * weight;
      cells.aged[cell]! += agedUs[i]! * pages * weight;
    }
    if (edges[i + 1]! <= end) i++;
    if (cellEdges[cell + 1]! <= end) cell++;
  }
}

function firstEndingAfter(edges: Float64Array, page: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle + 1]! <= page) low = middle + 1;
    else high = middle;
  }
  return low;
}
