import type { RegionTable } from '../region-table.js';
import { divergence } from './boundaries.js';
import type { Cells } from './cells.js';
import { RowKind } from './columns.js';
import { areDifferent } from './join.js';
import { isDifferenceAbove, possibleRate } from './likelihood.js';
import { FOUND, LEAST_WITH_PARTS } from './parts.js';
import type { Rows } from './rows.js';
import { unlikePages } from './unlike.js';

/** Two runs with another between them have one rate where two would make their answers no more than this much likelier. */
const LIKE_ACROSS = 2;
/** Of these runs each must have so many samples: what is hardly known looks like anything, and may be large. */
const KNOWN = 20;
/** So many samples of a row count as much as what its neighbours say that look alike. */
const NEIGHBOURLY = 40;

/** Parts of a row that are smaller need not be told. */
const SMALL = 0.15;

/** What is known of a run of rows that look alike, and the regions that it is reported as: several where it is large. */
interface Run {
  regions: number;
  pages: number;
  hits: number;
  trials: number;
  /** Sums over rows: rate x pages, and pages x pages / samples. */
  weighted: number;
  spread: number;
  /** The run that it shares its rate with: what lies on both sides of something else is often one ground. */
  like: number;
}

/** Reports rows, in tables as snapshots take them. */
export class Reporter {
  readonly #runs: Run[] = [];
  /** What is known of the row that is being added: by itself, or by the cells of a large one where these remember more. */
  #hits = 0;
  #trials = 0;
  #count = 0;

  /**
   * Writes rows into a table as they are reported: neighbours that the test does not tell apart as one region; an edge cut in
   * the middle, or where its rate says, with how far that may be off.
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
    let largest = 0;
    let [boundary, boundaryDeviation] = [-1, 0];
    /** Pages of the target before the row, before the anchor, and before the run. */
    let [before, anchorAt, runAt, size] = [0, 0, 0, 0];
    for (let i = 0; i < rows.count; i++) {
      before += size;
      const start = rows.start[i]!;
      const end = rows.end[i]!;
      size = end - start;
      const meets = at >= 0 && boundary < 0 && endPage[at] === start;
      if (meets && isEdge(rows, i)) {
        boundary = Math.min(end, start + Math.round(size * leftShare(rows, i)));
        boundaryDeviation = spreadOf(rows, i);
        endPage[at] = boundary;
        continue;
      }
      const isAlike =
        meets &&
        !areDifferent(rows, anchor, i) &&
        !(
          rows.isMixed(anchor) &&
          rows.isMixed(i) &&
          cells?.areDifferent(FOUND, anchorAt, anchorAt + rows.size(anchor), before, before + size)
        );
      if (!isAlike || end - startPage[at]! > limitPages) {
        if (!isAlike) {
          this.#add(rows, rowFrom, i, at + 1 - runFrom, runAt, cells);
          runAt = before;
          [runFrom, rowFrom, anchor, anchorAt] = [at + 1, i, i, before];
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
    for (let i = 0; i <= at; i++) if (unlike[i]! > 0) unlike[i] = Math.sqrt(unlike[i]!);
    this.#setRates(table);
    while (table.count < least && halveLargest(table));
  }

  /** Adds rows as a run: their mean rate is that of their pages, not of their samples. */
  #add(rows: Rows, from: number, to: number, regions: number, place: number, cells?: Cells): void {
    if (regions === 0) return;
    const at = this.#count++;
    this.#runs[at] ??= { regions: 0, pages: 0, hits: 0, trials: 0, weighted: 0, spread: 0, like: 0 };
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
    // What a row alone knows little of, its neighbours know better: the tests have found no difference.
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
    if (Math.min(run.trials, other.trials) < KNOWN) return;
    if (isDifferenceAbove(LIKE_ACROSS, run.hits, run.trials, other.hits, other.trials)) return;
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
      // So many samples of one row would leave as much to chance.
      const samples = spread > 0 ? Math.min(trials, (pages * pages) / spread) : 0;
      for (const after = region + regions; region < after; region++) {
        nrAccesses[region] = Math.round(rate * maxNrAccesses);
        evidence!.trials[region] = samples;
      }
    }
  }
}

/** How many pages of a row may be unlike the rest of it. */
function unlikeOf(rows: Rows, i: number, before: number, count: number, cells?: Cells): number {
  if (!cells) return 0;
  if (rows.size(i) >= LEAST_WITH_PARTS * cells.pages) {
    if (!rows.isMixed(i)) return 0;
    return unlikePages(cells, cells.firstIn(before), cells.lastIn(before + rows.size(i)), count);
  }
  // One that nearly always is, or nearly never, may be all or nothing in a part that is too small to be told.
  const rate = rows.rate(i);
  const part = Math.min(rate, 1 - rate);
  return part < SMALL ? part * rows.size(i) : 0;
}

/** Makes two of the largest region; false where it has but one page. */
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
  table.evidence!.deviation[at + 1] = 0;
  table.evidence!.unlike[at] = table.evidence!.unlike[at + 1] = table.evidence!.unlike[at]! / 2;
  return true;
}

/** Whether a row is to be reported as a boundary, not as a region. */
function isEdge(rows: Rows, i: number): boolean {
  return rows.kind[i] === RowKind.EDGE || isBetween(rows, i);
}

/**
 * Whether a row that is smaller than its neighbours has a rate between theirs, which differ: then it most likely holds the
 * boundary between them.
 */
export function isBetween(rows: Rows, i: number): boolean {
  const left = i - 1;
  const right = i + 1;
  if (!rows.touches(left) || !rows.touches(i) || rows.trials[i] === 0) return false;
  if (rows.kind[left] !== RowKind.PLAIN || rows.kind[right] !== RowKind.PLAIN) return false;
  if (2 * rows.size(i) > Math.min(rows.size(left), rows.size(right))) return false;
  const before = rows.rate(left);
  const rate = rows.rate(i);
  const after = rows.rate(right);
  if (!((before < rate && rate < after) || (before > rate && rate > after))) return false;
  return areDifferent(rows, left, right);
}

/** The part of an edge that belongs to the row before it. */
function leftShare(rows: Rows, i: number): number {
  if (rows.kind[i] === RowKind.EDGE) {
    // Of any size that the smaller neighbour may have, the next magnitude is as likely as this one.
    const left = rows.size(i - 1);
    const right = rows.size(i + 1);
    const size = rows.size(i);
    const inner = Math.min(left, right);
    const share = (inner * (Math.sqrt(1 + size / inner) - 1)) / size;
    return left <= right ? share : 1 - share;
  }
  const [before, after] = [rows.rate(i - 1), rows.rate(i + 1)];
  return (rows.rate(i) - after) / (before - after);
}

/** Standard deviation of where it lies, in pages. */
function spreadOf(rows: Rows, i: number): number {
  const size = rows.size(i);
  if (rows.kind[i] === RowKind.EDGE) return Math.sqrt((size * (size + 2)) / 12 + 0.25);
  const rate = rows.rate(i);
  const apart = rows.rate(i - 1) - rows.rate(i + 1);
  const known = (rows.trials[i]! * apart * apart) / Math.max(1e-9, rate * (1 - rate));
  return size / Math.sqrt(12 + known);
}

/**
 * How far the boundary before a row may be off where the rates on its sides are near to each other: by so many samples of one
 * aggregation interval as it takes to tell them apart.
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
