import { formatDuration } from '../units.js';
import type { ChartData, ChartPanel, ChartRange } from './chart-data.js';

/**
 * Where the parts of a chart lie, in pixels, and what stands at its axes. It runs in the page too (html.ts), so it imports
 * only what runs there.
 */

// Names are in single quotes: it becomes an attribute in double quotes.
export const FONT = "'Roboto Mono',ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace";
export const FONT_SIZE = 12;
/** Of the font, in parts of its size. */
export const CHARACTER_WIDTH = 0.6;
export const MARGIN = 20;
/** Of the page, at the top right. */
export const ICONS = 110;
export const LEFT = 116;
const RIGHT = 28;
/** For the names of mappings. */
const RIGHT_WITH_NAMES = 190;
const TOP = 66;
const BOTTOM = 76;
const HEADING = 28;
const TIME_AXIS = 36;
export const GAP = 26;
/** Labels are at least this far apart. */
const LABEL_HEIGHT = 17;

export interface ChartSize {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedRange {
  readonly range: ChartRange;
  readonly box: Box;
  readonly isLowest: boolean;
}

/** In a narrower chart the legend does not fit. */
export const LEAST_WIDTH = 700;

/** The height that all labels of a chart need. */
export function leastHeight({ panels }: ChartData): number {
  return panels.reduce(
    (sum, panel) => sum + fixedHeight(panel) + 60 + 30 * panel.ranges.length,
    TOP + BOTTOM,
  );
}

function fixedHeight(panel: ChartPanel): number {
  return HEADING + TIME_AXIS + GAP * (panel.ranges.length - 1);
}

/** The place of each range, the highest addresses of a panel at its top; grids are numbered in this order. */
export function placeRanges(data: ChartData, { width, height }: ChartSize): PlacedRange[] {
  const right = hasNames(data) ? RIGHT_WITH_NAMES : RIGHT;
  const fixed = data.panels.reduce((sum, panel) => sum + fixedHeight(panel), TOP + BOTTOM);
  const free = (height - fixed) / data.panels.length;
  const placed: PlacedRange[] = [];
  let top = TOP;
  for (const panel of data.panels) {
    top += HEADING;
    for (let i = panel.ranges.length - 1; i >= 0; i--) {
      const box = {
        left: LEFT,
        top,
        width: width - LEFT - right,
        height: Math.round(free * panel.heights[i]!),
      };
      placed.push({ range: panel.ranges[i]!, box, isLowest: i === 0 });
      top += box.height + (i > 0 ? GAP : TIME_AXIS);
    }
  }
  return placed;
}

function hasNames({ panels }: ChartData): boolean {
  return panels.some(({ ranges }) => ranges.some(({ mapped }) => mapped.length > 0));
}

const DAY_US = 86_400e6;
const TIME_STEPS_US = [
  ...[1, 10, 100, 1e3, 10e3, 100e3, 1e6].flatMap((us) => [us, 2 * us, 5 * us]),
  ...[10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200].map((s) => s * 1e6),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((days) => days * DAY_US),
];

/** Round times from start to end, about `count` of them or fewer. */
export function timeTicks(startUs: number, endUs: number, count: number): number[] {
  const step =
    TIME_STEPS_US.find((us) => (endUs - startUs) / us <= count) ?? (endUs - startUs) / Math.max(1, count);
  return ticks(startUs, endUs, step);
}

/** Round addresses (multiples of a power of two, at least 4,096) from start to end, about `count` of them or fewer. */
export function addressTicks(startBytes: number, endBytes: number, count: number): number[] {
  let step = 4_096;
  while ((endBytes - startBytes) / step > count) step *= 2;
  return ticks(startBytes, endBytes, step);
}

function ticks(start: number, end: number, step: number): number[] {
  const first = Math.ceil(start / step);
  return Array.from(
    { length: Math.max(0, Math.floor(end / step) - first + 1) },
    (_, i) => (first + i) * step,
  );
}

const KEYS = Object.getOwnPropertyNames(Object.prototype);

/**
 * Text that is safe as a key. The chart library caches the widths of texts, and of the starts it cuts them to, in an
 * ordinary object: a mapping called `__proto__` would change Object.prototype. A space in front makes it harmless.
 */
export function keyless(text: string): string {
  return KEYS.some((key) => text.startsWith(key)) ? ` ${text}` : text;
}

/** Ticks at round times. The library would choose decimal ones, and round microseconds are not round minutes. */
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

/** Ticks at round addresses; if fewer than two are in sight, at the first and the last. */
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

/** The names of mappings beside them: larger ones first, as far as there is room. */
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
