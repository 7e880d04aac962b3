import { printable } from '../../core/printable.js';
import type { PageRange } from '../heat-strip.js';
import type { SourceHeader } from '../source/observation.js';
import { nameOfProcess, whyUnknown } from '../status-text.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import { addToCells, type CellSums } from './profile.js';
import { accessedIn, chooseRanges, type RangeChoice, usableRanges, watchedPages } from './ranges.js';
import type { TargetSums, TimeSpan } from './sums.js';

/** One target, and which of its addresses are shown. */
export interface Panel {
  readonly sums: TargetSums;
  /** In address order. */
  readonly ranges: readonly PageRange[];
  /** Ranges that are not shown, because there were too many. */
  readonly leftOut: readonly PageRange[];
  readonly shownBytes: number;
  /** All that was watched at any time: accessible mappings, if they are known. */
  readonly watchedBytes: number;
  /** The part of all accesses that lies in the ranges shown, 0 .. 1; 0 without any. */
  readonly accessesShown: number;
}

/** A picture without a size yet. */
export interface HeatMap extends TimeSpan {
  readonly source: SourceHeader;
  readonly choice: RangeChoice;
  /** The ones with most accesses first. */
  readonly panels: readonly Panel[];
  /** Processes in no panel, because nothing is known of their accesses. */
  readonly unknown: readonly { readonly pid: number; readonly comm: string; readonly why: string }[];
  /** Accessed bytes are counted by mapping: shares are of resident memory, not of samples. */
  readonly isFlat: boolean;
  readonly leftOut: { readonly targets: number /** Of all accesses, 0 .. 1. */; readonly accesses: number };
}

/** @param targets at least one with a snapshot */
export function heatMapOf(
  source: SourceHeader,
  targets: readonly TargetSums[],
  choice: RangeChoice,
  maxPanels: number,
): HeatMap {
  const known = targets.filter(({ snapshots }) => snapshots > 0);
  const byAccesses = [...known].sort((a, b) => b.accessed - a.accessed);
  const panels = byAccesses.slice(0, maxPanels).map((sums) => panelOf(sums, choice));
  const sumOf = (some: readonly TargetSums[]) => some.reduce((sum, { accessed }) => sum + accessed, 0);
  const left = byAccesses.slice(maxPanels);
  const slices = panels.flatMap(({ sums }) => [sums.slices[0]!, sums.slices.at(-1)!]);
  return {
    source,
    choice,
    panels,
    startUs: Math.min(...slices.map(({ startUs }) => startUs)),
    endUs: Math.max(...slices.map(({ endUs }) => endUs)),
    unknown: targets.flatMap(({ target: { pid, comm }, snapshots, unknown }) =>
      unknown && snapshots === 0 ? [{ pid, comm, why: whyUnknown(unknown) }] : [],
    ),
    isFlat: known.some(({ isFlat }) => isFlat),
    leftOut: { targets: left.length, accesses: sumOf(left) / (sumOf(known) || 1) },
  };
}

function panelOf(sums: TargetSums, choice: RangeChoice): Panel {
  const total = sums.total();
  const { shown, leftOut } = chooseRanges(total, sums.mappings, choice);
  const all = { startPage: 0, endPage: Number.POSITIVE_INFINITY };
  const usable = usableRanges(sums.mappings);
  const bytesIn = (range: PageRange) => watchedPages(total, range, usable) * sums.pageSize;
  return {
    sums,
    ranges: shown,
    leftOut,
    shownBytes: sumBy(shown, bytesIn),
    watchedBytes: bytesIn(all),
    accessesShown: sumBy(shown, (range) => accessedIn(total, range)) / (accessedIn(total, all) || 1),
  };
}

function sumBy<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

/** One range: a cell for each row, from low addresses to high, in each of the time spans. */
export interface Cells {
  /** In pages, one more than there are rows. */
  readonly rowEdges: Float64Array;
  readonly spans: readonly TimeSpan[];
  /**
   * [span x rows + row]: the mean share of samples that found it accessed, or of resident memory if accessed bytes are
   * counted, 0 .. 1; NaN if it was not watched.
   */
  readonly shares: Float64Array;
  /** The mean age in us; NaN if it was not watched. */
  readonly agesUs: Float64Array;
}

/** The cells of each range of a panel that is `rows` high. */
export function cellsOfPanel({ sums, ranges }: Panel, rows: number, spans: readonly TimeSpan[]): Cells[] {
  const counts = shareRows(ranges, rows, Math.ceil(rows * LEAST_HEIGHT));
  return ranges.map((range, i) => cellsOf(sums, range, counts[i]!, spans));
}

/** Each cell is the mean over its pages and its time, weighted by how much of them was watched. */
export function cellsOf(sums: TargetSums, range: PageRange, rows: number, spans: readonly TimeSpan[]): Cells {
  const rowEdges = rowEdgesOf(range, rows);
  const count = rowEdges.length - 1;
  const shares = new Float64Array(spans.length * count);
  const agesUs = new Float64Array(spans.length * count);
  spans.forEach((span, i) => {
    const cells = columnOf(sums, rowEdges, span);
    for (let row = 0; row < count; row++) {
      shares[i * count + row] = shareIn(cells, row);
      agesUs[i * count + row] = cells.aged[row]! / cells.watched[row]!;
    }
  });
  return { rowEdges, spans, shares, agesUs };
}

/** NaN if it was not watched; 0 if nothing was resident that could be accessed. */
function shareIn({ watched, asked, accessed }: CellSums, row: number): number {
  if (!(watched[row]! > 0)) return Number.NaN;
  return asked[row]! > 0 ? Math.min(1, accessed[row]! / asked[row]!) : 0;
}

function columnOf(sums: TargetSums, rowEdges: Float64Array, span: TimeSpan): CellSums {
  const zeros = () => new Float64Array(rowEdges.length - 1);
  const cells = { watched: zeros(), asked: zeros(), accessed: zeros(), aged: zeros() };
  for (const slice of sums.slices) {
    if (slice.startUs >= span.endUs || slice.endUs <= span.startUs) continue;
    const overlap = Math.min(slice.endUs, span.endUs) - Math.max(slice.startUs, span.startUs);
    addToCells(slice.profile, rowEdges, overlap / (slice.endUs - slice.startUs), cells);
  }
  return cells;
}

/** Whole pages: at most as many rows as pages. */
function rowEdgesOf({ startPage, endPage }: PageRange, rows: number): Float64Array {
  const pages = endPage - startPage;
  const count = Math.max(1, Math.min(rows, pages));
  return Float64Array.from({ length: count + 1 }, (_, i) => startPage + Math.round((pages * i) / count));
}

/** The times of a target's slices; neighbours share one if there are more than `limit`. */
export function spansOf({ slices }: TargetSums, limit: number): TimeSpan[] {
  const together = Math.ceil(slices.length / limit);
  return Array.from({ length: Math.ceil(slices.length / together) }, (_, i) => {
    const some = slices.slice(i * together, (i + 1) * together);
    return { startUs: some[0]!.startUs, endUs: some.at(-1)!.endUs };
  });
}

/** `count` equal parts of a time. */
export function equalSpans({ startUs, endUs }: TimeSpan, count: number): TimeSpan[] {
  const at = (i: number) => startUs + ((endUs - startUs) * i) / count;
  return Array.from({ length: count }, (_, i) => ({ startUs: at(i), endUs: at(i + 1) }));
}

/** A range is never lower than this part of its panel: small ranges matter as often as large ones. */
export const LEAST_HEIGHT = 1 / 8;

/** Rows for each range by its size, at least `least`; `rows` in all if that is enough. */
export function shareRows(ranges: readonly PageRange[], rows: number, least: number): number[] {
  const sizes = ranges.map(({ startPage, endPage }) => endPage - startPage);
  const isSmall = sizes.map(() => false);
  for (;;) {
    const free = rows - isSmall.filter(Boolean).length * least;
    const pages = sizes.reduce((sum, size, i) => (isSmall[i] ? sum : sum + size), 0);
    const wanted = sizes.map((size, i) => (isSmall[i] ? least : (free * size) / pages));
    const next = wanted.findIndex((want, i) => !isSmall[i] && !(want >= least));
    if (next < 0) return withRoundedSum(wanted, least);
    isSmall[next] = true;
  }
}

function withRoundedSum(wanted: readonly number[], least: number): number[] {
  let sum = 0;
  return wanted.map((want) => {
    const before = Math.round(sum);
    sum += want;
    return Math.max(least, Math.round(sum) - before);
  });
}

/** The top of the colour scale: at least the largest share shown. */
export function scaleTop(cells: readonly Cells[]): number {
  let largest = 0;
  for (const { shares } of cells) for (const share of shares) if (share > largest) largest = share;
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((top) => largest <= top * 1.0001) ?? 1;
}

/** The title in parts: as many of them are shown as have room. */

export function titleParts({ source, startUs, endUs, panels, isFlat }: HeatMap): string[] {
  const snapshots = panels.reduce((sum, { sums }) => sum + sums.snapshots, 0);
  return [
    printable(source.name),
    `${printable(source.check)} check`,
    ...(isFlat ? ['flat per mapping'] : []),
    `${formatDuration(endUs - startUs)} in ${snapshots} snapshot${snapshots === 1 ? '' : 's'}`,
    ...(source.startedAt === '' ? [] : [`started ${startTime(source.startedAt)}`]),
  ];
}

function startTime(iso: string): string {
  return printable(iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'));
}

export function panelName({ sums: { target } }: Panel): string {
  return nameOfProcess(target);
}

export function panelParts(panel: Panel, { choice }: HeatMap): string[] {
  const { shownBytes, watchedBytes, leftOut, sums, accessesShown } = panel;
  const shown = `${formatBytes(shownBytes)} of ${formatBytes(watchedBytes)} watched`;
  return [
    choice === 'hottest' && sums.accessed > 0 ? `the hottest ${shown}` : shown,
    sums.accessed === 0 ? 'never accessed' : `${formatShare(accessesShown)} of the accesses`,
    ...(leftOut.length > 0 ? [`${leftOut.length} smaller ranges left out`] : []),
  ];
}

/** What is not in the picture; undefined if everything is. */
export function leftOutText({ leftOut: { targets, accesses } }: HeatMap): string | undefined {
  if (targets === 0) return undefined;
  const who = targets === 1 ? '1 more process' : `${targets} more processes`;
  return `left out: ${who} with ${formatShare(accesses)} of the accesses; use --panels or --pid to choose`;
}

export function gapText(bytes: number): string {
  return `${formatBytes(bytes)} cut out`;
}

/** What a share is a part of. */
export function sharesOf({ isFlat }: HeatMap): string {
  return isFlat ? 'resident memory' : 'samples';
}
