/**
 * Rows of text in columns as wide as their widest cell: the first to the left, the others, numbers mostly, to the right.
 *
 * @param rows the headings first, all of one length
 */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const BAR = '█';
/** Eighths of a character cell, from one on. */
const EIGHTHS = '▏▎▍▌▋▊▉';

/** A bar of this length in character cells, to an eighth. */
export function renderBar(cells: number): string {
  const eighths = Math.round(cells * 8);
  return BAR.repeat(eighths >> 3) + (eighths % 8 > 0 ? EIGHTHS[(eighths % 8) - 1] : '');
}
