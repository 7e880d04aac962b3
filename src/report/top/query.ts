import { TREND_LENGTH } from './model.js';
import { type Figures, type GroupRow, type ProcessRow, shareOf, type TopRow } from './rows.js';

/** Which rows there are, and in which order. */
export interface Selection {
  readonly sort: SortKey;
  readonly isReversed: boolean;
  readonly group: GroupKind;
  /** What name, command line or process id must hold, in large or small letters; empty for all. */
  readonly filter: string;
  /** Rows at most. */
  readonly limit: number;
  /** Keys of the groups that show their processes. */
  readonly expanded: ReadonlySet<string>;
}

export interface SelectedRows {
  readonly rows: readonly TopRow[];
  /** Processes that the filter lets through, and processes or groups that the limit left out. */
  readonly matching: number;
  readonly leftOut: number;
}

export function selectRows(
  processes: readonly ProcessRow[],
  { sort, isReversed, group, filter, limit, expanded }: Selection,
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

export function filterRows(rows: readonly ProcessRow[], filter: string): readonly ProcessRow[] {
  if (filter === '') return rows;
  const wanted = filter.toLowerCase();
  return rows.filter(
    ({ pid, name, cmdline }) =>
      String(pid).includes(wanted) ||
      name.toLowerCase().includes(wanted) ||
      cmdline.join(' ').toLowerCase().includes(wanted),
  );
}

/** What the table can be sorted by, in the order of its columns. */
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

/** Numbers begin with the largest, names and process ids with the first. */
const isAscending = (key: SortKey) => key === 'pid' || key === 'name';

/** Sorted anew; what is equal stays in the order of process ids or names, so that rows do not jump. */
export function sortRows<Row extends TopRow>(rows: readonly Row[], key: SortKey, isReversed: boolean): Row[] {
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

/** What is not known comes last either way. */
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

/** By how much the working set has grown over the trend, in bytes: its last half against its first, for single ones jump. */
function growthOf(trend: readonly (number | null)[]): number {
  const known = trend.filter((value) => value !== null);
  const half = known.length >> 1;
  if (half === 0) return known.length === 0 && trend.length > 0 ? Number.NaN : 0;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return mean(known.slice(-half)) - mean(known.slice(0, half));
}

/** By code unit: the same everywhere, and some ten times faster than by a language's rules. */
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

/** How a parent is called, where that is known. */
export type NameOfProcess = (pid: number) => string | undefined;

/**
 * One row a group, in no order, with the sums of its processes.
 *
 * @param expanded keys of the groups that show their processes
 */
export function groupRows(
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

/** Pages that several of them have count for each. What has ended does not count. */
function sumOf(members: readonly ProcessRow[]): Figures {
  const running = members.filter(({ hasEnded }) => !hasEnded);
  const sum = (figure: (row: ProcessRow) => number | undefined) => {
    const known = running.map(figure).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
  };
  return {
    residentBytes: sum((row) => row.residentBytes),
    workingSetBytes: sum((row) => row.workingSetBytes),
    hotBytes: sum((row) => row.hotBytes),
    coldBytes: sum((row) => row.coldBytes),
    unseenBytes: sum((row) => row.unseenBytes),
    // Within a group pages are shared, too: how many of them with others, the sum does not tell.
    sharedBytes: undefined,
    costPercent: sum((row) => row.costPercent),
    trend: sumOfTrends(running.map(({ trend }) => trend).filter((trend) => trend.length > 0)),
  };
}

/** The latest values belong together; a shorter trend had its first value before, too. Null where none is known. */
function sumOfTrends(trends: readonly (readonly (number | null)[])[]): (number | null)[] {
  const length = Math.min(TREND_LENGTH, Math.max(0, ...trends.map((trend) => trend.length)));
  return Array.from({ length }, (_, i) => {
    const known = trends
      .map((trend) => trend[Math.max(0, trend.length - length + i)] ?? null)
      .filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
}
