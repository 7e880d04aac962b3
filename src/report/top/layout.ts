import { printable } from '../../core/printable.js';
import { bold, type ColourMode, dim, inverse, legendLine } from '../colour.js';
import { formatCost, formatInForce, waitingParts } from '../status-text.js';
import { clip, joinFitting, pad } from '../terminal-text.js';
import { formatBytes, formatDuration, formatProcesses, tidy } from '../units.js';
import { isEnded, type PlacedColumn, placeColumns } from './columns.js';
import type { TopState } from './model.js';
import type { RowQuery, SelectedRows } from './query.js';
import type { TopRow } from './rows.js';

export interface LayoutOptions {
  /** Columns of the terminal, at least 1. */
  readonly width: number;
  readonly colour: ColourMode;
}

/** What the table on a terminal shows beside its rows. */
export interface LiveOptions extends LayoutOptions {
  /** Rows of the terminal, at least 1. */
  readonly height: number;
  /** Index of the first visible row, and of the selected one; -1 for none. */
  readonly first: number;
  readonly selected: number;
  readonly isFrozen: boolean;
  readonly isHelp: boolean;
  /** A filter is being typed. */
  readonly isTyping: boolean;
}

/** Title, sums and heading above the rows; keys below. */
const LINES_ABOVE = 3;
const LINES_BELOW = 1;
const SELECTED = '>';
const ENDED = 'x';

/** Rows of the table in a terminal of this height, at least one. */
export function rowsThatFit(height: number): number {
  return Math.max(1, height - LINES_ABOVE - LINES_BELOW);
}

/** The table as lines that fit the terminal. Only rows that are visible are laid out. */
export function renderTop(
  state: TopState,
  query: RowQuery,
  { rows, ...counts }: SelectedRows,
  options: LiveOptions,
): string[] {
  const { width, height, colour, first, selected, isFrozen, isHelp } = options;
  const above = [titleLine(state, options), summaryLine(state, query, counts, isFrozen, width)];
  const below = bottomLine(query, options);
  if (isHelp) return [...[...above, ...helpLines(width, colour)].slice(0, height - LINES_BELOW), below];
  const visible = rows.slice(first, first + rowsThatFit(height));
  const columns = placeColumns(width, visible, showsShared(state));
  const lines = visible.map((row, i) => rowLine(row, columns, first + i === selected, options));
  const filled = [...above, headingLine(columns, query, options), ...lines];
  while (filled.length < height - LINES_BELOW) filled.push('');
  return [...filled.slice(0, height - LINES_BELOW), below].slice(-height);
}

/** All rows as a block of text without control sequences, for a file or a pipe. */
export function renderTopPlain(
  state: TopState,
  query: RowQuery,
  selected: SelectedRows,
  width: number,
): string {
  const options: LayoutOptions = { width, colour: 'none' };
  const columns = placeColumns(width, selected.rows, showsShared(state));
  const lines = [
    titleLine(state, options),
    summaryLine(state, query, selected, false, width),
    headingLine(columns, query, options),
    ...selected.rows.map((row) => rowLine(row, columns, false, options)),
    legendLine(width, 'none'),
    '',
  ];
  return lines.map((line) => line.trimEnd()).join('\n');
}

function showsShared({ rows }: TopState): boolean {
  return rows.some(({ sharedBytes }) => sharedBytes !== undefined);
}

function titleLine({ latest, rows, dueInUs }: TopState, { width, colour }: LayoutOptions): string {
  if (!latest)
    return bold(joinFitting(['pagepulse top', ...waitingParts(rows.length, dueInUs)], width), colour);
  const { check, stats, endUs } = latest;
  const cost = formatCost(stats);
  const parts = ['pagepulse top', `${check} check`, ...(cost ? [`cost ${cost}`] : [])];
  parts.push(formatDuration(tidy(endUs, 1e5)), formatInForce(stats.inForce));
  if (stats.overruns > 0) parts.push(`overruns ${stats.overruns}`);
  if (stats.lostSamplers > 0) parts.push(`samplers lost ${stats.lostSamplers}`);
  return bold(joinFitting(parts, width), colour);
}

function summaryLine(
  { totals, skipped }: TopState,
  { sort, isReversed, group, filter }: RowQuery,
  { matching, leftOut }: Omit<SelectedRows, 'rows'>,
  isFrozen: boolean,
  width: number,
): string {
  const { processes, pending, unknown, residentBytes, workingSetBytes } = totals;
  const sum = (bytes: number, isBound: boolean) => `${isBound ? '<= ' : ''}${formatBytes(bytes)}`;
  const nothing = pending > 0 ? 'pending' : unknown > 0 ? 'not known' : '-';
  const parts = [formatProcesses(processes)];
  if (isFrozen) parts.unshift('frozen');
  parts.push(
    `resident ${residentBytes === undefined ? '-' : sum(residentBytes, totals.isUpperBound)}`,
    `working set ${workingSetBytes === undefined ? nothing : sum(workingSetBytes, totals.isWorkingSetUpperBound)}`,
  );
  if (pending > 0 && workingSetBytes !== undefined) parts.push(`${pending} pending`);
  if (unknown > 0 && workingSetBytes !== undefined) parts.push(`${unknown} not known`);
  if (filter !== '') parts.push(`${matching} with '${printable(filter)}'`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (leftOut > 0) parts.push(`${leftOut} left out`);
  parts.push(`by ${sort}${isReversed ? ' reversed' : ''}`);
  if (group !== 'none') parts.push(`grouped by ${group}`);
  return joinFitting(parts, width);
}

/** The title of the column that rows are sorted by is in capitals. */
function headingLine(
  columns: readonly PlacedColumn[],
  { sort, group }: RowQuery,
  { width, colour }: LayoutOptions,
): string {
  const titles = columns.map(({ column, width: room }) => {
    const title = column.key === 'pid' && group !== 'none' ? 'count' : column.title;
    return pad(column.key === sort ? title.toUpperCase() : title, room, column.isLeft);
  });
  return dim(clip(` ${titles.join(' ')}`.trimEnd(), width), colour);
}

function rowLine(
  row: TopRow,
  columns: readonly PlacedColumn[],
  isSelected: boolean,
  { width, colour }: LayoutOptions,
): string {
  const hasEnded = isEnded(row);
  const cells = columns
    .filter(({ column }) => column.key !== 'heat')
    .map(({ column, width: room }) => pad(column.cell(row, room, colour), room, column.isLeft));
  const text = clip((isSelected ? SELECTED : hasEnded ? ENDED : ' ') + cells.join(' '), width);
  const shown = isSelected ? inverse(text, colour) : hasEnded ? dim(text, colour) : text;
  const heat = columns.find(({ column }) => column.key === 'heat');
  return heat ? `${shown} ${heat.column.cell(row, heat.width, colour)}` : shown;
}

function bottomLine({ filter }: RowQuery, { width, colour, isTyping, isHelp }: LiveOptions): string {
  if (isTyping) return clip(`filter: ${printable(filter)}_  (Enter keeps it, Esc ends it)`, width);
  const hint = isHelp ? 'Esc back' : 'arrows  Enter open  / filter  g group  space freeze  ? help  q quits';
  const short = isHelp ? hint : '? help  q quits';
  return legendLine(width, colour, width >= 110 ? hint : short);
}

/** Keys and what they do. With the columns below, the help fits a terminal of 80 by 24. */
const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['arrows up and down', 'select a row; PgUp, PgDn, Home, End work too'],
  ['Enter', 'open a process, or unfold a group'],
  ['Esc, q', 'back; q quits from the table'],
  ['left, right', 'sort by the previous or next column, or by a letter:'],
  ['p n m w s h c t x', 'pid, name, resident, working, share, hot, cold, trend, cost'],
  ['r', 'reverse the order'],
  ['/', 'filter by name, command line or pid; Esc ends it'],
  ['g', 'group by name, cgroup, parent, or not'],
  ['space', 'freeze or unfreeze the table'],
  ['Ctrl-L', 'redraw the screen'],
];

const COLUMNS: readonly (readonly [title: string, what: string])[] = [
  ['working', 'memory accessed in the last aggregation interval; - is not known'],
  ['share', 'working set / resident'],
  ['hot', 'accessed in at least half of the samples; - with one look an interval'],
  ['cold 5m', 'resident, and not accessed for 5 minutes or more'],
  ['shared', 'resident memory that other watched processes have too'],
  ['trend', 'working set after the last snapshots, from 0 to its largest'],
  ['cost', 'its part of the cost of watching, of one core'],
  ['heat', 'memory by address, cold to hot; if counted by mapping, end to end'],
];

const KEYS_WIDTH = 20;
const TITLE_WIDTH = 9;

function helpLines(width: number, colour: ColourMode): string[] {
  const lines = [
    ...KEYS.map(([keys, what]) => keys.padEnd(KEYS_WIDTH) + what),
    '',
    ...COLUMNS.map(([title, what]) => title.padEnd(TITLE_WIDTH) + what),
    'sums     marked <=, and groups, count shared memory for each process',
  ];
  return [bold(clip('Keys and columns', width), colour), ...lines.map((line) => clip(line, width))];
}
