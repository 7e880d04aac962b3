/** What a terminal can show. */
export type ColourMode = 'truecolor' | '256' | 'none';

/**
 * Points of a map from dark violet over red to pale yellow: its lightness grows evenly, so that it reads the same in
 * grey and to colour-blind people, and each end differs from a dark and a light background.
 */
const HEAT: readonly (readonly [number, number, number])[] = [
  [66, 10, 104],
  [106, 23, 110],
  [147, 38, 103],
  [188, 55, 84],
  [221, 81, 58],
  [243, 120, 25],
  [252, 165, 10],
  [246, 215, 70],
];

/** Memory that was not accessed at all stands apart from what was accessed a little. */
const COLD: readonly [number, number, number] = [58, 58, 68];

const RESET = '\x1b[0m';

/** The colour of a share of accesses, 0 .. 1, as red, green, blue, 0 .. 255. */
export function heatColour(share: number): readonly [number, number, number] {
  if (share <= 0) return COLD;
  const at = Math.min(1, share) * (HEAT.length - 1);
  const below = HEAT[Math.floor(at)]!;
  const above = HEAT[Math.ceil(at)]!;
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(below[channel] + (above[channel] - below[channel]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}

/** One character a cell: a coloured block, or a digit: 0 for not accessed at all, 1 to 9 for a little to always. */
export function paint(shares: Float64Array, mode: ColourMode): string {
  if (mode === 'none') return Array.from(shares, digit).join('');
  let line = '';
  let last = '';
  for (const share of shares) {
    const code = foreground(heatColour(share), mode);
    line += code === last ? '█' : `${code}█`;
    last = code;
  }
  return line + RESET;
}

function digit(share: number): string {
  return share <= 0 ? '0' : String(Math.max(1, Math.min(9, Math.round(share * 9))));
}

function foreground([red, green, blue]: readonly [number, number, number], mode: ColourMode): string {
  if (mode === 'truecolor') return `\x1b[38;2;${red};${green};${blue}m`;
  const step = (channel: number) => Math.round((channel / 255) * 5);
  return `\x1b[38;5;${16 + 36 * step(red) + 6 * step(green) + step(blue)}m`;
}

export function bold(text: string, mode: ColourMode): string {
  return mode === 'none' ? text : `\x1b[1m${text}${RESET}`;
}

export function dim(text: string, mode: ColourMode): string {
  return mode === 'none' ? text : `\x1b[2m${text}${RESET}`;
}
