import { formatBytes } from '../../src/report/units.js';
import type { Result } from './run.js';

const COLUMNS = [
  'pattern',
  'size',
  'adaptation',
  'precision',
  'recall',
  'working-set error',
  'in the interval',
  'its width',
  'first',
  'lag',
  'samples',
];

/** The head of the table, in markdown. */
export const HEAD: readonly string[] = [line(COLUMNS), `|${'---|'.repeat(COLUMNS.length)}`];

/** Runs that differ by their seeds as one row: medians, and the worst in parentheses. */
export function rowOf(results: readonly Result[]): string {
  const [{ pattern, totalBytes, adaptation }] = results as [Result];
  const of = (pick: (result: Result) => number | null) => results.map((result) => pick(result) ?? Number.NaN);
  return line([
    pattern,
    formatBytes(totalBytes),
    adaptation,
    spread(
      of(({ precision }) => precision),
      Math.min,
      share,
    ),
    spread(
      of(({ recall }) => recall),
      Math.min,
      share,
    ),
    spread(
      of(({ wssError }) => wssError),
      Math.max,
      share,
    ),
    text(median(of(({ coverage }) => coverage)), share),
    text(median(of(({ width }) => width)), share),
    spread(
      of(({ firstAbove90 }) => firstAbove90 ?? Number.POSITIVE_INFINITY),
      Math.max,
      whole,
    ),
    text(median(results.flatMap(({ lags }) => lags)), whole),
    text(median(of(({ samples }) => samples)), whole),
  ]);
}

function spread(
  values: readonly number[],
  worst: (...values: number[]) => number,
  format: (value: number) => string,
) {
  return `${text(median(values), format)} (${text(worst(...values), format)})`;
}

function text(value: number, format: (value: number) => string): string {
  if (Number.isNaN(value)) return '';
  return Number.isFinite(value) ? format(value) : 'never';
}

function share(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(3);
}

function whole(value: number): string {
  return value.toFixed(0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
