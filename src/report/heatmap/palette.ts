import { heatColour } from '../colour.js';

export const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];
export type Rgb = readonly [red: number, green: number, blue: number];

/** Points of the scale, between which colours are mixed. */
export const HEAT_COLOURS = 13;

/** Watched, and not accessed once: apart from the background, which is what nobody watched, and from the least heat. */
const NEVER: Readonly<Record<Theme, Rgb>> = { dark: [28, 33, 41], light: [240, 242, 245] };

/**
 * The colour of a share of the scale, above 0 to 1. What is hot stands out most: it is the lightest on a dark background, and
 * the darkest on a light one.
 */
export function heatIn(theme: Theme, share: number): Rgb {
  return share <= 0 ? NEVER[theme] : heatColour(theme === 'dark' ? share : 1 - share);
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
