/** Characters of pictures that not every terminal has. Each takes one column. */
interface Characters {
  /** In place of text that was cut. */
  readonly ellipsis: string;
  /** A bar beside its axis: a whole cell, and 1 to 7 eighths of one. */
  readonly axis: string;
  readonly bar: string;
  readonly barEighths: readonly string[];
  /** From an eighth of a line up to a whole one. */
  readonly levels: readonly string[];
  /** On a time axis. */
  readonly tick: string;
  /** Two cells in one character; undefined if a line has one row of cells. */
  readonly halves: { readonly upper: string; readonly lower: string } | undefined;
}

const UNICODE: Characters = {
  ellipsis: '…',
  axis: '▏',
  bar: '█',
  barEighths: [...'▏▎▍▌▋▊▉'],
  levels: [...'▁▂▃▄▅▆▇█'],
  tick: '╵',
  halves: { upper: '▀', lower: '▄' },
};

const ASCII: Characters = {
  ellipsis: '~',
  axis: '|',
  bar: '#',
  // Any part of a cell shows.
  barEighths: [...'---####'],
  levels: [...'_.-=+*%#'],
  tick: '|',
  halves: undefined,
};

let inUse = UNICODE;

/** The characters that pictures use now. */
export function characters(): Characters {
  return inUse;
}

/** Uses ASCII alone from now on, or all characters again. */
export function useAscii(isAscii: boolean): void {
  inUse = isAscii ? ASCII : UNICODE;
}

/**
 * Whether the locale uses UTF-8, by the first of LC_ALL, LC_CTYPE and LANG that is set and not empty (POSIX.1-2017, Base
 * Definitions 8.2). Without any of them it is the C locale, which does not.
 */
export function isUtf8(env: NodeJS.ProcessEnv): boolean {
  return /(^|\.)utf-?8(@|$)/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

const PLAIN = /^[\x20-\x7e]*$/;
const COMBINING = /^[\p{Mn}\p{Me}]$/u;
const HALF_WIDTH = /^[\uff61-\uffdc\uffe8-\uffee]$/;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\u30fb\u30fc\ufe30-\ufe6f\uff01-\uffe6]$/u;

/** Columns of printable text in a terminal: two for a Chinese, Japanese or Korean character or an emoji. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

function columnsOfCharacter(character: string): 0 | 1 | 2 {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) && !HALF_WIDTH.test(character) ? 2 : 1;
}

/** Printable text, cut to at most this many columns, with an ellipsis. */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns < 1) return '';
  let kept = '';
  let left = columns - 1;
  for (const character of text) {
    left -= columnsOfCharacter(character);
    if (left < 0) break;
    kept += character;
  }
  return kept + characters().ellipsis;
}

/** Printable text in exactly this many columns, cut if it is longer. */
export function pad(text: string, columns: number, isLeft: boolean): string {
  const fitting = clip(text, columns);
  const space = ' '.repeat(Math.max(0, columns - columnsOf(fitting)));
  return isLeft ? fitting + space : space + fitting;
}

/** As many of the parts as fit into a line; of the first one what fits. */
export function joinFitting(parts: readonly string[], width: number): string {
  let line = clip(parts[0]!, width);
  for (const part of parts.slice(1)) {
    if (columnsOf(line) + 2 + columnsOf(part) > width) break;
    line += `  ${part}`;
  }
  return line;
}

/**
 * A table whose columns are as wide as their widest cells, for numbers mostly.
 *
 * @param rows the headings first, all of one length; printable
 * @param left the columns that are aligned to the left
 */
export function renderTable(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, columnsOf(row[column]!)), 0),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column]!, left.includes(column)))
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
