import { renderChart } from '../chart.js';
import { sparkline } from '../sparkline.js';
import { renderTable } from '../table.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import type { SourceSummary } from './report.js';
import { count, headingOf, leftOut, NO_SNAPSHOTS, nameOfProcess, tidy } from './text.js';
import type { WorkingSet, WssResult } from './wss.js';

const CHART_ROWS = 8;
/** Of a process. */
const TREND_CELLS = 12;

/** The processes with the largest working sets, their sum, and the sum over time. */
export function renderWss(source: SourceSummary, result: WssResult, limit: number): string {
  const { all, processes, minAccessShare } = result;
  const heading = headingOf(source, processes.length);
  if (!all) return `${heading}\n${NO_SNAPSHOTS}\n`;
  const what =
    minAccessShare > 0
      ? `found accessed in ${formatShare(minAccessShare)} of the samples or more`
      : 'accessed';
  const largest = [...processes].sort((a, b) => b.bytes.p95 - a.bytes.p95);
  const shown = largest.slice(0, limit);
  const rows = shown.map((process) => rowOf(nameOfProcess(process, 16), process));
  if (processes.length > 1) rows.push(rowOf(`all ${processes.length}`, all));
  const table = renderTable(
    [['process', 'p50', 'p95', 'max', 'resident', 'needs', 'over time'], ...rows],
    [0, 6],
  );
  const parts = [
    `${heading}\nWorking set: memory in regions ${what}`,
    table + leftOut(largest.length, shown.length, 'processes'),
    percentilesOf(all),
    needsOf(all, processes.length),
    chartOf(all, processes.length),
  ];
  return `${parts.join('\n\n')}\n`;
}

function rowOf(name: string, { bytes, residentBytes, overTime }: WorkingSet): string[] {
  const { p50, p95, max } = bytes;
  return [
    name,
    ...[p50, p95, max].map(formatBytes),
    residentBytes === null ? '-' : formatBytes(residentBytes),
    residentBytes ? percentOrMore(p95 / residentBytes) : '-',
    sparkline(inCells(overTime.values, TREND_CELLS), TREND_CELLS),
  ];
}

function percentilesOf({ bytes, interval }: WorkingSet): string {
  const names = ['min', 'p5', 'p25', 'p50', 'p75', 'p95', 'p99', 'max'] as const;
  const table = renderTable([names, names.map((name) => formatBytes(bytes[name]))], []);
  const range = interval && [interval.lowBytes, interval.highBytes].map(formatBytes).join(' and ');
  const mean = range
    ? `\nThe mean is ${formatBytes(bytes.mean)}, with 95 % confidence between ${range}.`
    : '';
  return `Percentiles of the time, in sum\n${table}${mean}`;
}

function needsOf({ bytes: { p95 }, residentBytes }: WorkingSet, processes: number): string {
  const many =
    processes > 1 ? `\nPages that several of these ${processes} processes map count for each of them.` : '';
  if (residentBytes === null)
    return `Needs ${formatBytes(p95)} (p95). How much is resident was not recorded.${many}`;
  const over = p95 > residentBytes ? ':\nwhole regions, which hold memory that is not resident' : '';
  return (
    `Needs ${formatBytes(p95)} of ${formatBytes(residentBytes)} resident, for 95 % of the time` +
    `${residentBytes > 0 && over === '' ? ` (${formatShare(p95 / residentBytes)})` : over}.${many}`
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

function percentOrMore(share: number): string {
  return share > 1.005 ? '>100 %' : formatShare(share);
}
