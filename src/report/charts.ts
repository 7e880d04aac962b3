import { characters, renderBar } from './terminal-text.js';

/**
 * A quantity over time as columns of blocks, from 0 to the largest value, which is the label of the top line. Unknown
 * values are left empty; any value above 0 is visible.
 *
 * @param values one per column
 * @param ends labels below the left and the right end
 */
export function renderChart(
  values: readonly (number | null)[],
  rows: number,
  format: (value: number) => string,
  ends: readonly [left: string, right: string],
): string {
  const largest = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  const labels = [format(largest), format(0)];
  const width = Math.max(...labels.map((label) => label.length));
  const lines = Array.from({ length: rows }, (_, i) => {
    const label = i === 0 ? labels[0]! : i === rows - 1 ? labels[1]! : '';
    const blocks = values.map((value) => blockOf(value, largest, rows, rows - 1 - i));
    return `${label.padStart(width)} ${characters().axis}${blocks.join('').trimEnd()}`;
  });
  const gap = ' '.repeat(Math.max(1, values.length - ends[0].length - ends[1].length));
  return [...lines, `${' '.repeat(width + 2)}${ends[0]}${gap}${ends[1]}`].join('\n');
}

/** The block of a column in the row that has `rowsBelow` below it. */
function blockOf(value: number | null, largest: number, rows: number, rowsBelow: number): string {
  const eighths = value ? Math.max(1, Math.round((value / largest) * rows * 8)) : 0;
  return eighths <= 8 * rowsBelow ? ' ' : characters().levels[Math.min(7, eighths - 8 * rowsBelow - 1)]!;
}

/** A histogram on its side: rows of a name, a bar, and the value. */
export function renderBars(
  rows: readonly { readonly name: string; readonly value: number }[],
  cells: number,
  format: (value: number) => string,
): string {
  const largest = rows.reduce((max, { value }) => Math.max(max, value), 0);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, value }) => {
      const bar = renderBar(largest > 0 ? (cells * value) / largest : 0);
      return `${name.padStart(width)} ${characters().axis}${bar} ${format(value)}`;
    })
    .join('\n');
}

/**
 * The last `cells` values as a line of bars from 0 to the largest of them, right-aligned, so that the latest is at the right
 * end. Zero has the lowest bar, any value above it a higher one; unknown values are left empty.
 */
export function sparkline(values: readonly (number | null)[], cells: number): string {
  const shown = values.slice(-Math.max(0, cells));
  if (cells <= 0) return '';
  const { levels } = characters();
  const largest = Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => {
    if (value === null) return ' ';
    if (!(value > 0)) return levels[0]!;
    return levels[Math.min(7, Math.max(1, Math.round((value / largest) * 7)))]!;
  });
  return bars.join('').padStart(cells);
}
