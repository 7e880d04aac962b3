import { RowKind } from './columns.js';
import type { Rows } from './rows.js';

/** What the next aggregation interval may cost. */
export interface Allowance {
  readonly regions: number;
  readonly samples: number;
  /** Samples a region may have at most. */
  readonly each: number;
  /** The part of the samples that may go into ground that has nothing new, 0 .. 1. */
  readonly search: number;
}

/** Parts of the samples that edges and closer looks may have, at most. */
const FOR_EDGES = 0.4;
export const FOR_PROBES = 0.25;
const FOR_OPEN = 0.3;
const FOR_SETTLED = 0.15;
/** All of these together. */
const FOR_KNOWN = 0.8;
/** The part that is spread over all by size, at most: always the same, so that the places it reaches lie evenly over time. */
const FOR_SEARCH = 0.85;
/** More samples of a page in an aggregation interval tell little more. */
export const SAMPLES_PER_PAGE = 4;
/** How much more a row counts that was hit every second time than one that always was, or never. */
const DOUBT = 40;
/** Of rows at this rate and above, a page weighs so much against one of others, where samples are spread by size. */
export const HOT = 0.9;
export const HOT_WEIGHT = 0.3;

/**
 * How many samples each row gets; those of ground that get more than one row can have become several when written.
 *
 * @returns samples a page of cold ground
 */
export function allot(rows: Rows, { samples, each, search }: Allowance): number {
  const { count } = rows;
  let [edges, probes, open, doubts, weights, total] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    total += rows.size(i);
    if (rows.kind[i] === RowKind.EDGE) edges++;
    else if (rows.kind[i] === RowKind.PROBE) probes++;
    else {
      // Kept for the second round, below.
      rows.planned[i] = isOpen(rows, i) ? 1 : 0;
      if (rows.planned[i] === 1) open++;
      else doubts += doubtOf(rows, i);
      weights += weightOf(rows, i);
    }
  }
  const forEdge = Math.min(each, (FOR_EDGES * samples) / edges);
  const forOpen = Math.min(each, (FOR_OPEN * samples) / open);
  const others = each * probes + (edges && edges * forEdge) + (open && open * forOpen);
  // While there is news, what nobody else needs goes here.
  const rest = search === 1 ? samples - FOR_SEARCH * samples - others : 0;
  const forDoubt = Math.min(search === 1 ? each : each / 2, Math.max(FOR_SETTLED * samples, rest) / doubts);
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
  if (weights === 0) return 0;
  // By all pages, not by those of ground: what is found must not move the places that the search has still to reach.
  const density = Math.min((FOR_SEARCH * samples) / total, left / weights) * search;
  owed = 0;
  for (let i = 0; i < count; i++) {
    if (rows.kind[i] !== RowKind.PLAIN) continue;
    owed += Math.min(density * weightOf(rows, i), SAMPLES_PER_PAGE * rows.size(i));
    let more = Math.min(left, Math.floor(owed));
    owed -= more;
    left -= more;
    // Who gets many that way, as several rows, needs no others; one row has no room for more than `each`.
    const spare = more > each ? rows.planned[i]! : Math.max(0, rows.planned[i]! + more - each);
    more -= spare;
    left += spare;
    rows.planned[i]! += more;
  }
  return density;
}

/** How much there may be to find out in a row that is settled: most where it was hit as often as not. */
function doubtOf(rows: Rows, i: number): number {
  const rate = rows.rate(i);
  return 1 + DOUBT * rate * (1 - rate);
}

/** Whether it has still to be found out what a row is. */
function isOpen(rows: Rows, i: number): boolean {
  return rows.open[i] === 1 || rows.trials[i]! < 20;
}

function weightOf(rows: Rows, i: number): number {
  return rows.size(i) * (rows.rate(i) < HOT ? 1 : HOT_WEIGHT);
}
