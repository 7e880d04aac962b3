import {
  bold,
  type ColourMode,
  dim,
  heatIn,
  legendShares,
  paint,
  type Rgb,
  type Theme,
  xtermColour,
} from '../colour.js';
import { nameOfRange } from '../region-mappings.js';
import { characters, clip, columnsOf, joinFitting } from '../terminal-text.js';
import { formatDuration, formatShare } from '../units.js';
import {
  type Cells,
  cellsOf,
  equalSpans,
  gapText,
  type HeatMap,
  LEAST_HEIGHT,
  leftOutText,
  type Panel,
  panelName,
  panelParts,
  scaleTop,
  shareRows,
  sharesOf,
  titleParts,
} from './heat-map.js';
import { timeTicks } from './layout.js';

export interface TerminalOptions {
  /** Columns, at least 20. */
  readonly width: number;
  /** Lines of each panel's cells. */
  readonly lines: number;
  readonly colour: ColourMode;
  readonly theme: Theme;
}

const ADDRESS_WIDTH = 12;
const NAMES_WIDTH = 22;
const MIN_CELLS = 20;
const LEGEND_CELLS = 11;
/** In a narrower terminal the cells need the columns. */
const WIDTH_FOR_NAMES = 72;
const RESET = '\x1b[0m';

/** The picture as lines, none wider than the terminal. A line has one row of digits, or in colour two rows of cells. */
export function renderHeatMap(map: HeatMap, options: TerminalOptions): string[] {
  const { width, colour } = options;
  const laidOut = map.panels.map((panel) => layOut(panel, map, options));
  const top = scaleTop(laidOut.flatMap(({ cells }) => cells));
  const lines = [bold(joinFitting(['pagepulse heat map', ...titleParts(map)], width), colour)];
  for (const panel of laidOut) lines.push('', ...panelLines(panel, map, top, options));
  lines.push('', legend(top, sharesOf(map), options));
  const left = leftOutText(map);
  if (left) lines.push(dim(clip(left, width), colour));
  return lines;
}

interface LaidOut {
  readonly panel: Panel;
  readonly cells: readonly Cells[];
  /** Of the column of addresses; 0 without one. */
  readonly labelWidth: number;
  readonly columns: number;
  readonly namesWidth: number;
}

function rowsPerLine(colour: ColourMode): 1 | 2 {
  return colour === 'none' || !characters().halves ? 1 : 2;
}

function layOut(panel: Panel, map: HeatMap, { width, lines, colour }: TerminalOptions): LaidOut {
  const { sums, ranges } = panel;
  const hasNames = width >= WIDTH_FOR_NAMES && sums.mappings.length > 0;
  const namesWidth = hasNames ? NAMES_WIDTH : 0;
  const label = labelWidth(panel, width);
  const columns = Math.max(1, width - label - namesWidth);
  const spans = equalSpans(map, columns);
  const forCells = Math.max(ranges.length, lines - ranges.length + 1);
  const rows = shareRows(ranges, forCells, Math.max(1, Math.floor(forCells * LEAST_HEIGHT)));
  const cells = ranges.map((range, i) => cellsOf(sums, range, rows[i]! * rowsPerLine(colour), spans));
  return { panel, cells, labelWidth: label, columns, namesWidth };
}

function labelWidth({ sums, ranges }: Panel, width: number): number {
  const digits = ranges.map(({ endPage }) => (endPage * sums.pageSize).toString(16).length);
  const label = Math.max(ADDRESS_WIDTH, ...digits) + 1;
  return width - label >= MIN_CELLS ? label : 0;
}

function panelLines(laidOut: LaidOut, map: HeatMap, top: number, options: TerminalOptions): string[] {
  const { panel, cells, columns, labelWidth: label } = laidOut;
  const { pageSize } = panel.sums;
  const { width, colour } = options;
  const lines = [bold(joinFitting([panelName(panel), ...panelParts(panel, map)], width), colour)];
  for (let i = cells.length - 1; i >= 0; i--) {
    lines.push(...rangeLines(laidOut, cells[i]!, top, options));
    if (i === 0) break;
    const gap = (panel.ranges[i]!.startPage - panel.ranges[i - 1]!.endPage) * pageSize;
    lines.push(' '.repeat(label) + dim(clip(`~~ ${gapText(gap)} ~~`, columns), colour));
  }
  lines.push(' '.repeat(label) + dim(timeAxis(map, columns), colour));
  return lines;
}

/** From high addresses to low. A line is labelled with its lowest address. */
function rangeLines(laidOut: LaidOut, cells: Cells, top: number, options: TerminalOptions): string[] {
  const { colour } = options;
  const { pageSize, mappings } = laidOut.panel.sums;
  const rows = cells.rowEdges.length - 1;
  const step = rowsPerLine(colour);
  const lines: string[] = [];
  let named = '';
  for (let upper = rows - 1; upper >= 0; upper -= step) {
    const lower = Math.max(0, upper - step + 1);
    const startPage = cells.rowEdges[lower]!;
    const address = (startPage * pageSize).toString(16).padStart(laidOut.labelWidth - 1);
    const label = laidOut.labelWidth > 0 ? dim(`${address} `, colour) : '';
    const name =
      laidOut.namesWidth > 0
        ? nameOfRange(mappings, startPage, cells.rowEdges[upper + 1]!, laidOut.namesWidth - 1)
        : '';
    lines.push(
      label +
        paintRow(cells, upper, step === 2 ? upper - 1 : -1, top, options) +
        (name === named ? '' : dim(` ${name}`, colour)),
    );
    named = name;
  }
  return lines;
}

/** @param lower the row of the lower half of the line; -1 for none */
function paintRow(cells: Cells, upper: number, lower: number, top: number, options: TerminalOptions): string {
  const { spans, shares, rowEdges } = cells;
  const rows = rowEdges.length - 1;
  if (options.colour === 'none')
    return paint(
      spans.map((_, i) => shares[i * rows + upper]! / top),
      'none',
    );
  let line = '';
  let last = '';
  for (let i = 0; i < spans.length; i++) {
    const above = colourOf(shares[i * rows + upper]!, top, options.theme);
    const below =
      lower < 0
        ? characters().halves
          ? undefined
          : above
        : colourOf(shares[i * rows + lower]!, top, options.theme);
    const { code, character } = halves(above, below, options.colour);
    if (code !== last) line += (last === '' ? '' : RESET) + code;
    last = code;
    line += character;
  }
  return last === '' ? line : line + RESET;
}

function colourOf(share: number, top: number, theme: Theme): Rgb | undefined {
  return Number.isNaN(share) ? undefined : heatIn(theme, share / top);
}

/** Two cells in one character. If both are alike it is a coloured space, which has no seam and needs no font. */
function halves(above: Rgb | undefined, below: Rgb | undefined, mode: ColourMode) {
  const of = (ground: 38 | 48, rgb: Rgb) =>
    mode === 'truecolor' ? `${ground};2;${rgb.join(';')}` : `${ground};5;${xtermColour(rgb)}`;
  if (!above && !below) return { code: '', character: ' ' };
  if (!above) return { code: `\x1b[${of(38, below!)}m`, character: characters().halves!.lower };
  if (!below) return { code: `\x1b[${of(38, above)}m`, character: characters().halves!.upper };
  const [front, back] = [of(38, above), of(48, below)];
  if (front.slice(2) === back.slice(2)) return { code: `\x1b[${back}m`, character: ' ' };
  return { code: `\x1b[${front};${back}m`, character: characters().halves!.upper };
}

/** Each label begins at its time. */
function timeAxis({ startUs, endUs }: HeatMap, columns: number): string {
  let line = '';
  for (const us of timeTicks(startUs, endUs, Math.max(2, Math.floor(columns / 12)))) {
    const at = Math.round(((us - startUs) / (endUs - startUs)) * columns);
    const label = `${characters().tick}${us === 0 ? '0' : formatDuration(us)}`;
    if (at + columnsOf(label) > columns || (line !== '' && at < line.length + 2)) continue;
    line = line.padEnd(at) + label;
  }
  return line;
}

function legend(top: number, whole: string, { width, colour, theme }: TerminalOptions): string {
  const [before, after] = ['accessed: never ', ` ${formatShare(top)} of ${whole}`];
  const note = '   blank: not watched   addresses grow upwards';
  if (before.length + LEGEND_CELLS + after.length > width)
    return dim(clip(`0 to ${formatShare(top)}`, width), colour);
  const scale = [...legendShares(LEGEND_CELLS)];
  const cell = (share: number) => `${halves(heatIn(theme, share), heatIn(theme, share), colour).code} `;
  const painted = colour === 'none' ? paint(scale, 'none') : scale.map(cell).join('') + RESET;
  const rest = clip(after + note, width - before.length - LEGEND_CELLS);
  return dim(before, colour) + painted + dim(rest, colour);
}
