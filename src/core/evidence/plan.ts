import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RegionTable } from '../region-table.js';
import { Ends, NO_PLACE, NOT_ASKED, RowKind } from './columns.js';
import { type Cells, LEAST_WITH_PARTS } from './learn.js';
import type { Rows } from './rows.js';
import { difference, HINT, isMixed, isVeryMixed, KNOWN } from './significance.js';

// Step 5, plan: which pieces the next aggregation interval looks at, and how many samples each gets. Nothing done here is
// reported: what the next answers do not confirm is merged again.

/** What the next aggregation interval may cost. */
export interface Allowance {
  readonly regions: number;
  readonly samples: number;
  /** Samples that a row may have at most. */
  readonly each: number;
  /** The part of the samples that may go into ground without news, 0 .. 1. */
  readonly search: number;
}

/** Shares of the samples that edges, probes, undecided and settled rows may have at most; and all of these together. */
const FOR_EDGES = 0.4;
const FOR_PROBES = 0.25;
const FOR_OPEN = 0.3;
const FOR_SETTLED = 0.15;
const FOR_KNOWN = 0.8;
/** The most that is spread over all pages: always the same, so that the places it reaches lie evenly over time. */
const FOR_SEARCH = 0.85;
/** More samples per page and aggregation interval would tell little more. */
const SAMPLES_PER_PAGE = 4;
/** How much more a row counts that was hit every second time than one that always was, or never. */
const DOUBT = 40;

/** A part of a row is looked for with this many hits and misses: fewer on cold ground are surprises, which probes follow, */
const LEAST_OF_BOTH = 8;
/** and with odds this many times those of the row. */
const ODDS = [2, 5, 16, 1 / 2, 1 / 5, 1 / 16] as const;
/** It remembers this many samples, so that it can turn out different. */
const FORGET = 5;
/** A row hit about as often as not, with this many samples, is cut into pieces once in this many aggregation intervals, */
const SETTLED = 100;
const REVIEW = 8;
const PIECES = 4;
/** unless it may be such a piece itself and is not this small a part of a cell. */
const SMALL = 1 / 32;

/**
 * Divides rows for the next aggregation interval, and decides how many samples each gets.
 *
 * @param planned emptied; gets the result
 * @returns samples per page of ground
 */
export function plan(
  rows: Rows,
  candidates: Rows,
  planned: Rows,
  allowance: Allowance,
  random: RandomGenerator,
  cells: Cells,
): number {
  const { samples, each, regions } = allowance;
  const spare = Math.max(0, regions - rows.count);
  choose(candidates, Math.min(Math.floor((FOR_PROBES * samples) / each), Math.floor(spare / 4)), random);
  let pieces = Math.floor(spare / 2);
  planned.count = 0;
  let next = 0;
  for (let i = 0, before = 0; i < rows.count; before += rows.size(i++)) {
    while (next < candidates.count && candidates.pivot[next]! < rows.start[i]!) next++;
    if (rows.kind[i] !== RowKind.PLAIN) {
      planned.copy(i, planned.push(0, 0, 0, 0, 0, 0, 0), rows);
      continue;
    }
    if (pieces >= PIECES && isDoubtful(rows, i, cells)) {
      pushPieces(rows, i, planned, random);
      pieces -= PIECES - 1;
      continue;
    }
    const part = pieces >= 2 ? findPart(cells, rows, i, before) : undefined;
    if (part) {
      pushAround(rows, i, planned, ...part);
      pieces -= 2;
    } else {
      next = pushWithProbes(rows, i, planned, candidates, next);
    }
  }
  return allot(planned, allowance);
}

/** Leaves at most `count` rows, chosen at random, in order. */
function choose(rows: Rows, count: number, random: RandomGenerator): void {
  if (rows.count <= count) return;
  let kept = 0;
  for (let i = 0; kept < count; i++)
    if (uniformFloat64(random) * (rows.count - i) < count - kept) rows.copy(i, kept++);
  rows.count = kept;
}

/**
 * The pages of row `i` that most likely have a rate of their own by what cells remember, if there is at least a hint of it.
 * Takes about 10 ns a cell.
 *
 * @param before pages of the target before the row
 */
export function findPart(
  cells: Cells,
  rows: Rows,
  i: number,
  before: number,
): [start: number, end: number] | undefined {
  const size = rows.size(i);
  if (size < LEAST_WITH_PARTS * cells.pages || !rows.isMixed(i)) return;
  const first = cells.firstIn(before);
  const after = cells.lastIn(before + size);
  const hits = cells.hits(first, after);
  const trials = cells.trials(first, after);
  if (Math.min(hits, trials - hits) < LEAST_OF_BOTH || !isMixed(hits, trials)) return;
  const odds = hits / (trials - hits);
  let [best, bestFrom, bestTo] = [HINT, 0, 0];
  for (const ratio of ODDS) {
    const forMiss = Math.log((1 + odds) / (1 + odds * ratio));
    const forHit = Math.log(ratio) + forMiss;
    // The run of cells with the largest sum.
    let [sum, most, from, mostFrom, mostTo] = [0, 0, first, 0, 0];
    for (let c = first; c < after; c++) {
      const its = cells.hits(c, c + 1);
      sum += its * forHit + (cells.trials(c, c + 1) - its) * forMiss;
      if (sum <= 0) [sum, from] = [0, c + 1];
      else if (sum > most) [most, mostFrom, mostTo] = [sum, from, c + 1];
    }
    const within = cells.hits(mostFrom, mostTo);
    const of = cells.trials(mostFrom, mostTo);
    if (of === 0 || of === trials) continue;
    const gain = difference(within, of, hits - within, trials - of);
    if (gain > best) [best, bestFrom, bestTo] = [gain, mostFrom, mostTo];
  }
  const start = Math.max(rows.start[i]!, rows.start[i]! - before + Math.round(bestFrom * cells.pages));
  const end = Math.min(rows.end[i]!, rows.start[i]! - before + Math.round(bestTo * cells.pages));
  return bestTo > 0 && end > start ? [start, end] : undefined;
}

/** Whether a row has been hit about as often as not for so long that it is time to look for parts that cells cannot see. */
function isDoubtful(rows: Rows, i: number, cells: Cells): boolean {
  const size = rows.size(i);
  const isOpen = rows.open[i] === 1 || (i + 1 < rows.count && rows.open[i + 1] === 1);
  return (
    isVeryMixed(rows.hits[i]!, rows.trials[i]!) &&
    rows.trials[i]! >= SETTLED &&
    (rows.age[i]! + i) % REVIEW === 0 &&
    size >= 2 * PIECES &&
    size < (isOpen ? SMALL : LEAST_WITH_PARTS) * cells.pages
  );
}

/** A row in pieces of about the same length. */
function pushPieces(rows: Rows, i: number, into: Rows, random: RandomGenerator): void {
  const [start, size] = [rows.start[i]!, rows.size(i)];
  const shift = size >= 4 * PIECES ? uniformFloat64(random) - 0.5 : 0;
  let from = start;
  for (let p = 1; p <= PIECES; p++) {
    const to = p === PIECES ? start + size : start + Math.floor(((p + shift) * size) / PIECES);
    pushDoubtful(rows, i, into, from, to);
    from = to;
  }
}

/** A part of a row that remembers little. */
function pushDoubtful(rows: Rows, i: number, into: Rows, start: number, end: number): void {
  const known = FORGET / Math.max(FORGET, rows.trials[i]!);
  into.push(start, end, rows.hits[i]! * known, rows.trials[i]! * known, rows.last[i]!, rows.age[i]!, 0);
}

/** Such a part of a row, and the rest. */
function pushAround(rows: Rows, i: number, into: Rows, start: number, end: number): void {
  if (start > rows.start[i]!) into.pushPart(rows, i, rows.start[i]!, start);
  pushDoubtful(rows, i, into, start, end);
  if (end < rows.end[i]!) into.pushPart(rows, i, end, rows.end[i]!);
}

/** A row with probes around its candidates, from the `next`th on. Returns the first candidate behind it. */
function pushWithProbes(rows: Rows, i: number, into: Rows, candidates: Rows, next: number): number {
  const end = rows.end[i]!;
  let from = rows.start[i]!;
  for (; next < candidates.count && candidates.pivot[next]! < end; next++) {
    const pivot = candidates.pivot[next]!;
    const left = Math.max(from, candidates.start[next]!);
    const right = Math.min(end, candidates.end[next]!);
    if (pivot < left || right <= pivot || right - left < 2) continue;
    if (left > from) into.pushPart(rows, i, from, left);
    const at = into.push(left, right, rows.hits[i]!, rows.trials[i]!, rows.last[i]!, rows.age[i]!, 0);
    into.kind[at] = RowKind.PROBE;
    into.pivot[at] = pivot;
    from = right;
  }
  if (from === rows.start[i]) into.copy(i, into.push(0, 0, 0, 0, 0, 0, 0), rows);
  else if (from < end) into.pushPart(rows, i, from, end);
  return next;
}

/**
 * Decides how many samples each row gets. Ground may get more than a row can have; it becomes several rows when written.
 *
 * @returns samples per page of ground
 */
export function allot(rows: Rows, { samples, each, search }: Allowance): number {
  const { count } = rows;
  let [edges, probes, open, doubts, plain, total] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    total += rows.size(i);
    if (rows.kind[i] === RowKind.EDGE) edges++;
    else if (rows.kind[i] === RowKind.PROBE) probes++;
    else {
      // Needed again below.
      rows.planned[i] = rows.open[i] === 1 || rows.trials[i]! < KNOWN ? 1 : 0;
      if (rows.planned[i] === 1) open++;
      else doubts += doubtOf(rows, i);
      plain += rows.size(i);
    }
  }
  const forEdge = Math.min(each, (FOR_EDGES * samples) / edges);
  const forOpen = Math.min(each, (FOR_OPEN * samples) / open);
  const others = each * probes + (edges && edges * forEdge) + (open && open * forOpen);
  const forDoubt = Math.min(each, (FOR_SETTLED * samples) / doubts);
  const wanted = others + (doubts && doubts * forDoubt);
  const part = Math.min(1, (FOR_KNOWN * samples) / wanted);
  let left = samples;
  let owed = 0;
  for (let i = 0; i < count; i++) {
    if (rows.kind[i] === RowKind.EDGE) owed += part * Math.min(forEdge, Math.max(4, rows.size(i)));
    else if (rows.kind[i] === RowKind.PROBE) owed += part * each;
    else if (rows.planned[i] === 1) owed += part * forOpen;
    else owed += part * Math.min(each, forDoubt * doubtOf(rows, i));
    rows.planned[i] = Math.min(each, left, Math.floor(owed));
    owed -= rows.planned[i]!;
    left -= rows.planned[i]!;
  }
  if (plain === 0) return 0;
  // Per page of all, not only of ground: what is found must not move the places that the search has yet to reach.
  const density = Math.min((FOR_SEARCH * samples) / total, left / plain) * search;
  owed = 0;
  for (let i = 0; i < count; i++) {
    if (rows.kind[i] !== RowKind.PLAIN) continue;
    owed += rows.size(i) * Math.min(density, SAMPLES_PER_PAGE);
    let more = Math.min(left, Math.floor(owed));
    owed -= more;
    left -= more;
    // A row with enough for several rows needs no others; a single row has no room for more than `each`.
    const spare = more > each ? rows.planned[i]! : Math.max(0, rows.planned[i]! + more - each);
    more -= spare;
    left += spare;
    rows.planned[i]! += more;
  }
  return density;
}

/** How much there may be to find out in a settled row: most if it was hit as often as not. */
function doubtOf(rows: Rows, i: number): number {
  const rate = rows.rate(i);
  return 1 + DOUBT * rate * (1 - rate);
}

/**
 * Writes planned rows into a table, those with more samples than a row can have as several. Cuts lie at multiples of one
 * length from page 0 on, so that the same ground is asked in the same places whatever is found in it.
 *
 * @param density samples per page of ground
 */
export function write(
  rows: Rows,
  table: RegionTable,
  { regions, samples: most, each }: Allowance,
  density: number,
): void {
  let spare = Math.max(0, regions - rows.count);
  let [pieces, left] = [0, 0];
  for (let i = 0; i < rows.count; i++) {
    left += rows.planned[i]!;
    pieces += Math.ceil((rows.planned[i]! - each) / each) + 1;
  }
  const fewer = Math.max(1, pieces / Math.max(1, spare));
  const width = Math.max(each / SAMPLES_PER_PAGE, (each / Math.max(density, 1e-12)) * fewer);
  const evidence = table.evidence!;
  let at = 0;
  const writeRow = (i: number, start: number, end: number, samples: number, ends: number) => {
    // Rounding must not exceed the budget.
    const its = Math.min(each, left, samples);
    left -= its;
    const part = (end - start) / rows.size(i);
    table.startPage[at] = start;
    table.endPage[at] = end;
    table.nrAccesses[at] = 0;
    table.lastNrAccesses[at] = rows.last[i]!;
    table.age[at] = rows.age[i]!;
    evidence.hits[at] = rows.hits[i]! * part;
    evidence.trials[at] = rows.trials[i]! * part;
    evidence.pendingHits[at] = rows.pendingHits[i]! * part;
    evidence.pendingTrials[at] = rows.pendingTrials[i]! * part;
    evidence.pivot[at] = rows.kind[i] === RowKind.PLAIN ? ends : rows.pivot[i]!;
    evidence.deviation[at] = 0;
    evidence.planned[at] = its;
    evidence.place[at] = NO_PLACE;
    evidence.kind[at] = rows.kind[i]!;
    at++;
  };
  for (let i = 0; i < rows.count; i++) {
    const end = rows.end[i]!;
    let start = rows.start[i]!;
    if (rows.kind[i] !== RowKind.PLAIN || rows.planned[i]! <= each) {
      writeRow(i, start, end, rows.planned[i]!, Ends.BOTH);
      continue;
    }
    let cut = Math.floor(width * (Math.floor(start / width) + 1));
    // A short piece at an end goes with its neighbour.
    if (cut - start < width / 4) cut = Math.floor(width * (Math.floor(start / width) + 2));
    for (; spare > 0 && end - cut > width / 4; spare--) {
      const ends = start === rows.start[i] ? Ends.START : NOT_ASKED;
      writeRow(i, start, cut, Math.round(((cut - start) * each) / width), ends);
      start = cut;
      cut = Math.floor(width * (Math.round(cut / width) + 1));
    }
    const ends = start === rows.start[i] ? Ends.BOTH : Ends.END;
    writeRow(i, start, end, Math.max(1, Math.round(((end - start) * each) / width)), ends);
  }
  evidence.answers.fill(0, 0, at * evidence.answersPerRegion);
  table.count = at;
  table.mostSamples = most;
  table.tick = 0;
  table.round = (table.round + 1) & 0xff_ffff;
}
