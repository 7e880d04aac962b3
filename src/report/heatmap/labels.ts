import { formatDuration } from '../units.js';
import type { ChartData, ChartRange } from './chart-data.js';
import { type Box, LABEL_HEIGHT } from './layout.js';
import { addressTicks, timeTicks } from './ticks.js';

/** What stands at the axes, for the part of a range that is in sight: in the page it changes with each zoom. */

const KEYS = Object.getOwnPropertyNames(Object.prototype);

/**
 * Text for the chart library, which caches the widths of texts, and of the beginnings it cuts them to, in an ordinary object
 * by the text. A mapping called `__proto__` would then change Object.prototype; with a space in front it is a key like any.
 */
export function keyless(text: string): string {
  return KEYS.some((key) => text.startsWith(key)) ? ` ${text}` : text;
}

/** Ticks at round times. Axes choose decimal ones themselves: of microseconds, those are no round minutes. */
export function timeLabels(startUs: number, endUs: number, { width }: Box, isShown: boolean, color: string) {
  const customValues = timeTicks(startUs, endUs, Math.max(2, Math.floor(width / 90)));
  return {
    axisTick: { show: isShown, customValues },
    axisLabel: {
      show: isShown,
      customValues,
      color,
      hideOverlap: true,
      formatter: (us: number) => (us === 0 ? '0' : formatDuration(us)),
    },
  };
}

/** Ticks at round addresses; where fewer than two are in sight, at the first and the last. */
export function addressLabels(startBytes: number, endBytes: number, { height }: Box, color: string) {
  const count = Math.max(1, Math.floor(height / (2.5 * LABEL_HEIGHT)));
  const ticks = addressTicks(startBytes, endBytes, count);
  const ends = height >= 2 * LABEL_HEIGHT ? [startBytes, endBytes] : [startBytes];
  const customValues = ticks.length > 1 ? ticks : ends;
  return {
    axisTick: { show: true, customValues },
    axisLabel: {
      show: true,
      customValues,
      color,
      formatter: (bytes: number) => Math.round(bytes).toString(16),
    },
  };
}

/** The names of mappings beside them: of the larger ones first, as far as there is room. */
export function nameLabels(
  { colours }: ChartData,
  { mapped }: ChartRange,
  startBytes: number,
  endBytes: number,
  { height }: Box,
) {
  const perPixel = (endBytes - startBytes) / height;
  const seen = mapped
    .map(([from, to, name]) => ({ from: Math.max(from, startBytes), to: Math.min(to, endBytes), name }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => b.to - b.from - (a.to - a.from));
  const labels = new Map<number, string>();
  for (const { from, to, name } of seen) {
    const middle = (from + to) / 2;
    const isFree = [...labels.keys()].every((other) => Math.abs(other - middle) >= LABEL_HEIGHT * perPixel);
    if (isFree) labels.set(middle, keyless(name));
    if (labels.size * LABEL_HEIGHT > height) break;
  }
  const customValues = [...labels.keys()];
  return {
    axisTick: { show: customValues.length > 0, customValues },
    axisLabel: {
      show: customValues.length > 0,
      customValues,
      color: colours.dim,
      formatter: (middle: number) => labels.get(middle) ?? '',
    },
  };
}
