import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import { heatOf, seenPagesOf, sizeOf } from '../../core/working-set.js';

/** Numbers of a piece: where it begins, watchedUs, askedUs, accessedUs, agedUs. */
const WIDTH = 5;
const LEAST_ROOM = 8 * WIDTH + 1;
/** Of pieces to merge, one in so many is asked how alike it is to the next. */
const SAMPLED = 8;

/**
 * How an address space was accessed during one stretch of time: pieces that touch, each seen alike all over. All values are
 * densities, the same for every page of a piece, so that a piece can be cut anywhere without a change.
 *
 * One array that is written again and again: some profiles are made anew for every snapshot of a record.
 */
export class Profile {
  /** [WIDTH x piece + number], and then where the last piece ends. */
  #values = new Float64Array(0);
  #length = 0;

  /** How many pieces. */
  get length(): number {
    return this.#length;
  }

  /** What it takes of memory, in pieces: with all that belongs to an array some half a KiB beside them. */
  get footprint(): number {
    return this.#values.length / WIDTH + 16;
  }

  /** In pages, ascending: where piece i begins and the one before it ends. */
  edge(i: number): number {
    return this.#values[WIDTH * i]!;
  }

  /** For how long a page was watched, in us; 0 where it was not. */
  watchedUs(i: number): number {
    return this.#values[WIDTH * i + 1]!;
  }

  /**
   * watchedUs x the part of its pages that the share is of: all where samples were taken, those that are resident where
   * accessed bytes are counted by mapping.
   */
  askedUs(i: number): number {
    return this.#values[WIDTH * i + 2]!;
  }

  /** askedUs x share that was accessed. */
  accessedUs(i: number): number {
    return this.#values[WIDTH * i + 3]!;
  }

  /** watchedUs x age, in us squared. */
  agedUs(i: number): number {
    return this.#values[WIDTH * i + 4]!;
  }

  /** What was accessed of what there was to access, 0 .. 1. */
  share(i: number): number {
    return this.askedUs(i) > 0 ? this.accessedUs(i) / this.askedUs(i) : 0;
  }

  /** A piece after the others; what lies between them is one that nobody watched. */
  add(
    start: number,
    end: number,
    watchedUs: number,
    askedUs: number,
    accessedUs: number,
    agedUs: number,
  ): void {
    if (!(end > start)) return;
    if (this.#length === 0) this.#begin(start);
    const last = this.edge(this.#length);
    if (start < last) return; // regions do not overlap
    if (start > last) this.#push(start, 0, 0, 0, 0);
    this.#push(end, watchedUs, askedUs, accessedUs, agedUs);
  }

  /**
   * Becomes a snapshot that lasted `us`.
   *
   * @param ageUnitUs how long one unit of age is
   */
  setToSnapshot(columns: SnapshotColumns, maxNrAccesses: number, us: number, ageUnitUs: number): void {
    const { startPages, endPages, ages, accessedPages } = columns;
    this.#length = 0;
    for (let i = 0; i < startPages.length; i++) {
      const part = accessedPages ? Math.min(1, seenPagesOf(columns, i) / sizeOf(columns, i)) : 1;
      const accessedUs = us * part * heatOf(columns, i, maxNrAccesses);
      this.add(startPages[i]!, endPages[i]!, us, us * part, accessedUs, us * ages[i]! * ageUnitUs);
    }
  }

  /** Becomes both stretches of time together: the pieces of each, cut at the edges of the other. Neither is this one. */
  setToSum(a: Profile, b: Profile): void {
    if (a.length === 0 || b.length === 0) {
      this.setTo(a.length === 0 ? b : a);
      return;
    }
    this.#begin(Math.min(a.edge(0), b.edge(0)));
    let i = -1; // the piece of a that holds `page`; -1 before the first
    let j = -1;
    for (let page = this.edge(0); ; ) {
      while (i < a.length && a.edge(i + 1) <= page) i++;
      while (j < b.length && b.edge(j + 1) <= page) j++;
      if (i === a.length && j === b.length) return;
      const isInA = i >= 0 && i < a.length;
      const isInB = j >= 0 && j < b.length;
      page = Math.min(
        i < a.length ? a.edge(i + 1) : Number.POSITIVE_INFINITY,
        j < b.length ? b.edge(j + 1) : Number.POSITIVE_INFINITY,
      );
      this.#push(
        page,
        (isInA ? a.watchedUs(i) : 0) + (isInB ? b.watchedUs(j) : 0),
        (isInA ? a.askedUs(i) : 0) + (isInB ? b.askedUs(j) : 0),
        (isInA ? a.accessedUs(i) : 0) + (isInB ? b.accessedUs(j) : 0),
        (isInA ? a.agedUs(i) : 0) + (isInB ? b.agedUs(j) : 0),
      );
    }
  }

  /** Becomes a copy. */
  setTo(other: Profile): void {
    const values = other.#used();
    if (this.#values.length < values.length) {
      // With some room: the next one may have a few more, and what is given up stays until all garbage is collected.
      this.#values = new Float64Array(WIDTH * 2 ** Math.ceil(Math.log2(other.length)) + 1);
    }
    this.#values.set(values);
    this.#length = other.length;
  }

  /** In no more memory than it needs. */
  copy(): Profile {
    const copy = new Profile();
    copy.#values = this.#used().slice();
    copy.#length = this.length;
    return copy;
  }

  #used(): Float64Array {
    return this.#values.subarray(0, WIDTH * this.#length + 1);
  }

  /**
   * To at most `limit` pieces: neighbours become one, with the mean of both, where that says least that is wrong: where
   * their shares differ little, and the smaller is small. Only pairs, and then pairs of these: so a slope stays one.
   */
  coarsen(limit: number): void {
    while (this.#length > limit) {
      const count = this.#length - 1;
      this.#findLosses(count);
      // Some more than needed, or it would be done again for every snapshot. A sample tells well enough how many that are.
      const part = Math.min(1, (this.#length - limit * 0.75) / count);
      let sampled = 0;
      for (let i = 0; i < count; i += SAMPLED) sample[sampled++] = losses[i]!;
      sample.subarray(0, sampled).sort();
      this.#mergePairs(count, sample[Math.ceil(sampled * part) - 1]!);
    }
  }

  /** What is lost where a piece becomes one with the next; about what a person would miss in a picture. */
  #findLosses(count: number): void {
    if (losses.length < count) {
      losses = new Float64Array(2 * count);
      sample = new Float64Array(2 * count);
    }
    for (let i = 0; i < count; i++) {
      const smaller = Math.min(this.edge(i + 1) - this.edge(i), this.edge(i + 2) - this.edge(i + 1));
      const here = this.watchedUs(i);
      const next = this.watchedUs(i + 1);
      const difference =
        here > 0 && next > 0 ? Math.abs(this.share(i) - this.share(i + 1)) : here === next ? 0 : 2; // what nobody watched stays apart for as long as it can
      losses[i] = difference * Math.log2(1 + smaller);
    }
  }

  /** In place: there are never more pieces written than read. */
  #mergePairs(count: number, threshold: number): void {
    const pieces = this.#length;
    this.#length = 0;
    for (let i = 0; i < pieces; i++) {
      const isPair = i < count && losses[i]! <= threshold && !(i + 1 < count && losses[i + 1]! < losses[i]!);
      if (!isPair) {
        this.#push(this.edge(i + 1), this.watchedUs(i), this.askedUs(i), this.accessedUs(i), this.agedUs(i));
        continue;
      }
      const here = this.edge(i + 1) - this.edge(i);
      const next = this.edge(i + 2) - this.edge(i + 1);
      this.#push(
        this.edge(i + 2),
        (this.watchedUs(i) * here + this.watchedUs(i + 1) * next) / (here + next),
        (this.askedUs(i) * here + this.askedUs(i + 1) * next) / (here + next),
        (this.accessedUs(i) * here + this.accessedUs(i + 1) * next) / (here + next),
        (this.agedUs(i) * here + this.agedUs(i + 1) * next) / (here + next),
      );
      i++;
    }
  }

  #begin(start: number): void {
    this.#length = 0;
    if (this.#values.length === 0) this.#values = new Float64Array(LEAST_ROOM);
    this.#values[0] = start;
  }

  /** From where the last one ends. */
  #push(end: number, watchedUs: number, askedUs: number, accessedUs: number, agedUs: number): void {
    const last = this.#length - 1;
    const isSame =
      last >= 0 &&
      this.watchedUs(last) === watchedUs &&
      this.askedUs(last) === askedUs &&
      this.accessedUs(last) === accessedUs &&
      this.agedUs(last) === agedUs;
    if (!isSame) {
      const at = WIDTH * this.#length++;
      if (at + WIDTH >= this.#values.length) this.#grow();
      this.#values[at + 1] = watchedUs;
      this.#values[at + 2] = askedUs;
      this.#values[at + 3] = accessedUs;
      this.#values[at + 4] = agedUs;
    }
    this.#values[WIDTH * this.#length] = end;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#values.length + LEAST_ROOM);
    larger.set(this.#values);
    this.#values = larger;
  }
}

/** Of the profile that is being made coarser. */
let losses = new Float64Array(0);
let sample = new Float64Array(0);

/** Nobody writes into it. */
export const NOTHING = new Profile();

/** Sums over some pages: page-microseconds, of which the share and the age are `accessed / asked`, `aged / watched`. */
export interface CellSums {
  readonly watched: Float64Array;
  readonly asked: Float64Array;
  readonly accessed: Float64Array;
  readonly aged: Float64Array;
}

/** Adds `weight` x what lies in each of the cells between these edges. One pass over both. */
export function addToCells(profile: Profile, cellEdges: Float64Array, weight: number, cells: CellSums): void {
  let cell = 0;
  let i = firstEndingAfter(profile, cellEdges[0]!);
  while (i < profile.length && cell < cellEdges.length - 1) {
    const end = Math.min(profile.edge(i + 1), cellEdges[cell + 1]!);
    const pages = end - Math.max(profile.edge(i), cellEdges[cell]!);
    if (pages > 0 && profile.watchedUs(i) > 0) {
      cells.watched[cell]! += profile.watchedUs(i) * pages * weight;
      cells.asked[cell]! += profile.askedUs(i) * pages * weight;
      cells.accessed[cell]! += profile.accessedUs(i) * pages * weight;
      cells.aged[cell]! += profile.agedUs(i) * pages * weight;
    }
    if (profile.edge(i + 1) <= end) i++;
    if (cellEdges[cell + 1]! <= end) cell++;
  }
}

function firstEndingAfter(profile: Profile, page: number): number {
  let low = 0;
  let high = profile.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (profile.edge(middle + 1) <= page) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The sum of many profiles, in memory that is used again. Sums of 1, 2, 4, ... of them wait for as many more, as the bits of
 * a number that counts them: so a profile is part of a few sums, not of as many as there are.
 */
export class RunningSum {
  readonly #waiting: Profile[] = [];
  #count = 0;

  /** @param limit pieces of a sum */
  constructor(public limit: number) {}

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** See Profile. */
  get footprint(): number {
    let sum = 0;
    for (const profile of this.#waiting) sum += profile.footprint;
    return sum;
  }

  /** Copies it. */
  add(profile: Profile): void {
    let sum = profile;
    let bit = 0;
    for (; (this.#count >> bit) & 1; bit++) sum = this.#plus(this.#waiting[bit]!, sum);
    if (bit === this.#waiting.length) this.#waiting.push(new Profile());
    this.#waiting[bit]!.setTo(sum);
    this.#count++;
  }

  /** The sum of all since the last time; valid until any other one is made. */
  take(): Profile {
    let sum = NOTHING;
    for (let bit = 0; this.#count > 0; bit++, this.#count >>= 1) {
      if (this.#count & 1) sum = this.#plus(this.#waiting[bit]!, sum);
    }
    return sum;
  }

  #plus(a: Profile, b: Profile): Profile {
    const sum = b === scratch[0] ? scratch[1] : scratch[0];
    sum.setToSum(a, b);
    sum.coarsen(this.limit);
    return sum;
  }
}

/** Sums that are being made: one of them, and what it is made of. */
const scratch = [new Profile(), new Profile()] as const;
