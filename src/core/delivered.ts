import type { Adaptation } from './adaptation.js';
import type { RegionTable } from './region-table.js';

/** The adaptation for regions that a source delivers: it leaves them as they are. */
export const DELIVERED: Adaptation = { name: 'damon', answersPerRegion: 0, merge: () => {}, split: () => {} };

/** Heats that differ by up to a tenth count as the same, as in the merge of sampled regions. */
const ALIKE = 0.1;

/** The gap in pages, and the difference in heat, up to which neighbours are delivered as one. Tried in order. */
const GAPS = [0, 16, 4_096, Number.POSITIVE_INFINITY];
const DIFFERENCES = [0, ALIKE, 1];

const COLUMNS = ['startPage', 'endPage', 'residentPages', 'unseenPages', 'accessedPages'] as const;

/** The regions that a source found, in address order, before they go into a table. All columns are in pages. */
export class DeliveredRows {
  count = 0;
  startPage = new Float64Array(256);
  endPage = new Float64Array(256);
  residentPages = new Float64Array(256);
  /** Resident pages that the source cannot see. */
  unseenPages = new Float64Array(256);
  accessedPages = new Float64Array(256);

  add(start: number, end: number, resident: number, unseen: number, accessed: number): void {
    if (this.count === this.startPage.length) this.#grow();
    const at = this.count++;
    this.startPage[at] = start;
    this.endPage[at] = end;
    this.residentPages[at] = resident;
    this.unseenPages[at] = unseen;
    this.accessedPages[at] = Math.min(accessed, resident);
  }

  heat(i: number): number {
    return heatOf(this.accessedPages[i]!, this.residentPages[i]!);
  }

  /**
   * Makes the rows cover exactly these [start, end) pairs. Cutting a region assumes that it is uniform. Gaps become regions
   * without resident pages.
   */
  clipTo(ranges: Float64Array): void {
    const { count } = this;
    const whole = COLUMNS.map((column) => this[column].slice(0, count));
    const [starts, ends, resident, unseen, accessed] = whole as [Float64Array, ...Float64Array[]];
    this.count = 0;
    for (let r = 0; r < ranges.length; r += 2) {
      let covered = ranges[r]!;
      for (let i = 0; i < count; i++) {
        const start = Math.max(starts[i]!, ranges[r]!);
        const end = Math.min(ends![i]!, ranges[r + 1]!);
        if (end <= start) continue;
        const part = (end - start) / (ends![i]! - starts[i]!);
        if (start > covered) this.add(covered, start, 0, 0, 0);
        this.add(start, end, resident![i]! * part, unseen![i]! * part, accessed![i]! * part);
        covered = end;
      }
      if (ranges[r + 1]! > covered) this.add(covered, ranges[r + 1]!, 0, 0, 0);
    }
  }

  /** Joins neighbours down to `limit` regions, starting with those that touch and are similar. Sums stay exact. */
  fitInto(limit: number): void {
    for (const gap of GAPS) {
      for (const difference of DIFFERENCES) {
        if (this.count <= limit) return;
        this.#join(limit, gap, difference);
      }
    }
  }

  #join(limit: number, gap: number, difference: number): void {
    const { count } = this;
    let excess = count - limit;
    let into = 0;
    for (let i = 1; i < count; i++) {
      const isOne =
        excess > 0 &&
        this.startPage[i]! - this.endPage[into]! <= gap &&
        Math.abs(this.heat(into) - this.heat(i)) <= difference;
      if (isOne) {
        this.endPage[into] = this.endPage[i]!;
        this.residentPages[into]! += this.residentPages[i]!;
        this.unseenPages[into]! += this.unseenPages[i]!;
        this.accessedPages[into]! += this.accessedPages[i]!;
        excess--;
      } else {
        into++;
        for (const column of COLUMNS) this[column][into] = this[column][i]!;
      }
    }
    this.count = into + 1;
  }

  #grow(): void {
    for (const column of COLUMNS) {
      const larger = new Float64Array(2 * this[column].length);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}

/** The regions of the previous interval: end pages, heats and ages. */
let ends = new Float64Array(256);
let heats = new Float64Array(256);
let ages = new Float64Array(256);

/**
 * Replaces the regions of a table with those that a source delivered, at most `table.deliveredLimit`. nrAccesses is 1 if
 * anything was accessed, because the source reads once per interval. The age is the number of aggregation intervals for
 * which the heat has stayed about the same. Runs once per interval and target, at about 20 ns a region.
 *
 * @param isLast whether the interval has ended; only then do ages grow
 */
export function deliverRegions(table: RegionTable, rows: DeliveredRows, isLast: boolean): void {
  const delivered = table.delivered!;
  rows.fitInto(table.deliveredLimit);
  const before = keepHeats(table);
  const passed = isLast ? table.ageStep : 0;
  for (let i = 0, b = 0; i < rows.count; i++) {
    const start = rows.startPage[i]!;
    const heat = rows.heat(i);
    while (b < before && ends[b]! <= start) b++;
    const isKnown = b < before;
    const isAlike = isKnown && heats[b]! > 0 === heat > 0 && Math.abs(heats[b]! - heat) <= ALIKE;
    table.startPage[i] = start;
    table.endPage[i] = rows.endPage[i]!;
    table.nrAccesses[i] = rows.accessedPages[i]! > 0 ? 1 : 0;
    table.age[i] = isAlike ? ages[b]! + passed : 0;
    delivered.residentPages[i] = rows.residentPages[i]!;
    delivered.unseenPages[i] = rows.unseenPages[i]!;
    delivered.accessedPages[i] = rows.accessedPages[i]!;
  }
  table.count = rows.count;
}

/** @returns the number of regions kept */
function keepHeats(table: RegionTable): number {
  const { count, endPage, age } = table;
  const { residentPages, accessedPages } = table.delivered!;
  if (ends.length < count) {
    ends = new Float64Array(2 * count);
    heats = new Float64Array(2 * count);
    ages = new Float64Array(2 * count);
  }
  for (let i = 0; i < count; i++) {
    ends[i] = endPage[i]!;
    heats[i] = heatOf(accessedPages[i]!, residentPages[i]!);
    ages[i] = age[i]!;
  }
  return count;
}

function heatOf(accessed: number, resident: number): number {
  return resident > 0 ? Math.min(1, accessed / resident) : 0;
}
