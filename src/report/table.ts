import { characters, columnsOf } from './characters.js';

/**
 * Rows of text in columns as wide as their widest cell: the first to the left, the others, numbers mostly, to the right.
 *
 * @param rows the headings first, all of one length; printable
 * @param left the columns whose cells stand to the left
 */
export function renderTable(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, columnsOf(row[column]!)), 0),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const space = ' '.repeat(widths[column]! - columnsOf(cell));
          return left.includes(column) ? cell + space : space + cell;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A bar of this length in character cells, to an eighth. */
export function renderBar(cells: number): string {
  const { bar, barEighths } = characters();
  const eighths = Math.round(cells * 8);
  return bar.repeat(eighths >> 3) + (eighths % 8 > 0 ? barEighths[(eighths % 8) - 1] : '');
}
