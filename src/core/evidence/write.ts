import type { RegionTable } from '../region-table.js';
import { type Allowance, HOT, HOT_WEIGHT, SAMPLES_PER_PAGE } from './allot.js';
import { Ends, NO_PLACE, NOT_ASKED, RowKind } from './columns.js';
import type { Rows } from './rows.js';

/**
 * Writes planned rows into a table, those with more samples than a row can have as several. These are cut at multiples of one
 * length from page 0 on, so that the same ground is asked in the same places whatever is found in it.
 *
 * @param density samples a page of cold ground
 */
export function write(
  rows: Rows,
  table: RegionTable,
  { regions, samples: most, each }: Allowance,
  density: number,
): void {
  let spare = Math.max(0, regions - rows.count);
  let pieces = 0;
  let left = 0;
  for (let i = 0; i < rows.count; i++) {
    left += rows.planned[i]!;
    pieces += Math.ceil((rows.planned[i]! - each) / each) + 1;
  }
  const length = (each / Math.max(density, 1e-12)) * Math.max(1, pieces / Math.max(1, spare));
  let at = 0;
  for (let i = 0; i < rows.count; i++) {
    const end = rows.end[i]!;
    let start = rows.start[i]!;
    if (rows.kind[i] === RowKind.PLAIN && rows.planned[i]! > each) {
      const isGround = rows.rate(i) < HOT;
      const width = Math.max(each / SAMPLES_PER_PAGE, isGround ? length : length / HOT_WEIGHT);
      let cut = Math.floor(width * (Math.floor(start / width) + 1));
      // A short piece at an end goes with its neighbour.
      if (cut - start < width / 4) cut = Math.floor(width * (Math.floor(start / width) + 2));
      for (; spare > 0 && end - cut > width / 4; spare--) {
        // Rounding must not exceed the budget.
        const samples = Math.min(each, left, Math.round(((cut - start) * each) / width));
        left -= samples;
        writeRow(rows, i, table, at, start, cut, samples);
        table.evidence!.pivot[at] = start === rows.start[i] ? Ends.START : NOT_ASKED;
        at++;
        start = cut;
        cut = Math.floor(width * (Math.round(cut / width) + 1));
      }
      const isWhole = start === rows.start[i];
      const samples = Math.min(each, left, Math.max(1, Math.round(((end - start) * each) / width)));
      left -= samples;
      writeRow(rows, i, table, at, start, end, samples);
      table.evidence!.pivot[at] = isWhole ? Ends.BOTH : Ends.END;
    } else {
      const samples = Math.min(each, left, rows.planned[i]!);
      left -= samples;
      writeRow(rows, i, table, at, start, end, samples);
      if (rows.kind[i] === RowKind.PLAIN) table.evidence!.pivot[at] = Ends.BOTH;
    }
    at++;
  }
  table.evidence!.answers.fill(0, 0, at * table.evidence!.answersPerRegion);
  table.count = at;
  table.mostSamples = most;
  table.tick = 0;
  table.round = (table.round + 1) & 0xff_ffff;
}

/** A part of a row, with its part of what is known of it. */
function writeRow(
  rows: Rows,
  i: number,
  table: RegionTable,
  at: number,
  start: number,
  end: number,
  planned: number,
): void {
  const { evidence } = table;
  const part = (end - start) / rows.size(i);
  table.startPage[at] = start;
  table.endPage[at] = end;
  table.nrAccesses[at] = 0;
  table.lastNrAccesses[at] = rows.last[i]!;
  table.age[at] = rows.age[i]!;
  evidence!.hits[at] = rows.hits[i]! * part;
  evidence!.trials[at] = rows.trials[i]! * part;
  evidence!.pendingHits[at] = rows.pendingHits[i]! * part;
  evidence!.pendingTrials[at] = rows.pendingTrials[i]! * part;
  evidence!.pivot[at] = rows.pivot[i]!;
  evidence!.deviation[at] = 0;
  evidence!.planned[at] = planned;
  evidence!.place[at] = NO_PLACE;
  evidence!.kind[at] = rows.kind[i]!;
}
