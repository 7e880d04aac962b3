/** Number of header words (Int32), then of header numbers (Float64). */
const HEADER_WORDS = 18;
const HEADER_NUMBERS = 4;
export const HEADER_BYTES = HEADER_WORDS * 4 + HEADER_NUMBERS * 8;

const COUNT = 0;
const STATUS = 1;
export const RANGE_COUNT = 2;
const MAX_NR_ACCESSES = 3;
export const ANSWERS_PER_REGION = 4;
const TICK = 5;
const ROUND = 6;
const ASKED = 7;
const MOST_SAMPLES = 8;
const SPENT = 9;
export const IS_DELIVERED = 10;
export const ORDERS = 11;
export const DELIVERIES = 12;
export const PEEKS = 13;
export const AGE_STEP = 14;
export const RANGE_CAPACITY = 15;
export const LAYOUT_VERSION = 16;

/** Indices of the header numbers. */
const CELL_PAGES = 0;
const RESIDENT_BYTES = 1;
const COST_US = 2;
const BEGIN_US = 3;

/** The state in which a sampler found a target's address space. */
export const TargetStatus = {
  /** Read as expected. */
  OK: 0,
  /** Reads returned nothing, after an exec or an exit: read the mappings again before the next tick. */
  STALE: 1,
  /** The process has ended. */
  GONE: 2,
  /** The process is alive, but watching it failed or is no longer permitted. */
  FAILED: 3,
} as const;
export type TargetStatus = (typeof TargetStatus)[keyof typeof TargetStatus];

/** What a region table says about itself as a whole, in front of its columns and in the same shared memory. */
export abstract class TableHeader {
  abstract readonly capacity: number;
  protected readonly words: Int32Array;
  protected readonly numbers: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer, 0, HEADER_WORDS);
    this.numbers = new Float64Array(buffer, HEADER_WORDS * 4, HEADER_NUMBERS);
  }

  /** Number of regions in the table. */
  get count(): number {
    return this.words[COUNT]!;
  }

  set count(regions: number) {
    if (regions > this.capacity) throw new RangeError(`${regions} regions in a table of ${this.capacity}`);
    this.words[COUNT] = regions;
  }

  get status(): TargetStatus {
    return this.words[STATUS] as TargetStatus;
  }

  set status(status: TargetStatus) {
    this.words[STATUS] = status;
  }

  /** Sampling intervals in an aggregation interval; 1 until it is set. */
  get maxNrAccesses(): number {
    return Math.max(1, this.words[MAX_NR_ACCESSES]!);
  }

  set maxNrAccesses(count: number) {
    this.words[MAX_NR_ACCESSES] = count;
  }

  /** Resident memory of the whole process in bytes, when last read; 0 if unknown. */
  get residentBytes(): number {
    return this.numbers[RESIDENT_BYTES]!;
  }

  set residentBytes(bytes: number) {
    this.numbers[RESIDENT_BYTES] = bytes;
  }

  /** What a region source must do for this target in the next phase: bits of Order. */
  get orders(): number {
    return this.words[ORDERS]!;
  }

  set orders(orders: number) {
    this.words[ORDERS] = orders;
  }

  /** Intervals that the region source has delivered. */
  get deliveries(): number {
    return this.words[DELIVERIES]!;
  }

  set deliveries(intervals: number) {
    this.words[DELIVERIES] = intervals;
  }

  /** Reads in the middle of an interval. */
  get peeks(): number {
    return this.words[PEEKS]!;
  }

  set peeks(reads: number) {
    this.words[PEEKS] = reads;
  }

  /** Aggregation intervals between the last delivery and the ordered one; more than 1 after a pause. */
  get ageStep(): number {
    return this.words[AGE_STEP]!;
  }

  set ageStep(intervals: number) {
    this.words[AGE_STEP] = intervals;
  }

  /** CPU time that the region source needs for an interval, in microseconds; 0 before the first. */
  get costUs(): number {
    return this.numbers[COST_US]!;
  }

  set costUs(us: number) {
    this.numbers[COST_US] = us;
  }

  /** CPU time that the start of the current interval took, in microseconds. */
  get beginUs(): number {
    return this.numbers[BEGIN_US]!;
  }

  set beginUs(us: number) {
    this.numbers[BEGIN_US] = us;
  }

  /** Ticks of this aggregation interval that have picked their pages; only with evidence. */
  get tick(): number {
    return this.words[TICK]!;
  }

  set tick(tick: number) {
    this.words[TICK] = tick;
  }

  /** Aggregation intervals so far; only with evidence. */
  get round(): number {
    return this.words[ROUND]!;
  }

  set round(round: number) {
    this.words[ROUND] = round;
  }

  /** Rows that are sampled in this tick. */
  get asked(): number {
    return this.words[ASKED]!;
  }

  set asked(rows: number) {
    this.words[ASKED] = rows;
  }

  /** Most samples in an aggregation interval; Infinity until set. */
  get mostSamples(): number {
    const word = this.words[MOST_SAMPLES]!;
    return word === 0 ? Number.POSITIVE_INFINITY : word - 1;
  }

  set mostSamples(samples: number) {
    this.words[MOST_SAMPLES] = Number.isFinite(samples) ? samples + 1 : 0;
  }

  /** Samples in this aggregation interval so far. */
  get spent(): number {
    return this.words[SPENT]!;
  }

  set spent(samples: number) {
    this.words[SPENT] = samples;
  }

  /** Pages in a cell; 0 while the cells hold nothing of this target. Only with evidence. */
  get cellPages(): number {
    return this.numbers[CELL_PAGES]!;
  }

  set cellPages(pages: number) {
    this.numbers[CELL_PAGES] = pages;
  }
}
