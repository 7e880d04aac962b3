import { type EvidenceColumns, evidenceBytes, NO_PLACE, NOT_ASKED, RowKind } from './evidence/columns.js';
import {
  AGE_STEP,
  ANSWERS_PER_REGION,
  DELIVERIES,
  HEADER_BYTES,
  IS_DELIVERED,
  LAYOUT_VERSION,
  ORDERS,
  PEEKS,
  RANGE_CAPACITY,
  RANGE_COUNT,
  TableHeader,
} from './table-header.js';

/**
 * The regions of one target as columns over one SharedArrayBuffer. The coordinator and the target's sampler share the table
 * without copying. It needs no locks: samplers touch it only during a phase, the coordinator only between phases
 * (docs/design.md).
 *
 * If the target has a layout (layout.ts), everything called a page here is a position in it.
 *
 * In memory: 18 header words (Int32), 4 header numbers (Float64), the ranges (2 Float64 each), then the columns, the widest first
 * so that each is aligned: 3 of Float64 and 6 of Uint32, `capacity` elements each. A table with evidence has more of both
 * (evidence/columns.ts). A table that a region source fills has 3 more of Float64.
 */

const BYTES_PER_REGION = 3 * 8 + 6 * 4;
const DELIVERED_BYTES_PER_REGION = 3 * 8;

/** Ranges that a table has room for by default: those of `threeRanges`. */
export const DEFAULT_RANGES = 3;

/** What a region source delivers for each region, besides its start and end. */
export interface DeliveredColumns {
  readonly residentPages: Float64Array;
  /** Resident pages that the source cannot see. */
  readonly unseenPages: Float64Array;
  /** Pages accessed in the interval. */
  readonly accessedPages: Float64Array;
}

export class RegionTable extends TableHeader {
  readonly capacity: number;
  /** First page of each region; regions are sorted, disjoint and never empty. */
  readonly startPage: Float64Array;
  /** First page after each region. */
  readonly endPage: Float64Array;
  /** The page of each region that is sampled in this sampling interval. */
  readonly samplePage: Float64Array;
  readonly nrAccesses: Uint32Array;
  readonly lastNrAccesses: Uint32Array;
  readonly age: Uint32Array;
  /**
   * Counts of this aggregation interval: samples whose page was looked up, samples whose page was in memory, and samples in
   * memory that the check cannot see.
   */
  readonly lookedUp: Uint32Array;
  readonly present: Uint32Array;
  readonly unseen: Uint32Array;
  /** Only in a table that a region source fills. */
  readonly delivered: DeliveredColumns | undefined;
  /** [start, end) pairs of pages that the regions cover, in address order; the first `rangeCount` are set. */
  readonly ranges: Float64Array;
  /** Only if the adaptation keeps answers. */
  readonly evidence: EvidenceColumns | undefined;

  constructor(buffer: SharedArrayBuffer) {
    super(buffer);
    const answersPerRegion = this.words[ANSWERS_PER_REGION]!;
    const isDelivered = this.words[IS_DELIVERED] === 1;
    const ranges = this.words[RANGE_CAPACITY]!;
    let offset = HEADER_BYTES + 16 * ranges;
    const capacity = Math.floor((buffer.byteLength - offset) / bytesPerRegion(answersPerRegion, isDelivered));
    this.capacity = capacity;
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
   * An empty table for a monitor with these limits. Merging keeps a target below the larger of maxRegions and about
   * 2 * minRegions, because two neighbours that together exceed total / minRegions stay separate.
   *
   * @param answersPerRegion how many answers the adaptation keeps for each row; 0 for none
   * @param isDelivered whether a region source fills the table
   * @param ranges the most ranges that the regions may cover
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
    // V8 maps and unmaps growable buffers itself, even if they never grow. Other buffers come from malloc, whose arenas (one per
    // thread) fragment when tables come and go: 384 MiB resident instead of 149 after two minutes of the soak test.
    const buffer = new SharedArrayBuffer(bytes, { maxByteLength: bytes });
    const words = new Int32Array(buffer);
    words[ANSWERS_PER_REGION] = answersPerRegion;
    words[IS_DELIVERED] = isDelivered ? 1 : 0;
    words[RANGE_CAPACITY] = ranges;
    return new RegionTable(buffer);
  }

  /** Number of rows in a table for these limits. */
  static capacityFor(minRegions: number, maxRegions: number, ranges = DEFAULT_RANGES): number {
    return Math.max(maxRegions, 2 * minRegions + ranges) + 2 * updateRows(ranges);
  }

  /** Number of ranges that the table has room for. */
  get rangeCapacity(): number {
    return this.words[RANGE_CAPACITY]!;
  }

  /** At the start of an aggregation interval. */
  clearPresence(): void {
    this.lookedUp.fill(0);
    this.present.fill(0);
    this.unseen.fill(0);
  }

  /** Most regions that a source may deliver: maxRegions for each target, because delivered regions cost nothing. */
  get deliveredLimit(): number {
    return this.capacity - 2 * updateRows(this.rangeCapacity);
  }

  /** The version of the layout that the regions lie in. */
  get layoutVersion(): number {
    return this.words[LAYOUT_VERSION]!;
  }

  set layoutVersion(version: number) {
    this.words[LAYOUT_VERSION] = version;
  }

  get rangeCount(): number {
    return this.words[RANGE_COUNT]!;
  }

  /** Sets the ranges: up to `rangeCapacity` [start, end) pairs of pages, in address order. */
  setRanges(pairs: Float64Array): void {
    this.ranges.set(pairs);
    this.words[RANGE_COUNT] = pairs.length / 2;
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

  /** Makes row `at` a region without any counts. */
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
   * Moves all rows to the end of the table. A pass that then reads from there and writes from row 0 can add rows without a
   * second table, as many as the table has spare.
   *
   * @returns the index of the first moved row
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

  /** Copies another table, which must fit. Leaves out the cells: each table has its own. */
  copyFrom(other: RegionTable): void {
    this.count = other.count;
    this.status = other.status;
    this.maxNrAccesses = other.maxNrAccesses;
    this.setRanges(other.ranges.subarray(0, 2 * other.rangeCount));
    this.residentBytes = other.residentBytes;
    for (const word of [ORDERS, DELIVERIES, PEEKS, AGE_STEP, LAYOUT_VERSION])
      this.words[word] = other.words[word]!;
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

/** Rows that new ranges can add: one per range, one per hole between the old ranges, and two spare ones. */
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
