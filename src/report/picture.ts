import type { Region, Snapshot } from '../core/snapshot.js';
import type { Mapping } from '../kernel/mapping.js';
import { bold, type ColourMode, dim, paint } from './colour.js';
import { heatStrip, rangesOf } from './heat-strip.js';
import { nameOfRange, printable } from './mapping-names.js';
import { formatBytes, formatDuration } from './units.js';

/** One process as it is shown. */
export interface ProcessView {
  readonly snapshot: Snapshot;
  /** Undefined where it cannot be told (any longer). */
  readonly residentBytes: number | undefined;
  /** In address order; empty where they cannot be read. */
  readonly mappings: readonly Mapping[];
  /** Not watched any longer. */
  readonly hasEnded: boolean;
}

export interface PictureOptions {
  /** Columns and rows, at least 1 each. */
  readonly width: number;
  readonly height: number;
  readonly colour: ColourMode;
  /** Shown at the right end of the first line. */
  readonly hint?: string;
}

/** Header, three ranges, and a table of at least one region with its heading. */
const ROWS_PER_PROCESS = 6;
const ADDRESS_WIDTH = 12;
const SIZE_WIDTH = 9;

/** The picture as lines that fit the terminal: never wider than it, never more than it has rows. */
export function renderPicture(views: readonly ProcessView[], options: PictureOptions): string[] {
  const { height } = options;
  const lines = [titleLine(views, options)];
  const room = Math.max(0, height - 2);
  const shown = Math.min(views.length, Math.max(1, Math.floor(room / ROWS_PER_PROCESS)));
  const left = views.length - shown;
  const rows = Math.floor((room - (left > 0 ? 1 : 0)) / Math.max(1, shown));
  for (const view of views.slice(0, shown)) lines.push(...processLines(view, rows, options));
  if (left > 0) lines.push(clip(`${left} more, for which a larger terminal has room`, options.width));
  lines.push(legendLine(options));
  return lines.slice(0, height);
}

/** The same without control sequences, for a file or a pipe. */
export function renderPlain(views: readonly ProcessView[]): string {
  const options: PictureOptions = { width: 100, height: Number.POSITIVE_INFINITY, colour: 'none' };
  return [titleLine(views, options), ...views.flatMap((view) => processLines(view, 4 + 8, options)), ''].join(
    '\n',
  );
}

function titleLine(views: readonly ProcessView[], { width, colour, hint = '' }: PictureOptions): string {
  const snapshot = views[0]?.snapshot;
  if (!snapshot) return clip('pagepulse: waiting for the first snapshot', width);
  const { stats, check, endUs } = snapshot;
  const cost = stats.cpuPercent === null ? '' : `  cost ${stats.cpuPercent.toFixed(1)} % of a core`;
  const missed =
    stats.overruns > 0 ? `, ${percent(stats.overruns / (stats.ticks + stats.overruns))} of ticks missed` : '';
  const title = clip(`pagepulse  ${check} check  ${formatDuration(roundedUs(endUs))}${cost}${missed}`, width);
  const gap = width - title.length - hint.length;
  return gap < 2 ? bold(title, colour) : bold(title, colour) + ' '.repeat(gap) + dim(hint, colour);
}

/** To what a reader can follow: tenths of a second. */
function roundedUs(us: number): number {
  return Math.max(1e5, Math.round(us / 1e5) * 1e5);
}

function processLines(view: ProcessView, rows: number, options: PictureOptions): string[] {
  const ranges = rangesOf(view.snapshot.columns);
  const lines = [headerLine(view, options)];
  for (const [start, end] of ranges) lines.push(rangeLine(view.snapshot, start, end, options));
  const tableRows = rows - lines.length - 1;
  if (tableRows > 0) lines.push(...regionTable(view, tableRows, options));
  return lines.slice(0, Math.max(1, rows));
}

function headerLine(
  { snapshot, residentBytes, hasEnded }: ProcessView,
  { width, colour }: PictureOptions,
): string {
  const { target } = snapshot;
  const workingSet = snapshot.workingSetBytes();
  const parts = [`${target.pid} ${printable(target.comm)}`];
  if (hasEnded) parts.push('ended');
  if (residentBytes !== undefined) parts.push(`resident ${formatBytes(residentBytes)}`);
  parts.push(`working set ${formatBytes(workingSet)}`);
  return bold(clip(parts.join('  '), width), colour);
}

function rangeLine(
  snapshot: Snapshot,
  start: number,
  end: number,
  { width, colour }: PictureOptions,
): string {
  const { columns, maxNrAccesses, pageSize } = snapshot;
  const label = `${address(start * pageSize)} ${formatBytes((end - start) * pageSize).padStart(SIZE_WIDTH)} `;
  const cells = width - label.length;
  if (cells < 1) return clip(label, width);
  return label + paint(heatStrip(columns, maxNrAccesses, start, end, cells), colour);
}

function regionTable(view: ProcessView, rows: number, { width, colour }: PictureOptions): string[] {
  const { snapshot, mappings } = view;
  const heading = `${'address'.padStart(ADDRESS_WIDTH)} ${'size'.padStart(SIZE_WIDTH)}  accessed      age  mapping`;
  const lines = hottest(snapshot.regions, rows).map((region) => {
    const { startAddress, endAddress, nrAccesses, age } = region;
    const { pageSize, maxNrAccesses, startUs, endUs } = snapshot;
    const size = formatBytes(endAddress - startAddress).padStart(SIZE_WIDTH);
    const share = percent(nrAccesses / maxNrAccesses).padStart(8);
    const since = formatDuration(roundedUs(age * (endUs - startUs))).padStart(8);
    const name = nameOfRange(mappings, startAddress / pageSize, endAddress / pageSize);
    return clip(`${address(startAddress)} ${size}  ${share} ${since}  ${name}`, width);
  });
  return [dim(clip(heading, width), colour), ...lines];
}

/** By share of samples accessed, then by size. */
function hottest(regions: readonly Region[], count: number): Region[] {
  const size = (region: Region) => region.endAddress - region.startAddress;
  return regions.toSorted((a, b) => b.nrAccesses - a.nrAccesses || size(b) - size(a)).slice(0, count);
}

function legendLine({ width, colour }: PictureOptions): string {
  const text = 'accessed: never ';
  const cells = Math.min(10, width - text.length - ' always'.length);
  if (cells < 3) return '';
  const shares = Float64Array.from({ length: cells }, (_, i) => i / (cells - 1));
  return `${dim(text, colour)}${paint(shares, colour)}${dim(' always', colour)}`;
}

function address(bytes: number): string {
  return bytes.toString(16).padStart(ADDRESS_WIDTH);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${width > 0 ? '…' : ''}`;
}
