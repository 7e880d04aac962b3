import type { ChartData, ChartPanel, ChartRange } from './chart-data.js';

/** Where the parts of a chart lie. In pixels. */

// Names in single quotes: it becomes an attribute in double ones.
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
/** Labels closer than this are too close. */
export const LABEL_HEIGHT = 17;

export interface ChartSize {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export interface Box {
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

/** Narrower, and its legend does not fit. */
export const LEAST_WIDTH = 700;

/** How high a chart must be for all its labels. */
export function leastHeight({ panels }: ChartData): number {
  return panels.reduce(
    (sum, panel) => sum + fixedHeight(panel) + 60 + 30 * panel.ranges.length,
    TOP + BOTTOM,
  );
}

function fixedHeight(panel: ChartPanel): number {
  return HEADING + TIME_AXIS + GAP * (panel.ranges.length - 1);
}

/** Where each range lies, the highest addresses of a panel at its top; grids are numbered in this order. */
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
