import { type GroupKind, groupRows, type NameOfProcess } from './groups.js';
import { type SortKey, sortRows } from './order.js';
import type { ProcessRow, TopRow } from './rows.js';

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
