import { TREND_LENGTH } from './model.js';
import type { Figures, GroupRow, ProcessRow } from './rows.js';

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
