import { clip } from './terminal-text.js';

/** What a terminal can show: 16 million colours, the 256 of xterm, or text alone. */
export type ColourMode = 'truecolor' | '256' | 'none';

/**
 * Points of a map from violet over red and orange to yellow. Its lightness (CIE L*) grows in about even steps from 26 to
 * 87: equal differences look equal, it reads the same in grey and to colour-blind people, and neither end is lost on a
 * dark or a light background.
 */
const HEAT: readonly (readonly [red: number, green: number, blue: number])[] = [
  [106, 23, 110],
  [147, 38, 103],
  [188, 55, 84],
  [221, 81, 58],
  [243, 120, 25],
  [252, 165, 10],
  [246, 215, 70],
];

/** The same scale in xterm's palette, lightness 28 to 87; picked by hand, for its steps are too coarse to compute. */
const HEAT_256 = [89, 125, 161, 166, 202, 208, 214, 220];

/** A dot tells memory that was never accessed from memory accessed a little on any background. */
const NEVER = '.';
const NO_REGION = ' ';
const DIM = '\x1b[2m';
const INVERSE = '\x1b[7m';
const RESET = '\x1b[0m';

/** The colour of a share of accesses, 0 .. 1, as red, green, blue, 0 .. 255. */
export function heatColour(share: number): readonly [red: number, green: number, blue: number] {
  const at = Math.max(0, Math.min(1, share)) * (HEAT.length - 1);
  const below = HEAT[Math.floor(at)]!;
  const above = HEAT[Math.ceil(at)]!;
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(below[channel] + (above[channel] - below[channel]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}

/**
 * One column per share: a space if no region lies there (NaN), a dot if nothing was accessed (0), else a coloured cell.
 * Without colour the cell is the first decimal of the share: 0 for less than 10 %, 9 for 90 % and more. Resets the
 * terminal's attributes at the end.
 */
export function paint(shares: ArrayLike<number>, mode: ColourMode): string {
  let line = '';
  let last = '';
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i]!;
    const code = codeOf(share, mode);
    if (code !== last) line += last === '' ? code : RESET + code;
    last = code;
    line += characterOf(share, mode);
  }
  return last === '' ? line : line + RESET;
}

function characterOf(share: number, mode: ColourMode): string {
  if (Number.isNaN(share)) return NO_REGION;
  if (share <= 0) return NEVER;
  return mode === 'none' ? String(Math.min(9, Math.floor(share * 10))) : ' ';
}

const MIN_LEGEND_CELLS = 5;
/** Never, and a cell for every digit. */
const MAX_LEGEND_CELLS = 11;

/** What the colours or digits mean, and at the right end of the line which keys there are. */
export function legendLine(width: number, colour: ColourMode, hint = ''): string {
  const [before, after] = ['accessed: never ', ' always'];
  const right = hint === '' ? '' : `  ${hint}`;
  const room = width - before.length - after.length - right.length;
  if (room < MIN_LEGEND_CELLS) return dim(clip(hint, width), colour);
  const cells = Math.min(room, MAX_LEGEND_CELLS);
  const gap = hint === '' ? '' : ' '.repeat(room - cells);
  return dim(before, colour) + paint(legendShares(cells), colour) + dim(after + gap + right, colour);
}

/** The shares of a legend with this many cells: never, then the middles of equal parts of the scale. */
export function legendShares(cells: number): Float64Array {
  return Float64Array.from({ length: cells }, (_, i) => (i === 0 ? 0 : (i - 0.5) / (cells - 1)));
}

/** Cells are coloured as background: that leaves no seams, and needs no character that a font may lack. */
function codeOf(share: number, mode: ColourMode): string {
  if (mode === 'none' || Number.isNaN(share)) return '';
  if (share <= 0) return DIM;
  if (mode === 'truecolor') return `\x1b[48;2;${heatColour(share).join(';')}m`;
  return `\x1b[48;5;${HEAT_256[Math.min(HEAT_256.length - 1, Math.floor(share * HEAT_256.length))]}m`;
}

export function bold(text: string, mode: ColourMode): string {
  return mode === 'none' || text === '' ? text : `\x1b[1m${text}${RESET}`;
}

export function dim(text: string, mode: ColourMode): string {
  return mode === 'none' || text === '' ? text : DIM + text + RESET;
}

/** Foreground and background exchanged: the selected row. */
export function inverse(text: string, mode: ColourMode): string {
  return mode === 'none' || text === '' ? text : INVERSE + text + RESET;
}

export const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];
export type Rgb = readonly [red: number, green: number, blue: number];

/** Points of the scale, between which colours are mixed. */
export const HEAT_COLOURS = 13;

/** Watched, but never accessed: unlike the background, which was not watched, and unlike the least heat. */
const NEVER_COLOUR: Readonly<Record<Theme, Rgb>> = { dark: [28, 33, 41], light: [240, 242, 245] };

/**
 * The colour of a share of the scale, 0 .. 1. Hot memory stands out most: it is lightest on a dark background, and darkest
 * on a light one.
 */
export function heatIn(theme: Theme, share: number): Rgb {
  return share <= 0 ? NEVER_COLOUR[theme] : heatColour(theme === 'dark' ? share : 1 - share);
}

export function hex(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** The nearest of xterm's 256 colours: of its cube of 216, or its 24 shades of grey. */
export function xtermColour([red, green, blue]: Rgb): number {
  const levels = [0, 95, 135, 175, 215, 255];
  const nearest = (channel: number) =>
    levels.reduce(
      (best, level, i) => (Math.abs(level - channel) < Math.abs(levels[best]! - channel) ? i : best),
      0,
    );
  const [r, g, b] = [nearest(red), nearest(green), nearest(blue)];
  const grey = Math.max(0, Math.min(23, Math.round(((red + green + blue) / 3 - 8) / 10)));
  const distance = (...rgb: Rgb) => (rgb[0] - red) ** 2 + (rgb[1] - green) ** 2 + (rgb[2] - blue) ** 2;
  const level = 8 + 10 * grey;
  const isGrey = distance(level, level, level) < distance(levels[r]!, levels[g]!, levels[b]!);
  return isGrey ? 232 + grey : 16 + 36 * r + 6 * g + b;
}
