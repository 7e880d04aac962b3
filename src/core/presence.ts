import type { RegionTable } from './region-table.js';
import type { SnapshotColumns } from './snapshot.js';

/** Columns of a Presence: where the rows lay, and the shares of their pages that are in memory, and not to be seen. */
const COLUMNS = 4;

/**
 * How much of a target's regions is in memory, estimated from the samples of one aggregation interval: of each region the
 * share of looked-up pages that were present. It costs nothing, for a page check looks up each page anyway, and it is
 * exact where all or nothing is resident. Regions that were not looked up count as resident.
 *
 * Taken before regions are merged, and written to the regions that come of it, by how much they overlap.
 */
export class Presence {
  #rows = new Float64Array(0);
  #count = 0;

  /** Once an aggregation interval and target; some nanoseconds a region. Keeps its memory. */
  take({ count, startPage, endPage, lookedUp, present, unseen }: RegionTable): void {
    if (this.#rows.length < COLUMNS * count) this.#rows = new Float64Array(2 * COLUMNS * count);
    const rows = this.#rows;
    this.#count = count;
    for (let i = 0, at = 0; i < count; i++, at += COLUMNS) {
      const samples = lookedUp[i]!;
      rows[at] = startPage[i]!;
      rows[at + 1] = endPage[i]!;
      rows[at + 2] = samples > 0 ? present[i]! / samples : 1;
      rows[at + 3] = samples > 0 ? unseen[i]! / samples : 0;
    }
  }

  /** Sets the resident and unseen pages of regions that cover what the rows did. Both are in address order: one pass. */
  writeTo({ startPages, endPages, residentPages, unseenPages }: SnapshotColumns): void {
    if (!residentPages || !unseenPages) return;
    const rows = this.#rows;
    const end = COLUMNS * this.#count;
    for (let i = 0, at = 0; i < startPages.length && at < end; ) {
      const overlap = Math.min(endPages[i]!, rows[at + 1]!) - Math.max(startPages[i]!, rows[at]!);
      if (overlap > 0) {
        residentPages[i]! += overlap * rows[at + 2]!;
        unseenPages[i]! += overlap * rows[at + 3]!;
      }
      if (endPages[i]! < rows[at + 1]!) i++;
      else at += COLUMNS;
    }
  }
}
