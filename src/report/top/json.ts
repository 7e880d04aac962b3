import type { TopState } from './model.js';
import type { RowQuery, SelectedRows } from './query.js';
import { type Figures, isPending, type ProcessRow, shareOf, type TopRow } from './rows.js';

/** Of the documents of `pagepulse top --json`: it grows if a field changes its meaning, not if one is added. */
const TOP_JSON_VERSION = 1;

/** One update as a value for JSON (docs/design.md has its fields). Null is not known. */
export function topDocument(
  state: TopState,
  { sort, isReversed, group, filter }: RowQuery,
  selected: SelectedRows,
) {
  const { latest, totals, skipped, dueInUs } = state;
  const { rows, leftOut } = selected;
  const stats = latest?.stats;
  return {
    type: 'top',
    version: TOP_JSON_VERSION,
    atUs: latest?.endUs ?? null,
    check: latest?.check ?? null,
    sampleUs: stats?.inForce.attrs.sampleUs ?? null,
    aggrUs: stats?.inForce.attrs.aggrUs ?? null,
    chosenBy: stats?.inForce.reason ?? null,
    turns: stats ? (stats.inForce.turns ?? 1) : null,
    costPercent: rounded(stats?.recentCpuPercent ?? stats?.cpuPercent ?? null),
    sort,
    isReversed,
    group,
    filter,
    totals: {
      ...totals,
      residentBytes: totals.residentBytes ?? null,
      workingSetBytes: totals.workingSetBytes ?? null,
    },
    firstDueInUs: latest || dueInUs === undefined ? null : Math.round(dueInUs),
    skipped,
    leftOut,
    rows: rows.map(rowDocument),
  };
}

export type TopDocument = ReturnType<typeof topDocument>;

function rowDocument(row: TopRow) {
  return row.kind === 'process'
    ? processDocument(row)
    : {
        group: row.name,
        processes: row.members.length,
        pids: row.members.map(({ pid }) => pid),
        ...figures(row),
      };
}

function processDocument(row: ProcessRow) {
  return {
    pid: row.pid,
    startTime: row.startTime,
    name: row.name,
    cmdline: row.cmdline,
    parentPid: row.parentPid ?? null,
    cgroup: row.cgroup ?? null,
    isPending: isPending(row),
    hasEnded: row.hasEnded,
    regions: row.snapshot?.columns.startPages.length ?? null,
    unknown: row.unknown ?? null,
    ...figures(row),
  };
}

function figures(row: Figures) {
  return {
    residentBytes: row.residentBytes ?? null,
    workingSetBytes: row.workingSetBytes ?? null,
    share: rounded(shareOf(row) ?? null),
    hotBytes: row.hotBytes ?? null,
    coldBytes: row.coldBytes ?? null,
    unseenBytes: row.unseenBytes ?? null,
    sharedBytes: row.sharedBytes ?? null,
    costPercent: rounded(row.costPercent ?? null),
    trend: row.trend,
  };
}

/** To the precision of the measurement. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10_000) / 10_000;
}
