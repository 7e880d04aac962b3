import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import { heatOf, seenPagesOf, sizeOf } from '../../core/working-set.js';

/** Numbers of a piece: where it begins, then watchedUs, askedUs, accessedUs and agedUs. */
const WIDTH = 5;
const LEAST_ROOM = 8 * WIDTH + 1;
/** The loss is sampled at one in this many pieces. */
const SAMPLED = 8;

/** The piece that is being appended to a profile. */
const piece = new Float64Array(WIDTH);

/**
 * How an address space was accessed during one stretch of time: pieces that touch, each alike all over. All values are
 * densities, the same for every page of a piece, so that a piece can be cut anywhere without a change.
 *
 * One array that is written again and again, because some profiles are made anew for every snapshot of a record.
 */
export class Profile {
  /** [WIDTH x piece + number], and then where the last piece ends. */
  #values = new Float64Array(0);
  #length = 0;

  /** How many pieces. */
  get length(): number {
    return this.#length;
  }

  /** The memory it takes, in pieces: beside them about half a KiB for an array and its objects. */
  get footprint(): number {
    return this.#values.length / WIDTH + 16;
  }

  /** In pages, ascending: where piece i begins and the one before it ends. */
  edge(i: number): number {
    return this.#values[WIDTH * i]!;
  }

  pagesOf(i: number): number {
    return this.edge(i + 1) - this.edge(i);
  }

  /** For how long a page was watched, in us; 0 if it was not. */
  watchedUs(i: number): number {
    return this.#values[WIDTH * i + 1]!;
  }

  /** watchedUs x the part of its pages that the share is of: all if they are sampled, the resident ones if counted. */
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

  /** Appends a piece; addresses between it and the last one become a piece that was not watched. */
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
    if (start > last) {
      piece.fill(0);
      this.#push(start);
    }
    piece[1] = watchedUs;
    piece[2] = askedUs;
    piece[3] = accessedUs;
    piece[4] = agedUs;
    this.#push(end);
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
      for (let k = 1; k < WIDTH; k++) {
        piece[k] = (isInA ? a.#values[WIDTH * i + k]! : 0) + (isInB ? b.#values[WIDTH * j + k]! : 0);
      }
      page = Math.min(
        i < a.length ? a.edge(i + 1) : Number.POSITIVE_INFINITY,
        j < b.length ? b.edge(j + 1) : Number.POSITIVE_INFINITY,
      );
      this.#push(page);
    }
  }

  /** Becomes a copy. */
  setTo(other: Profile): void {
    const values = other.#used();
    if (this.#values.length < values.length) {
      // With some room: the next one may have a few more, and the old array stays until all garbage is collected.
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
   * Merges pieces until there are at most `limit`. Two neighbours become one, with the mean of both, where the error is
   * least: their shares differ little, and the smaller one is small. Only pairs, then pairs of these: so a slope stays one.
   */
  coarsen(limit: number): void {
    while (this.#length > limit) {
      const count = this.#length - 1;
      this.#findLosses(count);
      // Some more than needed, or it would be done again for every snapshot. A sample is enough to find the threshold.
      const part = Math.min(1, (this.#length - limit * 0.75) / count);
      let sampled = 0;
      for (let i = 0; i < count; i += SAMPLED) sample[sampled++] = losses[i]!;
      sample.subarray(0, sampled).sort();
      this.#mergePairs(count, sample[Math.ceil(sampled * part) - 1]!);
    }
  }

  /** What is lost if a piece and the next become one: about what a person would miss in a picture. */
  #findLosses(count: number): void {
    if (losses.length < count) {
      losses = new Float64Array(2 * count);
      sample = new Float64Array(2 * count);
    }
    for (let i = 0; i < count; i++) {
      const here = this.watchedUs(i);
      const next = this.watchedUs(i + 1);
      const isWatched = here > 0 && next > 0;
      // Addresses that were not watched stay apart for as long as they can.
      const difference = isWatched ? Math.abs(this.share(i) - this.share(i + 1)) : here === next ? 0 : 2;
      losses[i] = difference * Math.log2(1 + Math.min(this.pagesOf(i), this.pagesOf(i + 1)));
    }
  }

  /** In place: never more pieces are written than read. */
  #mergePairs(count: number, threshold: number): void {
    const values = this.#values;
    const pieces = this.#length;
    this.#length = 0;
    for (let i = 0; i < pieces; i++) {
      const at = WIDTH * i;
      const isPair = i < count && losses[i]! <= threshold && !(i + 1 < count && losses[i + 1]! < losses[i]!);
      if (isPair) {
        const [here, next] = [this.pagesOf(i), this.pagesOf(i + 1)];
        for (let k = 1; k < WIDTH; k++)
          piece[k] = (values[at + k]! * here + values[at + WIDTH + k]! * next) / (here + next);
        i++;
      } else for (let k = 1; k < WIDTH; k++) piece[k] = values[at + k]!;
      this.#push(this.edge(i + 1));
    }
  }

  #begin(start: number): void {
    this.#length = 0;
    if (this.#values.length === 0) this.#values = new Float64Array(LEAST_ROOM);
    this.#values[0] = start;
  }

  /** Appends `piece`, from the end of the last one; two that are the same become one. */
  #push(end: number): void {
    const at = WIDTH * this.#length;
    let isSame = at > 0;
    for (let k = 1; k < WIDTH; k++) isSame &&= this.#values[at - WIDTH + k] === piece[k];
    if (!isSame) {
      this.#length++;
      if (at + WIDTH >= this.#values.length) this.#grow();
      for (let k = 1; k < WIDTH; k++) this.#values[at + k] = piece[k]!;
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

/** Without pieces; never written. */
export const EMPTY_PROFILE = new Profile();

/** Sums over pages, in page-microseconds: the share is accessed / asked, the age aged / watched. */
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
 * The sum of many profiles, in memory that is used again. Sums of 1, 2, 4, ... of them wait for as many more, like the bits
 * of a counter: so each profile is part of only a few sums.
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
    return this.#waiting.reduce((sum, profile) => sum + profile.footprint, 0);
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

  /** Returns the sum and begins anew; the sum is valid until another one is made. */
  take(): Profile {
    let sum = EMPTY_PROFILE;
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

/** The sum that is being made, and one that it is made of. */
const scratch = [new Profile(), new Profile()] as const;
