import type { RegionTable } from '../region-table.js';
import { RowKind } from './columns.js';
import { type Cells, LEAST_WITH_PARTS } from './learn.js';
import type { Rows } from './rows.js';
import { divergence, isDifferenceAbove, KNOWN, POSSIBLE, possibleRate, SURE } from './significance.js';

// Step 4, report: rows become the regions of a snapshot, with how sure each is.

/** The rate of its run counts as much as this many samples of a row. */
const NEIGHBOURLY = 40;
/** A row whose rate is this close to 0 or 1 may have pages that always are accessed, or never. */
const ALMOST = 0.15;

/** Rows side by side that look alike, and the regions that they are reported as: several if they are large. */
interface Run {
  regions: number;
  pages: number;
  trials: number;
  hits: number;
  /** Sums over rows: rate x pages, and pages^2 / samples. */
  weighted: number;
  spread: number;
  /** The run whose rate it shares: what lies on both sides of something else is often the same ground. */
  like: number;
}

export class Reporter {
  readonly #runs: Run[] = [];
  #count = 0;
  /** Evidence of the row that is being added, from its memory or from its cells if these remember more. */
  #hits = 0;
  #trials = 0;

  /**
   * Writes rows into a table as they are reported. Neighbours that no test tells apart are one region; an edge is cut at its
   * most likely place, with how far that may be off.
   *
   * @param limitPages that no region exceeds by more than its part of an edge
   * @param least regions, as far as there are pages for them
   */
  report(rows: Rows, table: RegionTable, limitPages: number, least: number, cells?: Cells): void {
    const { startPage, endPage, age, evidence, capacity } = table;
    const { deviation, unlike } = evidence!;
    this.#count = 0;
    let at = -1;
    /** The first region and row of the run, and its largest row. */
    let [runFrom, rowFrom, anchor] = [0, 0, 0];
    /** Pages of the target before the row, before the anchor, and before the run. */
    let [before, anchorAt, runAt, size, largest] = [0, 0, 0, 0, 0];
    let [boundary, boundaryDeviation] = [-1, 0];
    for (let i = 0; i < rows.count; i++) {
      before += size;
      const start = rows.start[i]!;
      const end = rows.end[i]!;
      size = end - start;
      const meets = at >= 0 && boundary < 0 && endPage[at] === start;
      if (meets && rows.kind[i] === RowKind.EDGE) {
        boundary = Math.min(end, start + Math.round(size * leftShare(rows, i)));
        // Of a uniform distribution over its places.
        boundaryDeviation = Math.sqrt((size * (size + 2)) / 12 + 0.25);
        endPage[at] = boundary;
        continue;
      }
      const isAlike =
        meets &&
        !rows.areDifferent(anchor, i) &&
        !(
          rows.isMixed(anchor) &&
          rows.isMixed(i) &&
          cells?.areDifferent(SURE, anchorAt, anchorAt + rows.size(anchor), before, before + size)
        );
      if (!isAlike || end - startPage[at]! > limitPages) {
        if (!isAlike) {
          this.#add(rows, rowFrom, i, at + 1 - runFrom, runAt, cells);
          [runFrom, rowFrom, runAt, anchor, anchorAt] = [at + 1, i, before, i, before];
        }
        if (at + 1 === capacity) break;
        at++;
        startPage[at] = boundary >= 0 ? boundary : start;
        deviation[at] = boundary >= 0 ? boundaryDeviation : meets ? blurOf(rows, i) : 0;
        largest = 0;
        unlike[at] = 0;
      }
      unlike[at]! += unlikeOf(rows, i, before, capacity, cells) ** 2;
      boundary = -1;
      endPage[at] = end;
      if (rows.trials[i]! > 0 && (rows.trials[anchor] === 0 || size > rows.size(anchor)))
        [anchor, anchorAt] = [i, before];
      if (size > largest) {
        largest = size;
        age[at] = rows.age[i]!;
      }
    }
    this.#add(rows, rowFrom, rows.count, at + 1 - runFrom, runAt, cells);
    table.count = at + 1;
    for (let i = 0; i <= at; i++) unlike[i] = Math.sqrt(unlike[i]!);
    this.#setRates(table);
    while (table.count < least && halveLargest(table));
  }

  /** Adds rows [from, to) as a run. Its mean rate is that of its pages, not of its samples. */
  #add(rows: Rows, from: number, to: number, regions: number, place: number, cells?: Cells): void {
    if (regions === 0) return;
    const at = this.#count++;
    this.#runs[at] ??= { regions: 0, pages: 0, trials: 0, hits: 0, weighted: 0, spread: 0, like: 0 };
    const run = this.#runs[at]!;
    run.regions = regions;
    run.like = at;
    run.pages = run.hits = run.trials = run.weighted = run.spread = 0;
    let [rates, pages] = [0, 0];
    for (let i = from, before = place; i < to; before += rows.size(i++)) {
      this.#know(rows, i, before, cells);
      run.hits += this.#hits;
      run.trials += this.#trials;
      if (this.#trials === 0) continue;
      rates += (this.#hits / this.#trials) * rows.size(i);
      pages += rows.size(i);
    }
    // No test has found a difference: what a row alone knows little about, its neighbours know better.
    const neighbourly = to - from > 1 && run.trials > 0 ? NEIGHBOURLY : 0;
    const shared = pages > 0 ? (neighbourly * rates) / pages : 0;
    for (let i = from, before = place; i < to; before += rows.size(i++)) {
      this.#know(rows, i, before, cells);
      const known = this.#trials + neighbourly;
      if (known === 0) continue;
      const size = rows.size(i);
      run.pages += size;
      run.weighted += (size * (this.#hits + shared)) / known;
      run.spread += (size * size) / known;
    }
    if (at < 2) return;
    const other = this.#runs[this.#runs[at - 2]!.like]!;
    // What is hardly known fits any rate.
    if (Math.min(run.trials, other.trials) < KNOWN) return;
    if (isDifferenceAbove(POSSIBLE, run.hits, run.trials, other.hits, other.trials)) return;
    run.like = this.#runs[at - 2]!.like;
    other.pages += run.pages;
    other.hits += run.hits;
    other.trials += run.trials;
    other.weighted += run.weighted;
    other.spread += run.spread;
  }

  #know(rows: Rows, i: number, before: number, cells?: Cells): void {
    this.#hits = rows.hits[i]!;
    this.#trials = rows.trials[i]!;
    if (!cells || rows.size(i) < LEAST_WITH_PARTS * cells.pages || !rows.isMixed(i)) return;
    const [first, after] = [cells.firstIn(before), cells.lastIn(before + rows.size(i))];
    const trials = cells.trials(first, after);
    if (trials <= this.#trials) return;
    this.#hits = cells.hits(first, after);
    this.#trials = trials;
  }

  #setRates(table: RegionTable): void {
    const { nrAccesses, evidence, maxNrAccesses } = table;
    let region = 0;
    for (let r = 0; r < this.#count; r++) {
      const { regions, like } = this.#runs[r]!;
      const { pages, weighted, spread, trials } = this.#runs[like]!;
      const rate = pages > 0 ? Math.min(1, weighted / pages) : 0;
      // One row with this many samples would have the same variance.
      const samples = spread > 0 ? Math.min(trials, (pages * pages) / spread) : 0;
      for (const after = region + regions; region < after; region++) {
        nrAccesses[region] = Math.round(rate * maxNrAccesses);
        evidence!.trials[region] = samples;
      }
    }
  }
}

/** Makes two of the largest region; false if it has only one page. */
function halveLargest(table: RegionTable): boolean {
  const { startPage, endPage, count } = table;
  let at = 0;
  for (let i = 1; i < count; i++) {
    if (endPage[i]! - startPage[i]! > endPage[at]! - startPage[at]!) at = i;
  }
  const size = endPage[at]! - startPage[at]!;
  if (size < 2) return false;
  table.count = count + 1;
  for (let i = count - 1; i >= at; i--) table.copyRow(i, i + 1);
  endPage[at] = startPage[at + 1] = startPage[at]! + Math.floor(size / 2);
  const { deviation, unlike } = table.evidence!;
  deviation[at + 1] = 0;
  unlike[at] = unlike[at + 1] = unlike[at]! / 2;
  return true;
}

/** The part of an edge that belongs to the row before it. */
function leftShare(rows: Rows, i: number): number {
  // Of all sizes that the smaller neighbour may have, each magnitude is as likely as the next.
  const [left, right, size] = [rows.size(i - 1), rows.size(i + 1), rows.size(i)];
  const inner = Math.min(left, right);
  const share = (inner * (Math.sqrt(1 + size / inner) - 1)) / size;
  return left <= right ? share : 1 - share;
}

/**
 * How far the boundary before a row may be off if the rates on its sides are similar: as far as the samples of one interval
 * that it takes to tell them apart.
 */
function blurOf(rows: Rows, i: number): number {
  if (rows.blur[i]! >= 0) return rows.blur[i]!;
  const before = possibleRate(rows.hits[i - 1]!, rows.trials[i - 1]!);
  const after = possibleRate(rows.hits[i]!, rows.trials[i]!);
  // Their divergence is at least 4 (before - after)^2.
  if (Math.abs(before - after) >= 0.5) return 0;
  const apart = divergence(before, after);
  if (!(apart > 0 && apart < 1)) return 0;
  const spacing = Math.min(
    rows.size(i - 1) / Math.max(1, rows.fresh[i - 1]!),
    rows.size(i) / Math.max(1, rows.fresh[i]!),
  );
  return Math.min(rows.size(i - 1), rows.size(i), spacing / (2 * apart));
}

/** How many pages of a row may be unlike the rest of it. */
function unlikeOf(rows: Rows, i: number, before: number, count: number, cells?: Cells): number {
  if (!cells) return 0;
  if (rows.size(i) >= LEAST_WITH_PARTS * cells.pages) {
    if (!rows.isMixed(i)) return 0;
    return unlikePages(cells, cells.firstIn(before), cells.lastIn(before + rows.size(i)), count);
  }
  const rate = rows.rate(i);
  const part = Math.min(rate, 1 - rate);
  return part < ALMOST ? part * rows.size(i) : 0;
}

/** A hidden part of a row has this many times the odds of the row, or one in this many. */
const HIDDEN_ODDS = 5;
/** Parts of either kind expected in a target before anything is known, and cells in each. */
const EXPECTED = 3;
const LENGTH = 4;

/**
 * How many pages of a large row may be unlike the rest: the root mean square over all ways in which parts of it may be
 * accessed more or less than the rest, weighted by how likely each makes what its cells remember. Each cell is a state of a
 * hidden Markov chain; this is the forward algorithm. Takes about 50 ns a cell.
 *
 * @param first and the cell after the last of the row
 * @param count cells of the target
 */
export function unlikePages(cells: Cells, first: number, after: number, count: number): number {
  const hits = cells.hits(first, after);
  const odds = (hits + 0.5) / (cells.trials(first, after) - hits + 0.5);
  const more = Math.log((1 + odds) / (1 + odds * HIDDEN_ODDS));
  const less = Math.log((1 + odds) / (1 + odds / HIDDEN_ODDS));
  const step = Math.log(HIDDEN_ODDS);
  const begin = EXPECTED / count;
  const end = 1 / LENGTH;
  // For each state: its probability, and times that the mean and mean square of the number of cells in parts so far.
  let [like, likeSum, likeSquare] = [1, 0, 0];
  let [high, highSum, highSquare] = [0, 0, 0];
  let [low, lowSum, lowSquare] = [0, 0, 0];
  for (let c = first; c < after; c++) {
    const h = cells.hits(c, c + 1);
    const misses = cells.trials(c, c + 1) - h;
    const ifHigh = Math.exp(h * (step + more) + misses * more);
    const ifLow = Math.exp(h * (less - step) + misses * less);
    const nextLike = (1 - 2 * begin) * like + end * (high + low);
    const nextLikeSum = (1 - 2 * begin) * likeSum + end * (highSum + lowSum);
    const nextLikeSquare = (1 - 2 * begin) * likeSquare + end * (highSquare + lowSquare);
    const nextHigh = ifHigh * (begin * like + (1 - end) * high);
    const highBefore = ifHigh * (begin * likeSum + (1 - end) * highSum);
    const highSquareBefore = ifHigh * (begin * likeSquare + (1 - end) * highSquare);
    const nextLow = ifLow * (begin * like + (1 - end) * low);
    const lowBefore = ifLow * (begin * likeSum + (1 - end) * lowSum);
    const lowSquareBefore = ifLow * (begin * likeSquare + (1 - end) * lowSquare);
    const all = 1 / (nextLike + nextHigh + nextLow);
    [like, likeSum, likeSquare] = [nextLike * all, nextLikeSum * all, nextLikeSquare * all];
    [high, highSum] = [nextHigh * all, (highBefore + nextHigh) * all];
    highSquare = (highSquareBefore + 2 * highBefore + nextHigh) * all;
    [low, lowSum] = [nextLow * all, (lowBefore + nextLow) * all];
    lowSquare = (lowSquareBefore + 2 * lowBefore + nextLow) * all;
  }
  return cells.pages * Math.sqrt(likeSquare + highSquare + lowSquare);
}
