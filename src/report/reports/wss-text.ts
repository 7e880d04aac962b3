import { renderChart } from '../chart.js';
import { sparkline } from '../sparkline.js';
import { renderTable } from '../table.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import type { SourceSummary } from './report.js';
import type { Spread } from './series.js';
import {
  count,
  headingOf,
  leftOut,
  NO_SNAPSHOTS,
  nameOfProcess,
  tidy,
  UNSEEN_KINDS,
  unknownNotes,
  warmUpNotes,
} from './text.js';
import type { WorkingSet, WssResult } from './wss.js';

const CHART_ROWS = 8;
/** Of a process. */
const TREND_CELLS = 12;
const NOT_KNOWN = 'not known';

/** The processes with the largest working sets, their sum, and the sum over time. */
export function renderWss(source: SourceSummary, result: WssResult, limit: number): string {
  const { all, processes } = result;
  const heading = headingOf(source, processes.length);
  if (!all) return `${heading}\n${NO_SNAPSHOTS}\n`;
  const largest = [...processes].sort((a, b) => (b.bytes?.p95 ?? -1) - (a.bytes?.p95 ?? -1));
  const shown = largest.slice(0, limit);
  const rows = shown.map((process) => rowOf(nameOfProcess(process, 16), process));
  if (processes.length > 1) rows.push(rowOf(`all ${processes.length}`, all));
  const table = renderTable(
    [['process', 'p50', 'p95', 'max', 'resident', 'needs', 'over time'], ...rows],
    [0, 6],
  );
  const parts = [
    `${heading}\nWorking set: memory ${whatCounts(result)}`,
    table + leftOut(largest.length, shown.length, 'processes'),
    ...notesOf(result),
    ...(all.bytes
      ? [percentilesOf(all, all.bytes), needsOf(all, all.bytes, result), chartOf(all, processes.length)]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function whatCounts({ minAccessShare, isCounted, isResidentKnown }: WssResult): string {
  if (isCounted) return 'accessed in a snapshot, counted by mapping';
  const regions = isResidentKnown ? 'resident in regions' : 'in regions';
  if (minAccessShare === 0) return `${regions} accessed`;
  return `${regions} found accessed in ${formatShare(minAccessShare)} of the samples or more`;
}

function rowOf(name: string, { bytes, residentP95Bytes, overTime }: WorkingSet): string[] {
  return [
    name,
    ...(bytes ? [bytes.p50, bytes.p95, bytes.max].map(formatBytes) : [NOT_KNOWN, '-', '-']),
    residentP95Bytes === null ? '-' : formatBytes(residentP95Bytes),
    residentP95Bytes && bytes ? percentOrMore(bytes.p95 / residentP95Bytes) : '-',
    sparkline(inCells(overTime.values, TREND_CELLS), TREND_CELLS),
  ];
}

/** What a person must know of the figures. */
function notesOf({ all, processes, isCounted, minAccessShare }: WssResult): string[] {
  const notes = [
    ...unknownNotes(processes),
    ...warmUpNotes(processes.filter(({ unknown }) => unknown === null)),
  ];
  if (isCounted && minAccessShare > 0)
    notes.push('--min-access chooses nothing here: there is one look a snapshot, so no share of samples.');
  if (all?.sharedFileBytes)
    notes.push(
      `Of the mean, ${formatBytes(all.sharedFileBytes)} are in mappings of files, which others may have accessed:`,
      'the kernel remembers that a page was accessed, not by whom.',
    );
  if (all?.unseenBytes)
    notes.push(
      `Not seen: ${formatBytes(all.unseenBytes)} resident (${UNSEEN_KINDS}),`,
      'which may be in use and count in no working set.',
    );
  return notes.length > 0 ? [notes.join('\n')] : [];
}

function percentilesOf({ interval }: WorkingSet, bytes: Spread): string {
  const names = ['min', 'p5', 'p25', 'p50', 'p75', 'p95', 'p99', 'max'] as const;
  const table = renderTable([names, names.map((name) => formatBytes(bytes[name]))], []);
  const range = interval && [interval.lowBytes, interval.highBytes].map(formatBytes).join(' and ');
  const mean = range
    ? `\nThe mean is ${formatBytes(bytes.mean)}, with 95 % confidence between ${range}.`
    : '';
  return `Percentiles of the time, in sum\n${table}${mean}`;
}

function needsOf({ residentP95Bytes }: WorkingSet, { p95 }: Spread, result: WssResult): string {
  const { processes, isResidentKnown } = result;
  const many =
    processes.length > 1
      ? `\nPages that several of these ${processes.length} processes map count for each of them.`
      : '';
  if (residentP95Bytes === null)
    return `Needs ${formatBytes(p95)} (p95). How much is resident was not recorded.${many}`;
  const isOver = !isResidentKnown && p95 > residentP95Bytes;
  const over = isOver ? ':\nwhole regions, which hold memory that is not resident' : '';
  return (
    `Needs ${formatBytes(p95)} of ${formatBytes(residentP95Bytes)} resident, for 95 % of the time` +
    `${residentP95Bytes > 0 && !isOver ? ` (${formatShare(p95 / residentP95Bytes)})` : over}.${many}`
  );
}

function chartOf({ overTime: { startUs, stepUs, values } }: WorkingSet, processes: number): string {
  const shown = values.length > 60 ? inCells(values, 60) : values;
  const ends = [startUs, startUs + stepUs * values.length].map((us) => formatDuration(tidy(us))) as [
    string,
    string,
  ];
  const whose = processes > 1 ? `, sum of ${count(processes, 'process', 'processes')}` : '';
  return `Working set over time${whose}\n${renderChart(shown, CHART_ROWS, formatBytes, ends)}`;
}

/** As many values as there are cells: means of neighbours. Unknown ones are null, at the ends as well. */
function inCells(values: readonly (number | null)[], cells: number): (number | null)[] {
  return Array.from({ length: Math.min(cells, values.length) }, (_, i) => {
    const [from, to] = [i, i + 1].map((at) =>
      Math.floor((at * values.length) / Math.min(cells, values.length)),
    );
    const known = values.slice(from, to).filter((value) => value !== null);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  });
}

/** Above 100 % only in older records, which count whole regions. */
function percentOrMore(share: number): string {
  return share > 1.005 ? '>100 %' : formatShare(share);
}
