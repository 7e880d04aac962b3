import { TREND_LENGTH } from './model.js';
import { type Figures, type GroupRow, type ProcessRow, shareOf, sumOfKnown, type TopRow } from './rows.js';

/** Which rows there are, and in which order. */
export interface RowQuery {
  readonly sort: SortKey;
  readonly isReversed: boolean;
  readonly group: GroupKind;
  /** A part of the name, command line or process id, in any case; empty for all. */
  readonly filter: string;
  /** The most rows, without the processes of expanded groups. */
  readonly limit: number;
  /** Keys of the groups whose processes are shown. */
  readonly expanded: ReadonlySet<string>;
}

export interface SelectedRows {
  readonly rows: readonly TopRow[];
  /** Processes that match the filter, and rows that the limit left out. */
  readonly matching: number;
  readonly leftOut: number;
}

export function selectRows(
  processes: readonly ProcessRow[],
  { sort, isReversed, group, filter, limit, expanded }: RowQuery,
  nameOf: NameOfProcess = () => undefined,
): SelectedRows {
  const matching = filterRows(processes, filter);
  const all: readonly TopRow[] = group === 'none' ? matching : groupRows(matching, group, expanded, nameOf);
  const sorted = sortRows(all, sort, isReversed);
  const rows = sorted.slice(0, limit).flatMap((row) => {
    if (row.kind === 'process' || !row.isExpanded) return [row];
    const members = sortRows(row.members, sort, isReversed);
    return [row, ...members.map((member) => ({ ...member, isMember: true }))];
  });
  return { rows, matching: matching.length, leftOut: Math.max(0, sorted.length - limit) };
}

function filterRows(rows: readonly ProcessRow[], filter: string): readonly ProcessRow[] {
  if (filter === '') return rows;
  const wanted = filter.toLowerCase();
  return rows.filter(
    ({ pid, name, cmdline }) =>
      String(pid).includes(wanted) ||
      name.toLowerCase().includes(wanted) ||
      cmdline.join(' ').toLowerCase().includes(wanted),
  );
}

/** The keys that sort the table, in the order of its columns. */
export const SORT_KEYS = [
  'pid',
  'name',
  'resident',
  'ws',
  'share',
  'hot',
  'cold',
  'shared',
  'trend',
  'cost',
] as const;

export type SortKey = (typeof SORT_KEYS)[number];

/** Figures descend, names and process ids ascend. */
const isAscending = (key: SortKey) => key === 'pid' || key === 'name';

/** Equal rows are in the order of process ids or names, so that they do not jump. */
function sortRows<Row extends TopRow>(rows: readonly Row[], key: SortKey, isReversed: boolean): Row[] {
  const sign = isAscending(key) === isReversed ? -1 : 1;
  return rows
    .map((row) => ({ row, value: key === 'name' ? 0 : figureOf(row, key) }))
    .sort((a, b) => {
      const difference =
        key === 'name' ? compareText(a.row.name, b.row.name) : compareNumbers(a.value, b.value, sign);
      return (key === 'name' ? sign * difference : difference) || compareIdentity(a.row, b.row);
    })
    .map(({ row }) => row);
}

/** Unknown figures come last either way. */
function compareNumbers(a: number, b: number, sign: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return sign * (a - b);
}

function figureOf(row: TopRow, key: Exclude<SortKey, 'name'>): number {
  switch (key) {
    case 'pid':
      return row.kind === 'process' ? row.pid : row.members.length;
    case 'resident':
      return row.residentBytes ?? Number.NaN;
    case 'ws':
      return row.workingSetBytes ?? Number.NaN;
    case 'share':
      return shareOf(row) ?? Number.NaN;
    case 'hot':
      return row.hotBytes ?? Number.NaN;
    case 'cold':
      return row.coldBytes ?? Number.NaN;
    case 'shared':
      return row.sharedBytes ?? Number.NaN;
    case 'trend':
      return growthOf(row.trend);
    case 'cost':
      return row.costPercent ?? Number.NaN;
  }
}

/** By how many bytes the working set has grown over the trend: means of its halves, because single values jump. */
function growthOf(trend: readonly (number | null)[]): number {
  const known = trend.filter((value) => value !== null);
  const half = known.length >> 1;
  if (half === 0) return known.length === 0 && trend.length > 0 ? Number.NaN : 0;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return mean(known.slice(-half)) - mean(known.slice(0, half));
}

/** By code unit: the same everywhere, and ten times faster than by the rules of a language. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareIdentity(a: TopRow, b: TopRow): number {
  if (a.kind === 'process' && b.kind === 'process') return a.pid - b.pid || a.id - b.id;
  return compareText(a.key, b.key);
}

export const GROUP_KINDS = ['none', 'name', 'cgroup', 'parent'] as const;

/** What processes of one group have in common; `none` for no groups. */
export type GroupKind = (typeof GROUP_KINDS)[number];

/** The name of a parent, if it is known. */
export type NameOfProcess = (pid: number) => string | undefined;

/**
 * One row a group, in no order, with the sums of its processes.
 *
 * @param expanded keys of the groups that show their processes
 */
function groupRows(
  rows: readonly ProcessRow[],
  kind: Exclude<GroupKind, 'none'>,
  expanded: ReadonlySet<string>,
  nameOf: NameOfProcess,
): GroupRow[] {
  const members = new Map<string, ProcessRow[]>();
  for (const row of rows) {
    const name = groupOf(row, kind, nameOf);
    const group = members.get(name);
    if (group) group.push(row);
    else members.set(name, [row]);
  }
  return Array.from(members, ([name, group]) => {
    const key = `${kind} ${name}`;
    return { kind: 'group', key, name, members: group, isExpanded: expanded.has(key), ...sumOf(group) };
  });
}

function groupOf(row: ProcessRow, kind: Exclude<GroupKind, 'none'>, nameOf: NameOfProcess): string {
  if (kind === 'name') return row.name;
  if (kind === 'cgroup') return row.cgroup ?? 'unknown';
  if (row.parentPid === undefined) return 'unknown';
  const name = nameOf(row.parentPid);
  return name === undefined ? String(row.parentPid) : `${row.parentPid} ${name}`;
}

/** A page that several of them share counts for each. Processes that have ended do not count. */
function sumOf(members: readonly ProcessRow[]): Figures {
  const running = members.filter(({ hasEnded }) => !hasEnded);
  const sum = (figure: (row: ProcessRow) => number | undefined) => sumOfKnown(running.map(figure));
  return {
    residentBytes: sum((row) => row.residentBytes),
    workingSetBytes: sum((row) => row.workingSetBytes),
    hotBytes: sum((row) => row.hotBytes),
    coldBytes: sum((row) => row.coldBytes),
    unseenBytes: sum((row) => row.unseenBytes),
    // Pages are also shared within a group, so the sum would not tell how many are shared with others.
    sharedBytes: undefined,
    costPercent: sum((row) => row.costPercent),
    trend: sumOfTrends(running.map(({ trend }) => trend).filter((trend) => trend.length > 0)),
  };
}

/** Aligned at the latest values; a shorter trend is extended by its first value. Null if none is known. */
function sumOfTrends(trends: readonly (readonly (number | null)[])[]): (number | null)[] {
  const length = Math.min(TREND_LENGTH, Math.max(0, ...trends.map((trend) => trend.length)));
  return Array.from({ length }, (_, i) => {
    const at = (trend: readonly (number | null)[]) => trend[Math.max(0, trend.length - length + i)];
    return sumOfKnown(trends.map((trend) => at(trend) ?? undefined)) ?? null;
  });
}
