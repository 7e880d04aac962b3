import { markdown } from '../../../bench/report.js';
import type { Measured } from './measured.js';

const HEAD = [
  'workload',
  'method',
  'precision',
  'recall',
  'working set off by',
  'behind a change',
  'CPU',
  'CPU a sample',
  'slowdown',
];

/** The rows as a table in markdown. */
export function table(rows: readonly Measured[]): string {
  const cells = rows.map((row) => [
    `\`${row.workload}\``,
    row.method,
    figure(row.precision, (share) => share.toFixed(4)),
    figure(row.recall, (share) => share.toFixed(4)),
    figure(row.workingSetError, percent),
    figure(row.lagMs, (ms) => `${Math.round(ms)} ms`),
    figure(row.cpuPercent, (share) => percent(share / 100)),
    figure(row.usPerSample, (us) => `${us.toFixed(1)} us`),
    percent(row.slowdown),
  ]);
  return markdown(HEAD, cells);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function figure(value: number, text: (value: number) => string): string {
  return Number.isNaN(value) ? '' : text(value);
}
