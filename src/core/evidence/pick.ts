import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { RandomStreams, randomFrom } from '../random.js';
import type { RegionTable } from '../region-table.js';
import { Ends, MAX_ANSWERS, NO_PLACE, NOT_ASKED, RowKind } from './columns.js';

/** The golden ratio: its multiples fill the line more evenly than those of any other number, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Chance moves a sample by this part of the distance to the next, so that what lies on a grid in memory is not missed. */
const JITTER = 0.05;
/** Only rows with this many samples look closely at their ends. */
const LEAST_FOR_ENDS = 5;

/** Random orders for each number of samples. */
const ORDERS = 32;
/**
 * The order in which the places of a row are asked, at (samples * ORDERS + which) * MAX_ANSWERS. It is random because
 * programs work and rest in turns: if neighbouring places were always asked at the same distance in time, that would look
 * like a boundary between them.
 */
let places: Uint8Array | undefined;

/** Takes some milliseconds, once, and only with the first table that has evidence. */
function randomOrders(): Uint8Array {
  const orders = new Uint8Array((MAX_ANSWERS + 1) * ORDERS * MAX_ANSWERS);
  const random = randomFrom(new RandomStreams(1).next());
  for (let samples = 1; samples <= MAX_ANSWERS; samples++) {
    for (let which = 0; which < ORDERS; which++) {
      const from = (samples * ORDERS + which) * MAX_ANSWERS;
      for (let n = 0; n < samples; n++) {
        const other = Math.floor(uniformFloat64(random) * (n + 1));
        orders[from + n] = orders[from + other]!;
        orders[from + other] = n;
      }
    }
  }
  return orders;
}

/**
 * Picks the pages of a tick as planned. A row with fewer samples than there are ticks is asked in some of them, its
 * neighbours in others. The samples of a row lie evenly in it and move on by the golden ratio from one aggregation interval
 * to the next, so that gaps without a sample keep shrinking; those of a PROBE lie around its page. Once per tick and target,
 * about 20 ns for each row that is asked.
 */
export function pickPlanned(table: RegionTable, random: RandomGenerator): void {
  const { startPage, endPage, samplePage, count, maxNrAccesses: ticks, tick, round } = table;
  const { planned, place, kind, pivot, answersPerRegion } = table.evidence!;
  places ??= randomOrders();
  const shift = (round * GOLDEN) % 1;
  // Rows that were added after planning must not exceed the budget.
  const most = table.mostSamples;
  const spent = tick === 0 ? 0 : table.spent;
  let asked = 0;
  for (let i = 0; i < count; i++) {
    const samples = Math.min(planned[i]!, ticks, answersPerRegion);
    const turn = (tick + 7 * i) % ticks;
    const nth = Math.floor((turn * samples) / ticks);
    if (Math.floor(((turn + 1) * samples) / ticks) === nth || spent + asked >= most) {
      samplePage[i] = NOT_ASKED;
      place[i] = NO_PLACE;
      continue;
    }
    const at = places[(samples * ORDERS + orderOf(i, round)) * MAX_ANSWERS + nth]!;
    const start = startPage[i]!;
    const end = endPage[i]!;
    const within = (shift + (uniformFloat64(random) - 0.5) * JITTER + 1) % 1;
    samplePage[i] =
      kind[i] === RowKind.PROBE
        ? around(Math.max(start, Math.min(pivot[i]!, end - 1)), start, end, at, samples, within)
        : evenly(start, end, at, samples, within, pivot[i]!, round & 3);
    place[i] = at;
    asked++;
  }
  table.tick = tick + 1;
  table.asked = asked;
  table.spent = spent + asked;
}

/**
 * The `at`th of pages that lie evenly in a row. In one of four intervals the first page, in another the last, is near its end
 * of the row instead, at a distance of any magnitude: this reveals a boundary that is a few pages off. Not in rows with few
 * samples, because such a page is not chosen evenly.
 */
function evenly(
  start: number,
  end: number,
  at: number,
  samples: number,
  within: number,
  ends: number,
  round: number,
): number {
  const length = (end - start) / samples;
  if (length > 1 && samples >= LEAST_FOR_ENDS) {
    if (round === 1 && at === 0 && (ends === Ends.START || ends === Ends.BOTH))
      return start + Math.floor(length ** within) - 1;
    if (round === 3 && at === samples - 1 && (ends === Ends.END || ends === Ends.BOTH))
      return end - Math.floor(length ** within);
  }
  return Math.min(end - 1, start + Math.floor((at + within) * length));
}

/**
 * The `at`th of the pages around a page of a row: in the middle that page itself, once or twice, and on both sides pages at
 * distances that grow from 1 to the end of the row by one factor, so that an edge is met whatever its distance.
 */
function around(
  pivot: number,
  start: number,
  end: number,
  at: number,
  samples: number,
  within: number,
): number {
  const side = Math.max(1, (samples - 1) >> 1);
  const isLeft = at < side;
  const step = isLeft ? side - at : at - (samples - side) + 1;
  if (step <= 0) return pivot;
  const reach = isLeft ? pivot - start : end - 1 - pivot;
  if (reach < 1) return pivot;
  const distance = Math.max(1, Math.round(reach ** ((step - 1 + within) / side)));
  return isLeft ? pivot - distance : pivot + distance;
}

/** A different order for each row and aggregation interval. */
function orderOf(row: number, round: number): number {
  return (Math.imul(row + 1, 0x9e37_79b1) ^ Math.imul(round + 1, 0x85eb_ca6b)) >>> 27;
}
