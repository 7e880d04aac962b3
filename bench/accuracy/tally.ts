import type { SnapshotColumns } from '../../src/core/snapshot-columns.js';
import { estimateWorkingSet } from '../../src/core/working-set.js';
import type { Access } from './patterns.js';
import { HOT_SHARE, pagesIn, scoreOf } from './score.js';

/** What came of a run, but for its samples. */
export interface Outcome {
  /** Means of the last third of the aggregations; the error as a share of what is hot, or of all where nothing is. */
  readonly precision: number;
  readonly recall: number;
  readonly wssError: number;
  /**
   * Of the last two thirds: the part whose interval holds the truth, and the width as a share of what is hot; null without
   * intervals.
   */
  readonly coverage: number | null;
  readonly width: number | null;
  /** The aggregation, counted from 1, that was the first with precision and recall above 0.9; null for never. */
  readonly firstAbove90: number | null;
  /** Aggregations until that was so again, for each move of what is hot; Infinity (null in JSON) for never. */
  readonly lags: readonly number[];
  /** Mean number of regions in a snapshot. */
  readonly regions: number;
}

/** Counts over the snapshots of one run. */
export class Tally {
  #at = 0;
  #regions = 0;
  readonly #tail = { precision: 0, recall: 0, error: 0, count: 0 };
  readonly #intervals = { right: 0, width: 0, count: 0 };
  #firstAbove90: number | null = null;
  #movedAt: number | undefined;
  readonly #lags: number[] = [];

  constructor(
    readonly aggregations: number,
    readonly totalPages: number,
    readonly maxNrAccesses: number,
  ) {}

  /** What was hot has moved, before the next snapshot. */
  moved(): void {
    if (this.#movedAt !== undefined) this.#lags.push(Number.POSITIVE_INFINITY);
    this.#movedAt = this.#at;
  }

  /** @param hot what is, as hotRanges gives it */
  add(columns: SnapshotColumns, hot: readonly Access[]): void {
    const at = this.#at++;
    const hotPages = pagesIn(hot);
    const { precision, recall, foundPages } = scoreOf(columns, hot, this.maxNrAccesses);
    this.#regions += columns.startPages.length;
    if (precision > 0.9 && recall > 0.9) {
      this.#firstAbove90 ??= at + 1;
      if (this.#movedAt !== undefined) this.#lags.push(at + 1 - this.#movedAt);
      this.#movedAt = undefined;
    }
    if (columns.samples && 3 * at >= this.aggregations) {
      const least = HOT_SHARE * this.maxNrAccesses;
      const { low, high } = estimateWorkingSet(columns, least, this.maxNrAccesses);
      if (low <= hotPages && hotPages <= high) this.#intervals.right++;
      this.#intervals.width += (high - low) / (hotPages || this.totalPages);
      this.#intervals.count++;
    }
    if (3 * at < 2 * this.aggregations) return;
    this.#tail.precision += precision;
    this.#tail.recall += recall;
    this.#tail.error += Math.abs(foundPages - hotPages) / (hotPages || this.totalPages);
    this.#tail.count++;
  }

  outcome(): Outcome {
    if (this.#movedAt !== undefined) this.#lags.push(Number.POSITIVE_INFINITY);
    this.#movedAt = undefined;
    const { precision, recall, error, count } = this.#tail;
    const intervals = this.#intervals;
    return {
      precision: precision / count,
      recall: recall / count,
      wssError: error / count,
      coverage: intervals.count > 0 ? intervals.right / intervals.count : null,
      width: intervals.count > 0 ? intervals.width / intervals.count : null,
      firstAbove90: this.#firstAbove90,
      lags: this.#lags,
      regions: this.#regions / this.aggregations,
    };
  }
}
