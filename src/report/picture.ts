import type { Snapshot } from '../core/snapshot.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { Mapping } from '../kernel/maps.js';
import { bold, type ColourMode, dim, legendLine, paint } from './colour.js';
import { denseStrip, heatStrip, kindsLine, type PageRange, rangesOf } from './heat-strip.js';
import { address, addressWidthOf, regionTable, SIZE_WIDTH } from './hottest-regions.js';
import {
  formatCost,
  formatInForce,
  nameOfProcess,
  type Unknown,
  unknownOf,
  unknownSentences,
  waitingParts,
} from './status-text.js';
import { clip, joinFitting } from './terminal-text.js';
import { formatBytes, formatDuration, formatShare, tidy } from './units.js';

/** One process as it is shown. */
export interface ProcessView {
  readonly target: TargetInfo;
  /** Undefined before the first one. */
  readonly snapshot: Snapshot | undefined;
  /** Undefined if it cannot be read (any longer). */
  readonly residentBytes: number | undefined;
  /** In address order; empty if they cannot be read. */
  readonly mappings: readonly Mapping[];
  /** Not watched any longer. */
  readonly hasEnded: boolean;
}

export interface PictureOptions {
  /** Columns and rows of the terminal, at least 1 each. */
  readonly width: number;
  readonly height: number;
  readonly colour: ColourMode;
  /** The keys, at the right end of the last line. */
  readonly hint?: string;
  /** When the first snapshot is due, from now on; 0 if it is overdue. */
  readonly dueInUs?: number;
}

/** Before the strip of a process whose accesses are counted by mapping. */
const FLAT_LABEL = 'resident, flat by mapping ';
const MAPPED_LABEL = 'mapped    ';
/** With fewer cells beside it, a label is dropped. */
const MIN_CELLS = 10;
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
  // Running processes come first; apart from that the order stays, so that the eye finds a process where it was.
  const ordered = [...views.filter((view) => !view.hasEnded), ...views.filter((view) => view.hasEnded)];
  const shown = ordered.slice(0, processesIn(room, views.length));
  const left = ordered.slice(shown.length);

  const lines = [titleLine(views, options)];
  const rows = shareRows(shown.map(rowsWanted), left.length > 0 ? room - 1 : room);
  shown.forEach((view, i) => {
    lines.push(...processLines(view, rows[i]!, options));
  });
  if (left.length > 0 && room > 0) lines.push(clip(leftOutLine(left, shown.length), width));
  if (hasLegend) lines.push(legendLine(width, options.colour, options.hint));
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
  if (views.some(({ snapshot }) => snapshot)) lines.push(legendLine(PLAIN_WIDTH, 'none'));
  lines.push('');
  return lines.join('\n');
}

function plainRows({ snapshot }: ProcessView): number {
  return 2 + PLAIN_REGIONS + (snapshot ? stripsOf(snapshot) : 0);
}

/** How many of `processes` fit into this many rows, one of which names the others. */
function processesIn(room: number, processes: number): number {
  if (processes === 1) return room > 0 ? 1 : 0;
  if (processes * MIN_ROWS_PER_PROCESS <= room) return processes;
  return Math.max(0, Math.floor((room - 1) / MIN_ROWS_PER_PROCESS));
}

/** Row by row in turn, so that all get the same, and rows that one does not want go to the others. */
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

/** Header, strips, and a table of all regions with its heading; or the reason why nothing is known. */
function rowsWanted(view: ProcessView): number {
  if (!view.snapshot) return 1;
  const unknown = unknownIn(view);
  if (unknown) return 1 + unknownSentences(unknown).length;
  return 2 + stripsOf(view.snapshot) + view.snapshot.columns.startPages.length;
}

/** One for each range, or for all memory if it is drawn without gaps; with a line of kinds over mapped memory. */
function stripsOf({ columns }: Snapshot): number {
  if (isDense(columns)) return columns.mappedPages ? 2 : 1;
  return rangesOf(columns).length;
}

/** Whether accesses are counted by mapping, or regions lie over mapped memory alone. */
function isDense({ accessedPages, mappedPages }: SnapshotColumns): boolean {
  return accessedPages !== undefined || mappedPages !== undefined;
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
  const time = formatDuration(tidy(endUs, 1e5));
  const parts = ['pagepulse', `${check} check`, ...costOf(stats), time, formatInForce(stats.inForce)];
  return bold(joinFitting(parts, width), colour);
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

function leftOutLine(left: readonly ProcessView[], shown: number): string {
  const names = left.map(({ target }) => nameOfProcess(target)).join(', ');
  return `${left.length} ${shown > 0 ? 'more' : 'processes'} in a larger terminal: ${names}`;
}

/** One process in at most `rows` lines. Without room for all, first the table goes, then the cooler ranges. */
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
  if (isDense(columns)) {
    const title = columns.accessedPages ? FLAT_LABEL : MAPPED_LABEL;
    const label = width - title.length >= MIN_CELLS ? title : '';
    const strip = paint(denseStrip(columns, maxNrAccesses, width - label.length), colour);
    const lines = [headerLine(view, 0, 0, options), label + strip];
    if (columns.mappedPages && view.mappings.length > 0) {
      const kinds = kindsLine(view.mappings, width - label.length);
      lines.push(dim(' '.repeat(label.length) + kinds, colour));
    }
    const left = rows - lines.length - 1;
    if (left > 0) lines.push(...regionTable(snapshot, view.mappings, left, options));
    return lines.slice(0, rows);
  }
  const ranges = rangesOf(columns);
  const shown = ranges.length < rows ? ranges : hottestRanges(snapshot, ranges, rows - 1);
  const lines = [headerLine(view, shown.length, ranges.length, options)];
  const addressWidth = addressWidthOf(shown.map(({ startPage }) => address(startPage * snapshot.pageSize)));
  for (const range of shown) lines.push(rangeLine(snapshot, range, addressWidth, options));
  const tableRows = rows - lines.length - 1;
  if (tableRows > 0 && ranges.length > 0)
    lines.push(...regionTable(snapshot, view.mappings, tableRows, options));
  return lines;
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
  const parts = [nameOfProcess(target)];
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

/** The ranges in which most memory was accessed, in address order. */
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
