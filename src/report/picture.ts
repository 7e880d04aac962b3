import type { Snapshot, SnapshotColumns } from '../core/snapshot.js';
import type { MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { Mapping } from '../kernel/mapping.js';
import { bold, type ColourMode, dim, paint } from './colour.js';
import { heatStrip, type PageRange, rangesOf } from './heat-strip.js';
import { formatCost, formatInForce } from './in-force.js';
import { clip, columnsOf, nameOfRange, printable } from './mapping-names.js';
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
  return 2 + PLAIN_REGIONS + (snapshot ? rangesOf(snapshot.columns).length : 0);
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

/** Header, ranges, and a table of all regions with its heading. */
function rowsWanted({ snapshot }: ProcessView): number {
  if (!snapshot) return 1;
  const { columns } = snapshot;
  return 2 + rangesOf(columns).length + columns.startPages.length;
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
  const ranges = rangesOf(snapshot.columns);
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

function headerLine(view: ProcessView, shown: number, ranges: number, options: PictureOptions): string {
  const { target, snapshot, residentBytes, hasEnded } = view;
  const parts = [nameOfTarget(target)];
  if (hasEnded) parts.push('ended');
  parts.push(`working set ${snapshot ? formatBytes(snapshot.workingSetBytes()) : 'pending'}`);
  if (residentBytes !== undefined) parts.push(`resident ${formatBytes(residentBytes)}`);
  if (shown < ranges) parts.push(`${shown} of ${ranges} ranges`);
  return bold(joinFitting(parts, options.width), options.colour);
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
  const hottest = hottestRegions(columns, rows);
  const starts = hottest.map((i) => address(columns.startPages[i]! * pageSize));
  const addressWidth = widthOf(starts);
  const lines = hottest.map((i, at) => {
    const startPage = columns.startPages[i]!;
    const endPage = columns.endPages[i]!;
    const row = tableRow(
      width,
      starts[at]!.padStart(addressWidth),
      formatBytes((endPage - startPage) * pageSize),
      formatShare(columns.nrAccesses[i]! / maxNrAccesses),
      columns.ages[i]! === 0 ? 'new' : formatDuration(columns.ages[i]! * intervalUs),
    );
    return clip(row + nameOfRange(mappings, startPage, endPage, Math.max(0, width - row.length)), width);
  });
  const heading = `${tableRow(width, 'address'.padStart(addressWidth), 'size', 'accessed', 'age')}mapping`;
  const count = columns.startPages.length;
  const note = hottest.length < count ? `${hottest.length} of ${count} regions` : '';
  return [dim(withRight(heading, note, width), colour), ...lines];
}

/** An interval without the fraction of a millisecond by which its ends were late: times an age, it would flicker. */
function steady(intervalUs: number): number {
  return intervalUs < 50e3 ? intervalUs : Math.round(intervalUs / 1e3) * 1e3;
}

function tableRow(width: number, start: string, size: string, accessed: string, age: string): string {
  const row = `${start} ${size.padStart(SIZE_WIDTH)}  ${accessed.padStart(ACCESSED_WIDTH)}  `;
  return width < WIDTH_FOR_AGE ? row : `${row}${age.padStart(AGE_WIDTH)}  `;
}

/**
 * Indices of the `count` hottest regions, by nrAccesses, then by size. Kept sorted in one pass: there may be a million
 * regions, and few of them are shown.
 */
function hottestRegions(columns: SnapshotColumns, count: number): number[] {
  const { startPages, endPages, nrAccesses } = columns;
  const isHotter = (a: number, b: number) =>
    nrAccesses[a]! - nrAccesses[b]! || endPages[a]! - startPages[a]! - (endPages[b]! - startPages[b]!);
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
  const shares = Float64Array.from({ length: cells }, (_, i) => (i === 0 ? 0 : (i - 0.5) / (cells - 1)));
  const gap = hint === '' ? '' : ' '.repeat(room - cells);
  return dim(before, colour) + paint(shares, colour) + dim(after + gap + right, colour);
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
