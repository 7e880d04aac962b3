import { NOT_ASKED } from './evidence/columns.js';
import type { Layout } from './layout.js';
import type { RegionTable } from './region-table.js';

/** A segment of the new layout whose pages were not in the old one. */
const NEW = -1;
/** The same, but too small to be a region of its own: it joins its neighbour. */
const JOINED = -2;

/**
 * Moves the regions of a table from one layout to another, in place:
 *
 * - Pages that both have stay with their region, which keeps its counts and age.
 * - Pages that are gone leave their region; a region without pages is dropped.
 * - New pages become fresh regions. If they are between pages of one region, that region is divided. If the table has no room
 *   for all of them, the smaller ones join the region before.
 *
 * Runs when mappings have changed, at most once per update interval and target: one pass over the runs of both layouts and
 * the regions, and with evidence one over the answers.
 */
export function moveRegions(table: RegionTable, from: Layout, to: Layout): void {
  const segments = segmentsOf(from, to);
  // A fresh region may divide another one. Rows are then never written over rows that are still to be read.
  joinSmall(segments, Math.floor((table.capacity - table.count - 2) / 2));
  const { startPage, endPage, capacity } = table;
  let read = table.moveToEnd();
  let write = 0;
  /** The old region of the last row that was written; -1 for a fresh one. */
  let last = -1;
  const { starts, origins, count } = segments;
  for (let s = 0; s < count; s++) {
    const end = starts[s + 1]!;
    const origin = origins[s]!;
    if (origin === NEW || (write === 0 && origin === JOINED)) {
      table.setFresh(write++, starts[s]!, end);
      last = -1;
      continue;
    }
    if (origin === JOINED) {
      endPage[write - 1] = end;
      continue;
    }
    for (let at = starts[s]!; at < end; ) {
      const old = origin + at - starts[s]!;
      while (read < capacity - 1 && endPage[read]! <= old) read++;
      const until = read === capacity - 1 ? end : Math.min(end, at + endPage[read]! - old);
      if (read !== last) {
        table.copyRow(read, write);
        startPage[write++] = at;
        last = read;
      }
      endPage[write - 1] = until;
      at = until;
    }
  }
  table.count = write;
  if (!table.evidence) return;
  moveAnswers(table, from, to);
  moveCells(table, from, to);
}

/** Pieces of the new layout, in order, each with its place in the old one. */
interface Segments {
  count: number;
  /** The first position of each, and one more for the end. */
  readonly starts: number[];
  /** Its first position in the old layout, or NEW, or JOINED. */
  readonly origins: number[];
}

function segmentsOf(from: Layout, to: Layout): Segments {
  const segments: Segments = { count: 0, starts: [], origins: [] };
  const add = (position: number, origin: number) => {
    const { starts, origins, count } = segments;
    if (count > 0 && continues(origins[count - 1]!, position - starts[count - 1]!, origin)) return;
    starts.push(position);
    origins.push(origin);
    segments.count++;
  };
  let f = 0;
  for (let t = 0; t < to.runs; t++) {
    const position = to.positions[t]!;
    const [start, end] = [to.starts[t]!, to.endOf(t)];
    while (f < from.runs && from.endOf(f) <= start) f++;
    let covered = start;
    for (let g = f; g < from.runs && from.starts[g]! < end; g++) {
      const kept = Math.max(start, from.starts[g]!);
      if (kept > covered) add(position + covered - start, NEW);
      add(position + kept - start, from.positions[g]! + kept - from.starts[g]!);
      covered = Math.min(end, from.endOf(g));
    }
    if (covered < end) add(position + covered - start, NEW);
  }
  segments.starts.push(to.pages);
  return segments;
}

/** Whether a segment continues the one before, which is `length` pages long. */
function continues(before: number, length: number, origin: number): boolean {
  return origin === NEW ? before === NEW : before >= 0 && before + length === origin;
}

/** Leaves at most `most` new segments, the larger ones: at most n segments have more than an n-th of all their pages. */
function joinSmall({ starts, origins, count }: Segments, most: number): void {
  let [segments, pages] = [0, 0];
  for (let s = 0; s < count; s++) {
    if (origins[s] !== NEW) continue;
    segments++;
    pages += starts[s + 1]! - starts[s]!;
  }
  if (segments <= most) return;
  for (let s = 0; s < count; s++) {
    const isLarge = (starts[s + 1]! - starts[s]!) * most > pages;
    if (origins[s] === NEW && !isLarge) origins[s] = JOINED;
  }
}

/** What rows remember of single pages: answers of this aggregation interval, and pivots. */
function moveAnswers(table: RegionTable, from: Layout, to: Layout): void {
  const { startPage, endPage, count } = table;
  const { answers, answersPerRegion, pivot } = table.evidence!;
  for (let i = 0; i < count; i++) {
    const isInRow = (position: number) => startPage[i]! <= position && position < endPage[i]!;
    for (let at = i * answersPerRegion; at < (i + 1) * answersPerRegion; at++) {
      const answer = answers[at]!;
      if (answer === 0) continue;
      const position = to.positionOf(from.pageAt(Math.abs(answer) - 1));
      answers[at] = isInRow(position) ? Math.sign(answer) * (position + 1) : 0;
    }
    if (pivot[i]! <= NOT_ASKED) continue;
    const position = to.positionOf(from.pageAt(pivot[i]!));
    pivot[i] = isInRow(position) ? position : startPage[i]!;
  }
}

/** What the equal parts of the target remember (evidence/learn.ts): a new part is what was known of the page in its middle. */
function moveCells(table: RegionTable, from: Layout, to: Layout): void {
  const { evidence, capacity, cellPages: before } = table;
  const { cellHits, cellTrials } = evidence!;
  if (before === 0) return;
  const [hits, trials] = [cellHits.slice(), cellTrials.slice()];
  const pages = table.totalPages() / capacity;
  for (let c = 0; c < capacity; c++) {
    const position = from.positionOf(to.pageAt(Math.floor((c + 0.5) * pages)));
    const cell = Math.min(capacity - 1, Math.floor(position / before));
    cellHits[c] = position < 0 ? 0 : (hits[cell]! * pages) / before;
    cellTrials[c] = position < 0 ? 0 : (trials[cell]! * pages) / before;
  }
  table.cellPages = pages;
}
