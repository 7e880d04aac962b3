import { type EvidenceColumns, evidenceBytes, NO_PLACE, NOT_ASKED, RowKind } from './evidence/columns.js';

/**
 * The regions of one target as columns over one SharedArrayBuffer, so that the coordinator and the sampler
 * that watches the target see the same table without copying. Nothing in it is locked: samplers touch it
 * only inside a phase, the coordinator only between phases (docs/design.md).
 *
 * Layout: 16 header words (Int32), 4 header numbers (Float64), the ranges (2 Float64 each), then the columns, the widest first
 * so that each is aligned: 3 of Float64 and 6 of Uint32, `capacity` elements each. A table with evidence has more of both
 * (evidence/columns.ts), and one that a region source fills has 3 more of Float64.
 */

const HEADER_WORDS = 16;
const HEADER_NUMBERS = 4;
const HEADER_BYTES = HEADER_WORDS * 4 + HEADER_NUMBERS * 8;
const BYTES_PER_REGION = 3 * 8 + 6 * 4;
const DELIVERED_BYTES_PER_REGION = 3 * 8;

const COUNT = 0;
const STATUS = 1;
const RANGE_COUNT = 2;
const MAX_NR_ACCESSES = 3;
const ANSWERS_PER_REGION = 4;
const TICK = 5;
const ROUND = 6;
const ASKED = 7;
const MOST_SAMPLES = 8;
const SPENT = 9;
const IS_DELIVERED = 10;
const ORDERS = 11;
const DELIVERIES = 12;
const PEEKS = 13;
const AGE_STEP = 14;
const RANGE_CAPACITY = 15;

/** Among the header numbers. */
const CELL_PAGES = 0;
const RESIDENT_BYTES = 1;
const COST_US = 2;
const BEGIN_US = 3;

/** Ranges that a table has room for unless more are asked for: those of the three-ranges cover. */
export const DEFAULT_RANGES = 3;

/** How a sampler found the address space of a target. */
export const TargetStatus = {
  /** Read as expected. */
  OK: 0,
  /** Reads came back empty (an exec, an exit): read the mappings again before the next tick. */
  STALE: 1,
  /** The process has ended. */
  GONE: 2,
  /** It lives, and may not or cannot be watched any longer. */
  FAILED: 3,
} as const;
export type TargetStatus = (typeof TargetStatus)[keyof typeof TargetStatus];

/** What a region source delivers of each region, beside where it lies. */
export interface DeliveredColumns {
  readonly residentPages: Float64Array;
  /** Of these, pages that the source cannot see. */
  readonly unseenPages: Float64Array;
  /** Pages accessed in the interval. */
  readonly accessedPages: Float64Array;
}

export class RegionTable {
  readonly capacity: number;
  /** First page of each region; regions are sorted, disjoint and never empty. */
  readonly startPage: Float64Array;
  /** First page after each region. */
  readonly endPage: Float64Array;
  /** The page of each region that this sampling interval asks about. */
  readonly samplePage: Float64Array;
  readonly nrAccesses: Uint32Array;
  readonly lastNrAccesses: Uint32Array;
  readonly age: Uint32Array;
  /**
   * Of this aggregation interval: samples whose page was looked up, those of them that were in memory, and those of these
   * that the check cannot see.
   */
  readonly lookedUp: Uint32Array;
  readonly present: Uint32Array;
  readonly unseen: Uint32Array;
  /** Only in a table that a region source fills. */
  readonly delivered: DeliveredColumns | undefined;
  /** [start, end) pairs of pages that the regions lie over, in address order; `rangeCount` of them are set. */
  readonly ranges: Float64Array;
  /** Only where an adaptation asks for it. */
  readonly evidence: EvidenceColumns | undefined;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, HEADER_WORDS);
    const answersPerRegion = this.#words[ANSWERS_PER_REGION]!;
    const isDelivered = this.#words[IS_DELIVERED] === 1;
    const ranges = this.#words[RANGE_CAPACITY]!;
    let offset = HEADER_BYTES + 16 * ranges;
    const capacity = Math.floor((buffer.byteLength - offset) / bytesPerRegion(answersPerRegion, isDelivered));
    this.capacity = capacity;
    this.#numbers = new Float64Array(buffer, HEADER_WORDS * 4, HEADER_NUMBERS);
    this.ranges = new Float64Array(buffer, HEADER_BYTES, 2 * ranges);
    const numbers = (each = 1) => {
      const column = new Float64Array(buffer, offset, each * capacity);
      offset += column.byteLength;
      return column;
    };
    const counts = () => {
      const column = new Uint32Array(buffer, offset, capacity);
      offset += column.byteLength;
      return column;
    };
    this.startPage = numbers();
    this.endPage = numbers();
    this.samplePage = numbers();
    this.delivered = isDelivered
      ? { residentPages: numbers(), unseenPages: numbers(), accessedPages: numbers() }
      : undefined;
    const evidence = answersPerRegion > 0 && {
      answersPerRegion,
      hits: numbers(),
      trials: numbers(),
      pendingHits: numbers(),
      pendingTrials: numbers(),
      pivot: numbers(),
      deviation: numbers(),
      unlike: numbers(),
      cellHits: numbers(),
      cellTrials: numbers(),
      answers: numbers(answersPerRegion),
    };
    this.nrAccesses = counts();
    this.lastNrAccesses = counts();
    this.age = counts();
    this.lookedUp = counts();
    this.present = counts();
    this.unseen = counts();
    this.evidence = evidence
      ? { ...evidence, planned: counts(), place: counts(), kind: counts() }
      : undefined;
  }

  /**
   * An empty table for a monitor with these limits. Merging keeps a target below the larger of maxRegions and
   * about 2 * minRegions (two neighbours that together exceed total / minRegions stay two).
   *
   * @param answersPerRegion what the adaptation keeps of each row's samples; 0 for none
   * @param isDelivered whether a region source fills it
   * @param ranges that the regions may lie over, at most
   */
  static forLimits(
    minRegions: number,
    maxRegions: number,
    answersPerRegion = 0,
    isDelivered = false,
    ranges = DEFAULT_RANGES,
  ): RegionTable {
    const capacity = RegionTable.capacityFor(minRegions, maxRegions, ranges);
    const bytes = HEADER_BYTES + 16 * ranges + capacity * bytesPerRegion(answersPerRegion, isDelivered);
    // V8 maps growable buffers itself and unmaps them, also those that never grow. Others come from malloc, whose arenas (one a
    // thread) become fragmented when tables come and go: 384 MiB resident instead of 149 after two minutes of the soak.
    const buffer = new SharedArrayBuffer(bytes, { maxByteLength: bytes });
    const words = new Int32Array(buffer, 0, HEADER_WORDS);
    words[ANSWERS_PER_REGION] = answersPerRegion;
    words[IS_DELIVERED] = isDelivered ? 1 : 0;
    words[RANGE_CAPACITY] = ranges;
    return new RegionTable(buffer);
  }

  /** Rows that a table for these limits has. */
  static capacityFor(minRegions: number, maxRegions: number, ranges = DEFAULT_RANGES): number {
    return Math.max(maxRegions, 2 * minRegions + ranges) + 2 * updateRows(ranges);
  }

  /** Ranges that it has room for. */
  get rangeCapacity(): number {
    return this.#words[RANGE_CAPACITY]!;
  }

  /** Number of regions in the table. */
  get count(): number {
    return this.#words[COUNT]!;
  }

  set count(regions: number) {
    if (regions > this.capacity) throw new RangeError(`${regions} regions in a table of ${this.capacity}`);
    this.#words[COUNT] = regions;
  }

  get status(): TargetStatus {
    return this.#words[STATUS] as TargetStatus;
  }

  set status(status: TargetStatus) {
    this.#words[STATUS] = status;
  }

  /** Sampling intervals in an aggregation interval; 1 until it is set. */
  get maxNrAccesses(): number {
    return Math.max(1, this.#words[MAX_NR_ACCESSES]!);
  }

  set maxNrAccesses(count: number) {
    this.#words[MAX_NR_ACCESSES] = count;
  }

  /** At the start of an aggregation interval. */
  clearPresence(): void {
    this.lookedUp.fill(0);
    this.present.fill(0);
    this.unseen.fill(0);
  }

  /** Resident memory of the whole process in bytes, when it was read last; 0 if it is not known. */
  get residentBytes(): number {
    return this.#numbers[RESIDENT_BYTES]!;
  }

  set residentBytes(bytes: number) {
    this.#numbers[RESIDENT_BYTES] = bytes;
  }

  /** What a region source is to do for this target in the next phase: bits of Order. */
  get orders(): number {
    return this.#words[ORDERS]!;
  }

  set orders(orders: number) {
    this.#words[ORDERS] = orders;
  }

  /** Intervals that its region source has delivered, and looks into intervals that went on. */
  get deliveries(): number {
    return this.#words[DELIVERIES]!;
  }

  set deliveries(intervals: number) {
    this.#words[DELIVERIES] = intervals;
  }

  get peeks(): number {
    return this.#words[PEEKS]!;
  }

  set peeks(looks: number) {
    this.#words[PEEKS] = looks;
  }

  /** Aggregation intervals from the delivery before to the one that is ordered: there may be pauses between them. */
  get ageStep(): number {
    return this.#words[AGE_STEP]!;
  }

  set ageStep(intervals: number) {
    this.#words[AGE_STEP] = intervals;
  }

  /** CPU that its region source takes for an interval, in microseconds; 0 before the first. */
  get costUs(): number {
    return this.#numbers[COST_US]!;
  }

  set costUs(us: number) {
    this.#numbers[COST_US] = us;
  }

  /** The part of it that the start of the running interval took. */
  get beginUs(): number {
    return this.#numbers[BEGIN_US]!;
  }

  set beginUs(us: number) {
    this.#numbers[BEGIN_US] = us;
  }

  /** Regions that a source may deliver: maxRegions, and of this target alone, for they cost nothing. */
  get deliveredLimit(): number {
    return this.capacity - 2 * updateRows(this.rangeCapacity);
  }

  /** Ticks of this aggregation interval that have picked their pages, and aggregation intervals; with evidence alone. */
  get tick(): number {
    return this.#words[TICK]!;
  }

  set tick(tick: number) {
    this.#words[TICK] = tick;
  }

  get round(): number {
    return this.#words[ROUND]!;
  }

  set round(round: number) {
    this.#words[ROUND] = round;
  }

  /** Rows whose page is asked about in this tick. */
  get asked(): number {
    return this.#words[ASKED]!;
  }

  set asked(rows: number) {
    this.#words[ASKED] = rows;
  }

  /** Samples that an aggregation interval may have, Infinity until it is set; and those that this one has had. */
  get mostSamples(): number {
    const word = this.#words[MOST_SAMPLES]!;
    return word === 0 ? Number.POSITIVE_INFINITY : word - 1;
  }

  set mostSamples(samples: number) {
    this.#words[MOST_SAMPLES] = Number.isFinite(samples) ? samples + 1 : 0;
  }

  get spent(): number {
    return this.#words[SPENT]!;
  }

  set spent(samples: number) {
    this.#words[SPENT] = samples;
  }

  /** Pages of a cell, 0 where cells hold nothing of this target yet; with evidence alone. */
  get cellPages(): number {
    return this.#numbers[CELL_PAGES]!;
  }

  set cellPages(pages: number) {
    this.#numbers[CELL_PAGES] = pages;
  }

  get rangeCount(): number {
    return this.#words[RANGE_COUNT]!;
  }

  /** Takes [start, end) pairs of pages in address order, at most `rangeCapacity`. */
  setRanges(pairs: Float64Array): void {
    this.ranges.set(pairs);
    this.#words[RANGE_COUNT] = pairs.length / 2;
  }

  /** Whether updateRegions can add its rows; if not, the next merge makes room. */
  get hasRoomForUpdate(): boolean {
    return this.capacity - this.count >= updateRows(this.rangeCapacity);
  }

  /** Pages in all regions. */
  totalPages(): number {
    const { startPage, endPage, count } = this;
    let pages = 0;
    for (let i = 0; i < count; i++) pages += endPage[i]! - startPage[i]!;
    return pages;
  }

  /** Makes row `to` a copy of row `from`. */
  copyRow(from: number, to: number): void {
    this.startPage[to] = this.startPage[from]!;
    this.endPage[to] = this.endPage[from]!;
    this.nrAccesses[to] = this.nrAccesses[from]!;
    this.lastNrAccesses[to] = this.lastNrAccesses[from]!;
    this.age[to] = this.age[from]!;
    this.lookedUp[to] = this.lookedUp[from]!;
    this.present[to] = this.present[from]!;
    this.unseen[to] = this.unseen[from]!;
    if (this.evidence) copyEvidence(this.evidence, from, to);
  }

  /** Makes row `at` a region that nothing is known of yet. */
  setFresh(at: number, startPage: number, endPage: number): void {
    this.startPage[at] = startPage;
    this.endPage[at] = endPage;
    this.nrAccesses[at] = 0;
    this.lastNrAccesses[at] = 0;
    this.age[at] = 0;
    this.lookedUp[at] = this.present[at] = this.unseen[at] = 0;
    if (this.evidence) clearEvidence(this.evidence, at);
  }

  /**
   * Moves all rows to the end of the table and returns the index of the first: a pass that reads from there
   * and writes from row 0 can add as many rows as the table has spare without a second table.
   */
  moveToEnd(): number {
    const { count, capacity } = this;
    const first = capacity - count;
    this.startPage.copyWithin(first, 0, count);
    this.endPage.copyWithin(first, 0, count);
    this.nrAccesses.copyWithin(first, 0, count);
    this.lastNrAccesses.copyWithin(first, 0, count);
    this.age.copyWithin(first, 0, count);
    this.lookedUp.copyWithin(first, 0, count);
    this.present.copyWithin(first, 0, count);
    this.unseen.copyWithin(first, 0, count);
    if (this.evidence) for (let i = count - 1; i >= 0; i--) copyEvidence(this.evidence, i, first + i);
    return first;
  }

  /** Takes over everything of another table, which must fit; but for cells, of which each table has others. */
  copyFrom(other: RegionTable): void {
    this.count = other.count;
    this.status = other.status;
    this.maxNrAccesses = other.maxNrAccesses;
    this.setRanges(other.ranges.subarray(0, 2 * other.rangeCount));
    this.residentBytes = other.residentBytes;
    for (const word of [ORDERS, DELIVERIES, PEEKS, AGE_STEP]) this.#words[word] = other.#words[word]!;
    this.costUs = other.costUs;
    for (const column of COPIED_COLUMNS) this[column].set(other[column].subarray(0, other.count));
    if (this.delivered && other.delivered) {
      for (const column of ['residentPages', 'unseenPages', 'accessedPages'] as const)
        this.delivered[column].set(other.delivered[column].subarray(0, other.count));
    }
    if (!this.evidence || !other.evidence) return;
    this.tick = other.tick;
    this.round = other.round;
    this.mostSamples = other.mostSamples;
    this.spent = other.spent;
    for (const column of [
      'hits',
      'trials',
      'pendingHits',
      'pendingTrials',
      'pivot',
      'deviation',
      'unlike',
      'planned',
      'place',
      'kind',
    ] as const) {
      this.evidence[column].set(other.evidence[column].subarray(0, other.count));
    }
    this.evidence.answers.set(
      other.evidence.answers.subarray(0, other.count * other.evidence.answersPerRegion),
    );
  }
}

const COPIED_COLUMNS = [
  'startPage',
  'endPage',
  'nrAccesses',
  'lastNrAccesses',
  'age',
  'lookedUp',
  'present',
  'unseen',
] as const;

/** Rows that fitting the regions to new ranges can add: one a range, one a hole between the old ranges, and some to be safe. */
function updateRows(ranges: number): number {
  return 2 * ranges + 2;
}

function bytesPerRegion(answersPerRegion: number, isDelivered: boolean): number {
  return BYTES_PER_REGION + evidenceBytes(answersPerRegion) + (isDelivered ? DELIVERED_BYTES_PER_REGION : 0);
}

function copyEvidence(evidence: EvidenceColumns, from: number, to: number): void {
  const { answersPerRegion, answers } = evidence;
  evidence.hits[to] = evidence.hits[from]!;
  evidence.trials[to] = evidence.trials[from]!;
  evidence.pendingHits[to] = evidence.pendingHits[from]!;
  evidence.pendingTrials[to] = evidence.pendingTrials[from]!;
  evidence.pivot[to] = evidence.pivot[from]!;
  evidence.deviation[to] = evidence.deviation[from]!;
  evidence.unlike[to] = evidence.unlike[from]!;
  evidence.planned[to] = evidence.planned[from]!;
  evidence.place[to] = evidence.place[from]!;
  evidence.kind[to] = evidence.kind[from]!;
  answers.copyWithin(to * answersPerRegion, from * answersPerRegion, (from + 1) * answersPerRegion);
}

function clearEvidence(evidence: EvidenceColumns, at: number): void {
  const { answersPerRegion, answers } = evidence;
  evidence.hits[at] = evidence.trials[at] = evidence.pendingHits[at] = evidence.pendingTrials[at] = 0;
  evidence.deviation[at] = evidence.unlike[at] = 0;
  evidence.pivot[at] = NOT_ASKED;
  evidence.planned[at] = answersPerRegion;
  evidence.place[at] = NO_PLACE;
  evidence.kind[at] = RowKind.PLAIN;
  answers.fill(0, at * answersPerRegion, (at + 1) * answersPerRegion);
}
