import { shareOf, type TopRow } from './rows.js';

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
