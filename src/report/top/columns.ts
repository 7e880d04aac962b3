import { printable } from '../../core/printable.js';
import { sparkline } from '../charts.js';
import { type ColourMode, paint } from '../colour.js';
import { denseStrip, heatStrip, rangesOf } from '../heat-strip.js';
import { clip, columnsOf } from '../terminal-text.js';
import { formatBytes, formatShare } from '../units.js';
import { TREND_LENGTH } from './model.js';
import type { SortKey } from './query.js';
import { isPending, type ProcessRow, shareOf, type TopRow } from './rows.js';

/** One column of the table; `heat` cannot be sorted by. */
export interface Column {
  readonly key: SortKey | 'heat';
  readonly title: string;
  readonly isLeft: boolean;
  /** In terminal columns. It gets more than the least if there is room. */
  readonly minWidth: number;
  readonly maxWidth: number;
  /** In a narrow terminal the columns with the largest numbers are dropped first. */
  readonly priority: number;
  /** Printable, and at most `width` wide without its attributes. */
  cell(row: TopRow, width: number, colour: ColourMode): string;
}

/** A column with its width. */
export interface PlacedColumn {
  readonly column: Column;
  readonly width: number;
}

const UNKNOWN = '-';
const MAX_NAME_WIDTH = 40;
const MAX_HEAT_WIDTH = 64;

/** A column of numbers, aligned to the right. */
function figure(key: SortKey, title: string, width: number, priority: number, cell: Column['cell']): Column {
  return { key, title, isLeft: false, minWidth: width, maxWidth: width, priority, cell };
}

/** From left to right. */
const COLUMNS: readonly Column[] = [
  figure('pid', 'pid', 7, 2, (row) => String(row.kind === 'process' ? row.pid : row.members.length)),
  {
    key: 'name',
    title: 'name',
    isLeft: true,
    minWidth: 8,
    maxWidth: MAX_NAME_WIDTH,
    priority: 0,
    cell: (row, width) => clip(nameOfRow(row), width),
  },
  figure('resident', 'resident', 8, 3, ({ residentBytes }) => bytes(residentBytes)),
  figure('ws', 'working', 8, 1, ({ workingSetBytes }) => bytes(workingSetBytes)),
  figure('share', 'share', 6, 4, (row) => share(shareOf(row))),
  figure('hot', 'hot', 8, 6, ({ hotBytes }) => bytes(hotBytes)),
  figure('cold', 'cold 5m', 8, 8, ({ coldBytes }) => bytes(coldBytes)),
  figure('shared', 'shared', 8, 9, ({ sharedBytes }) => bytes(sharedBytes)),
  {
    key: 'trend',
    title: 'trend',
    isLeft: false,
    minWidth: 8,
    maxWidth: TREND_LENGTH,
    priority: 7,
    cell: (row, width) => (isEnded(row) ? 'ended' : isPending(row) ? 'pending' : sparkline(row.trend, width)),
  },
  figure('cost', 'cost', 6, 10, ({ costPercent }) => cost(costPercent)),
  {
    key: 'heat',
    title: 'heat',
    isLeft: true,
    minWidth: 8,
    maxWidth: MAX_HEAT_WIDTH,
    priority: 5,
    cell: (row, width, colour) => (row.kind === 'process' ? paint(heatOf(row, width), colour) : ''),
  },
];

/** Every row begins with a character that marks the selected row and processes that have ended. */
const MARK_WIDTH = 1;

/**
 * The columns that fit, with their widths. Room that is left goes to the names, the heat strip and the trend.
 *
 * @param rows the visible ones, whose names decide how wide the names are
 */
export function placeColumns(width: number, rows: readonly TopRow[], showsShared: boolean): PlacedColumn[] {
  const showsHeat = rows.length === 0 || rows.some(({ kind }) => kind === 'process');
  const columns = COLUMNS.filter(
    ({ key }) => (key !== 'shared' || showsShared) && (key !== 'heat' || showsHeat),
  );
  const needed = () => columns.reduce((sum, { minWidth }) => sum + minWidth + 1, MARK_WIDTH - 1);
  while (columns.length > 1 && needed() > width) {
    const last = columns.reduce((a, b) => (b.priority > a.priority ? b : a));
    columns.splice(columns.indexOf(last), 1);
  }
  let left = width - needed();
  const extra = new Map<Column, number>();
  for (const key of ['name', 'heat', 'trend'] as const) {
    const column = columns.find((each) => each.key === key);
    if (!column || left <= 0) continue;
    const wanted =
      key === 'name' ? Math.max(0, ...rows.map((row) => columnsOf(nameOfRow(row)))) : column.maxWidth;
    const more = Math.max(0, Math.min(left, Math.min(wanted, column.maxWidth) - column.minWidth));
    extra.set(column, more);
    left -= more;
  }
  return columns.map((column) => ({ column, width: column.minWidth + (extra.get(column) ?? 0) }));
}

/** Printable. A sign before a group's name tells whether its processes are shown, indented below it. */
function nameOfRow(row: TopRow): string {
  const name = printable(row.name);
  if (row.kind === 'group') return `${row.isExpanded ? '-' : '+'} ${name}`;
  return row.isMember ? `  ${name}` : name;
}

export function isEnded(row: TopRow): boolean {
  return row.kind === 'process' ? row.hasEnded : row.members.every(({ hasEnded }) => hasEnded);
}

/**
 * All ranges of a process side by side, with gaps. Their lengths follow the square roots of their sizes, so that a stack
 * is visible beside a heap. If accesses are counted by mapping, its resident memory end to end.
 */
function heatOf({ snapshot, unknown }: ProcessRow, cells: number): Float64Array {
  const strip = new Float64Array(cells).fill(Number.NaN);
  if (!snapshot || unknown !== undefined) return strip;
  const { columns, maxNrAccesses } = snapshot;
  if (columns.accessedPages || columns.mappedPages) return denseStrip(columns, maxNrAccesses, cells);
  const ranges = rangesOf(columns).slice(0, Math.floor((cells + 1) / 2));
  const weights = ranges.map(({ startPage, endPage }) => Math.sqrt(endPage - startPage));
  let weightLeft = weights.reduce((sum, weight) => sum + weight, 0);
  let cellsLeft = cells - (ranges.length - 1);
  let at = 0;
  ranges.forEach(({ startPage, endPage }, i) => {
    const after = ranges.length - 1 - i;
    const wanted = Math.round((cellsLeft * weights[i]!) / weightLeft);
    const length = Math.max(1, Math.min(wanted, cellsLeft - after));
    strip.set(heatStrip(columns, maxNrAccesses, startPage, endPage, length), at);
    at += length + 1;
    cellsLeft -= length;
    weightLeft -= weights[i]!;
  });
  return strip;
}

function bytes(value: number | undefined): string {
  return value === undefined ? UNKNOWN : formatBytes(value);
}

function share(value: number | undefined): string {
  return value === undefined ? UNKNOWN : formatShare(value);
}

function cost(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  if (value >= 99.95) return `${Math.min(9_999, Math.round(value))} %`;
  return `${value.toFixed(value < 9.995 ? 2 : 1)} %`;
}
