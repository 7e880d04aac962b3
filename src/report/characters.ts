/** The characters of pictures that not every terminal has. Each takes one column. */
export interface Characters {
  /** Where text was cut. */
  readonly ellipsis: string;
  /** A bar beside its axis: a whole cell, and eighths of one from 1 to 7, as strings of these. */
  readonly axis: string;
  readonly bar: string;
  readonly barEighths: readonly string[];
  /** Columns from an eighth of a line up to a whole one. */
  readonly levels: readonly string[];
  /** On a time axis. */
  readonly tick: string;
  /** Two cells in one character; undefined where a line has one row of cells. */
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
  // A bar is whole cells; anything that is there at all shows.
  barEighths: [...'---####'],
  levels: [...'_.-=+*%#'],
  tick: '|',
  halves: undefined,
};

let inUse = UNICODE;

/** What pictures are made of. */
export function characters(): Characters {
  return inUse;
}

/** Uses ASCII alone from now on, or all characters again. */
export function useAscii(isAscii: boolean): void {
  inUse = isAscii ? ASCII : UNICODE;
}

/**
 * Whether the locale is one of UTF-8, by the first of LC_ALL, LC_CTYPE and LANG that is set and not empty (POSIX.1-2017,
 * Base Definitions 8.2). Without any of them it is the C locale, which is not.
 */
export function isUtf8(env: NodeJS.ProcessEnv): boolean {
  return /(^|\.)utf-?8(@|$)/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}
