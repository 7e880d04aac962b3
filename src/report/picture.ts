import { printable } from '../core/printable.js';
import type { Snapshot } from '../core/snapshot.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import { accessedPagesOf, seenPagesOf, sizeOf } from '../core/working-set.js';
import type { Mapping } from '../kernel/mapping.js';
import { bold, type ColourMode, dim, legendShares, paint } from './colour.js';
import { heatStrip, type PageRange, rangesOf, residentStrip } from './heat-strip.js';
import { nameOfRange } from './region-mappings.js';
import { formatCost, formatInForce, type Unknown, unknownOf, unknownSentences } from './status-text.js';
import { clip, columnsOf } from './terminal-text.js';
import { formatBytes, formatDue, formatDuration, formatShare } from './units.js';

/** One process as it is shown. */
export interface ProcessView {
  readonly target: TargetInfo;
  /** Undefined before the first one. */
  readonly snapshot: Snapshot | undefined;
  /** Undefined where it cannot be told (any longer). */
  readonly residentBytes: number | undefined;
  /** In address order; empty where they cannot be read. */
  readonly mappings: readonly Mapping[];
  /** Not watched any longer. */
  readonly hasEnded: boolean;
}

export interface PictureOptions {
  /** Columns and rows of the terminal, at least 1 each. */
  readonly width: number;
  readonly height: number;
  readonly colour: ColourMode;
  /** Which keys there are; at the right end of the last line. */
  readonly hint?: string;
  /** When the first snapshot is due, from now on; 0 if it is overdue. */
  readonly dueInUs?: number;
}

/** Of nearly every process; with five levels of page tables, addresses have up to 15 digits. */
const ADDRESS_WIDTH = 12;
const SIZE_WIDTH = 8;
const ACCESSED_WIDTH = 8;
const AGE_WIDTH = 11;
/** `16 MiB of 256 MiB`. */
const PART_WIDTH = 20;
/** What stands before the strip of a process whose accesses are counted by mapping. */
const FLAT_LABEL = 'resident, flat by mapping ';
/** Below this width the table has no age, so that the mapping has room. */
const WIDTH_FOR_AGE = 60;
/** A strip of fewer cells says less than the label that it would make room for. */
const MIN_CELLS = 10;
const MIN_LEGEND_CELLS = 5;
/** Never, and a cell for every digit. */
const MAX_LEGEND_CELLS = 11;
/** In a lower terminal every line is for the processes. */
const HEIGHT_FOR_LEGEND = 6;
/** A header and one strip: with less, fewer processes are shown. */
const MIN_ROWS_PER_PROCESS = 2;

const PLAIN_WIDTH = 100;
const PLAIN_REGIONS = 8;

/** The picture as lines that fit the terminal: never wider than it, never more of them than it has rows. */
export function renderPicture(views: readonly ProcessView[], options: PictureOptions): string[] {
  const { height, width } = options;
  const hasLegend = height >= HEIGHT_FOR_LEGEND;
  const room = height - 1 - (hasLegend ? 1 : 0);
  // What still runs comes first; beyond that the order stays, so that the eye finds a process where it was.
  const ordered = [...views.filter((view) => !view.hasEnded), ...views.filter((view) => view.hasEnded)];
  const shown = ordered.slice(0, processesIn(room, views.length));
  const left = ordered.slice(shown.length);

  const lines = [titleLine(views, options)];
  const rows = shareRows(shown.map(rowsWanted), left.length > 0 ? room - 1 : room);
  shown.forEach((view, i) => {
    lines.push(...processLines(view, rows[i]!, options));
  });
  if (left.length > 0 && room > 0) lines.push(clip(leftOutLine(left, shown.length), width));
  if (hasLegend) lines.push(legendLine(options));
  return lines;
}

/** All processes as a block of text of at most 100 columns, without control sequences: for a file or a pipe. */
export function renderPlain(
  views: readonly ProcessView[],
  { dueInUs }: Pick<PictureOptions, 'dueInUs'> = {},
): string {
  const options: PictureOptions = {
    ...(dueInUs !== undefined && { dueInUs }),
    width: PLAIN_WIDTH,
    height: Number.POSITIVE_INFINITY,
    colour: 'none',
  };
  const lines = [titleLine(views, options)];
  for (const view of views) {
    lines.push(...processLines(view, Math.min(rowsWanted(view), plainRows(view)), options));
  }
  if (views.some(({ snapshot }) => snapshot)) lines.push(legendLine(options));
  lines.push('');
  return lines.join('\n');
}

function plainRows({ snapshot }: ProcessView): number {
  return 2 + PLAIN_REGIONS + (snapshot ? stripsOf(snapshot) : 0);
}

/** How many of `processes` are shown in this many rows; a row tells of the others. */
function processesIn(room: number, processes: number): number {
  if (processes === 1) return room > 0 ? 1 : 0;
  if (processes * MIN_ROWS_PER_PROCESS <= room) return processes;
  return Math.max(0, Math.floor((room - 1) / MIN_ROWS_PER_PROCESS));
}

/** Row by row in turn, so that all get the same and what one does not want goes to the others. */
function shareRows(wanted: readonly number[], room: number): number[] {
  const rows = wanted.map(() => 0);
  for (let left = room, given = true; left > 0 && given; ) {
    given = false;
    for (let i = 0; i < rows.length && left > 0; i++) {
      if (rows[i]! >= wanted[i]!) continue;
      rows[i]!++;
      left--;
      given = true;
    }
  }
  return rows;
}

/** Header, strips, and a table of all regions with its heading; or what there is to say where nothing is known. */
function rowsWanted(view: ProcessView): number {
  if (!view.snapshot) return 1;
  const unknown = unknownIn(view);
  if (unknown) return 1 + unknownSentences(unknown).length;
  return 2 + stripsOf(view.snapshot) + view.snapshot.columns.startPages.length;
}

/** One a range; where accesses are counted by mapping, one for all resident memory. */
function stripsOf({ columns }: Snapshot): number {
  return columns.accessedPages ? 1 : rangesOf(columns).length;
}

function unknownIn({ snapshot, residentBytes }: ProcessView): Unknown | undefined {
  return snapshot && unknownOf(snapshot, residentBytes);
}

function titleLine(views: readonly ProcessView[], { width, colour, dueInUs }: PictureOptions): string {
  let latest: Snapshot | undefined;
  for (const { snapshot } of views) {
    if (snapshot && (!latest || snapshot.endUs > latest.endUs)) latest = snapshot;
  }
  if (!latest) return bold(joinFitting(['pagepulse', ...waitingParts(views.length, dueInUs)], width), colour);
  const { check, stats, endUs } = latest;
  const time = formatDuration(toTenths(endUs));
  const parts = ['pagepulse', `${check} check`, ...costOf(stats), time, formatInForce(stats.inForce)];
  return bold(joinFitting(parts, width), colour);
}

/** What a title says before the first snapshot. */
export function waitingParts(processes: number, dueInUs: number | undefined): string[] {
  if (processes === 0) return ['waiting for a process to watch'];
  const due = dueInUs === undefined ? '' : `, ${formatDue(dueInUs)}`;
  return [`waiting for the first snapshot${due}`];
}

function costOf(stats: MonitorStats): string[] {
  const { overruns, ticks, lostSamplers } = stats;
  const parts: string[] = [];
  const cost = formatCost(stats);
  if (cost) parts.push(`cost ${cost}`);
  if (overruns > 0) parts.push(`overruns ${overruns} (${formatShare(overruns / (ticks + overruns))})`);
  if (lostSamplers > 0) parts.push(`samplers lost ${lostSamplers}`);
  return parts;
}

/** Seconds to what an eye can follow. */
export function toTenths(us: number): number {
  return us < 1e6 ? us : Math.round(us / 1e5) * 1e5;
}

function leftOutLine(left: readonly ProcessView[], shown: number): string {
  const names = left.map(({ target }) => nameOfTarget(target)).join(', ');
  return `${left.length} ${shown > 0 ? 'more' : 'processes'} in a larger terminal: ${names}`;
}

/** One process in at most `rows` lines. What there is no room for goes first the table, then the cooler ranges. */
function processLines(view: ProcessView, rows: number, options: PictureOptions): string[] {
  if (rows < 1) return [];
  const { snapshot } = view;
  if (!snapshot) return [headerLine(view, 0, 0, options)];
  const { columns, maxNrAccesses } = snapshot;
  const { width, colour } = options;
  const unknown = unknownIn(view);
  if (unknown) {
    const sentences = unknownSentences(unknown).map((text) => clip(text, width));
    return [headerLine(view, 0, 0, options, true), ...sentences].slice(0, rows);
  }
  if (columns.accessedPages) {
    const label = width - FLAT_LABEL.length >= MIN_CELLS ? FLAT_LABEL : '';
    const strip = paint(residentStrip(columns, maxNrAccesses, width - label.length), colour);
    const lines = [headerLine(view, 0, 0, options), label + strip].slice(0, rows);
    return rows > 3 ? [...lines, ...regionTable(snapshot, view.mappings, rows - 3, options)] : lines;
  }
  const ranges = rangesOf(columns);
  const shown = ranges.length < rows ? ranges : hottestRanges(snapshot, ranges, rows - 1);
  const lines = [headerLine(view, shown.length, ranges.length, options)];
  const addressWidth = widthOf(shown.map(({ startPage }) => address(startPage * snapshot.pageSize)));
  for (const range of shown) lines.push(rangeLine(snapshot, range, addressWidth, options));
  const tableRows = rows - lines.length - 1;
  if (tableRows > 0 && ranges.length > 0)
    lines.push(...regionTable(snapshot, view.mappings, tableRows, options));
  return lines;
}

function nameOfTarget(target: TargetInfo): string {
  const comm = printable(target.comm);
  return target.pid === 0 ? comm : `${target.pid} ${comm}`; // synthetic targets have no pid
}

function headerLine(
  view: ProcessView,
  shown: number,
  ranges: number,
  options: PictureOptions,
  isUnknown = false,
): string {
  const { target, snapshot, hasEnded } = view;
  const residentBytes = view.residentBytes ?? snapshot?.residentBytes;
  const unseenBytes = snapshot?.unseenBytes() ?? 0;
  const parts = [nameOfTarget(target)];
  if (hasEnded) parts.push('ended');
  parts.push(`working set ${!snapshot ? 'pending' : isUnknown ? 'not known' : workingSetText(snapshot)}`);
  if (residentBytes !== undefined) parts.push(`resident ${formatBytes(residentBytes)}`);
  if (unseenBytes > 0) parts.push(`not seen ${formatBytes(unseenBytes)}`);
  if (shown < ranges) parts.push(`${shown} of ${ranges} ranges`);
  return bold(joinFitting(parts, options.width), options.colour);
}

function workingSetText(snapshot: Snapshot): string {
  return formatBytes(snapshot.workingSetBytes()) + (snapshot.isSettling ? ' (settling)' : '');
}

/** Those in which most memory was accessed, in address order. */
function hottestRanges(snapshot: Snapshot, ranges: readonly PageRange[], count: number): PageRange[] {
  const { columns, maxNrAccesses } = snapshot;
  const accessedPages = ({ startPage, endPage }: PageRange) =>
    heatStrip(columns, maxNrAccesses, startPage, endPage, 1)[0]! * (endPage - startPage);
  return ranges
    .map((range) => ({ range, pages: accessedPages(range) }))
    .sort((a, b) => b.pages - a.pages)
    .slice(0, count)
    .map(({ range }) => range)
    .sort((a, b) => a.startPage - b.startPage);
}

function rangeLine(
  snapshot: Snapshot,
  range: PageRange,
  addressWidth: number,
  { width, colour }: PictureOptions,
): string {
  const { columns, maxNrAccesses, pageSize } = snapshot;
  const { startPage, endPage } = range;
  const start = `${address(startPage * pageSize).padStart(addressWidth)} `;
  const size = `${formatBytes((endPage - startPage) * pageSize).padStart(SIZE_WIDTH)} `;
  const label = [start + size, start, ''].find((text) => width - text.length >= MIN_CELLS) ?? '';
  return label + paint(heatStrip(columns, maxNrAccesses, startPage, endPage, width - label.length), colour);
}

function regionTable(
  snapshot: Snapshot,
  mappings: readonly Mapping[],
  rows: number,
  options: PictureOptions,
): string[] {
  const { width, colour } = options;
  const { columns, pageSize, maxNrAccesses, startUs, endUs } = snapshot;
  const intervalUs = steady(endUs - startUs);
  const bytes = (pages: number) => formatBytes(pages * pageSize);
  const accessedWidth = columns.accessedPages ? PART_WIDTH : ACCESSED_WIDTH;
  const hottest = hottestRegions(columns, rows);
  const starts = hottest.map((i) => address(columns.startPages[i]! * pageSize));
  const addressWidth = widthOf(starts);
  const lines = hottest.map((i, at) => {
    const startPage = columns.startPages[i]!;
    const endPage = columns.endPages[i]!;
    const row = tableRow(
      width,
      accessedWidth,
      starts[at]!.padStart(addressWidth),
      bytes(endPage - startPage),
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

/** An interval without the fraction of a millisecond by which its ends were late: times an age, it would flicker. */
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
 * Indices of the `count` hottest regions, by nrAccesses, then by size; by accessed bytes, where they are counted. Kept sorted in one pass: there may be a million
 * regions, and few of them are shown.
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

/** What the colours or digits mean, and at its right end which keys there are. */
export function legendLine({ width, colour, hint = '' }: PictureOptions): string {
  const [before, after] = ['accessed: never ', ' always'];
  const right = hint === '' ? '' : `  ${hint}`;
  const room = width - before.length - after.length - right.length;
  if (room < MIN_LEGEND_CELLS) return dim(clip(hint, width), colour);
  const cells = Math.min(room, MAX_LEGEND_CELLS);
  const gap = hint === '' ? '' : ' '.repeat(room - cells);
  return dim(before, colour) + paint(legendShares(cells), colour) + dim(after + gap + right, colour);
}

/** As many of the parts as have room, and of the first what has. */
export function joinFitting(parts: readonly string[], width: number): string {
  let line = clip(parts[0]!, width);
  for (const part of parts.slice(1)) {
    if (columnsOf(line) + 2 + columnsOf(part) > width) break;
    line += `  ${part}`;
  }
  return line;
}

/** Text with a note at the right end of the line, if there is room for both. */
function withRight(text: string, note: string, width: number): string {
  const gap = width - columnsOf(text) - columnsOf(note);
  return note === '' || gap < 2 ? clip(text, width) : text + ' '.repeat(gap) + note;
}

function address(bytes: number): string {
  return bytes.toString(16);
}

/** Of the column in which these addresses stand. */
function widthOf(addresses: readonly string[]): number {
  return addresses.reduce((width, { length }) => Math.max(width, length), ADDRESS_WIDTH);
}
