import type { Snapshot } from '../core/snapshot.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { accessedPagesOf, seenPagesOf, sizeOf } from '../core/working-set.js';
import type { Mapping } from '../kernel/maps.js';
import { type ColourMode, dim } from './colour.js';
import { nameOfRange } from './region-mappings.js';
import { clip, columnsOf } from './terminal-text.js';
import { formatBytes, formatDuration, formatShare } from './units.js';

/** Of nearly every process; with five levels of page tables, addresses have up to 15 digits. */
const ADDRESS_WIDTH = 12;
export const SIZE_WIDTH = 8;
const ACCESSED_WIDTH = 8;
const AGE_WIDTH = 11;
/** `16 MiB of 256 MiB`. */
const PART_WIDTH = 20;
/** Below this width the table has no age, so that the mapping has room. */
const WIDTH_FOR_AGE = 60;

/** The hottest regions of a process as a table of `rows` lines and a heading. */
export function regionTable(
  snapshot: Snapshot,
  mappings: readonly Mapping[],
  rows: number,
  options: { readonly width: number; readonly colour: ColourMode },
): string[] {
  const { width, colour } = options;
  const { columns, pageSize, maxNrAccesses, startUs, endUs } = snapshot;
  const intervalUs = steady(endUs - startUs);
  const bytes = (pages: number) => formatBytes(pages * pageSize);
  const accessedWidth = columns.accessedPages ? PART_WIDTH : ACCESSED_WIDTH;
  const hottest = hottestRegions(columns, rows);
  const starts = hottest.map((i) => address(columns.startPages[i]! * pageSize));
  const addressWidth = addressWidthOf(starts);
  const lines = hottest.map((i, at) => {
    const startPage = columns.startPages[i]!;
    const endPage = columns.endPages[i]!;
    const row = tableRow(
      width,
      accessedWidth,
      starts[at]!.padStart(addressWidth),
      bytes(sizeOf(columns, i)),
      columns.accessedPages
        ? `${bytes(accessedPagesOf(columns, i))} of ${bytes(seenPagesOf(columns, i))}`
        : formatShare(columns.nrAccesses[i]! / maxNrAccesses),
      columns.ages[i]! === 0 ? 'new' : formatDuration(columns.ages[i]! * intervalUs),
    );
    return clip(row + nameOfRange(mappings, startPage, endPage, Math.max(0, width - row.length)), width);
  });
  const heading = `${tableRow(width, accessedWidth, 'address'.padStart(addressWidth), 'size', 'accessed', 'age')}mapping`;
  const count = columns.startPages.length;
  const note = hottest.length < count ? `${hottest.length} of ${count} regions` : '';
  return [dim(withRight(heading, note, width), colour), ...lines];
}

/** Without the fraction of a millisecond by which its ends were late: multiplied by an age, it would flicker. */
function steady(intervalUs: number): number {
  return intervalUs < 50e3 ? intervalUs : Math.round(intervalUs / 1e3) * 1e3;
}

function tableRow(
  width: number,
  accessedWidth: number,
  start: string,
  size: string,
  accessed: string,
  age: string,
): string {
  const row = `${start} ${size.padStart(SIZE_WIDTH)}  ${accessed.padStart(accessedWidth)}  `;
  return width < WIDTH_FOR_AGE ? row : `${row}${age.padStart(AGE_WIDTH)}  `;
}

/**
 * Indices of the `count` hottest regions, by nrAccesses, then by size; by accessed bytes if they are counted. They are kept
 * sorted in one pass, because there may be a million regions, and few of them are shown.
 */
function hottestRegions(columns: SnapshotColumns, count: number): number[] {
  const { startPages, nrAccesses, accessedPages } = columns;
  const heat = accessedPages ?? nrAccesses;
  const isHotter = (a: number, b: number) =>
    heat[a]! - heat[b]! ||
    (accessedPages ? seenPagesOf(columns, a) - seenPagesOf(columns, b) : 0) ||
    sizeOf(columns, a) - sizeOf(columns, b);
  const hottest: number[] = [];
  for (let i = 0; i < startPages.length; i++) {
    if (hottest.length === count && isHotter(i, hottest[count - 1]!) <= 0) continue;
    if (hottest.length === count) hottest.pop();
    let at = hottest.length;
    while (at > 0 && isHotter(i, hottest[at - 1]!) > 0) at--;
    hottest.splice(at, 0, i);
  }
  return hottest;
}

/** Text with a note at the right end of the line, if both fit. */
function withRight(text: string, note: string, width: number): string {
  const gap = width - columnsOf(text) - columnsOf(note);
  return note === '' || gap < 2 ? clip(text, width) : text + ' '.repeat(gap) + note;
}

export function address(bytes: number): string {
  return bytes.toString(16);
}

/** Of the column in which these addresses stand. */
export function addressWidthOf(addresses: readonly string[]): number {
  return addresses.reduce((width, { length }) => Math.max(width, length), ADDRESS_WIDTH);
}
