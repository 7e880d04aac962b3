import { HEAT_COLOURS, heatIn, hex, type Theme } from '../colour.js';
import type { PageRange } from '../heat-strip.js';
import { nameOfRange } from '../region-mappings.js';
import { clip } from '../terminal-text.js';
import {
  type Cells,
  cellsOfPanel,
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
  spansOf,
  titleParts,
} from './heat-map.js';

/** A cell: from and to in us, from and to in bytes, accessed share, age in us, index in `names` (-1 if not known). */
export type ChartCell = readonly [number, number, number, number, number, number, number];

export interface ChartRange {
  readonly startBytes: number;
  readonly endBytes: number;
  readonly cells: readonly ChartCell[];
  /** Mappings in order: from, to, in bytes, and a short name. */
  readonly mapped: readonly (readonly [number, number, string])[];
  /** The gap that was cut out between this range and the one below. */
  readonly gap: string | undefined;
}

export interface ChartPanel {
  readonly heading: string;
  /** In address order. */
  readonly ranges: readonly ChartRange[];
  /** Of each range, in parts of the panel's height. */
  readonly heights: readonly number[];
}

/** All that a chart shows, as plain data, which the page carries too. Texts are printable, but not escaped for HTML. */
export interface ChartData {
  readonly title: string;
  readonly subtitle: string;
  /** What is not in the picture; empty if everything is. */
  readonly footnote: string;
  readonly startUs: number;
  readonly endUs: number;
  /** The share at the top of the colour scale, and what it is a part of. */
  readonly top: number;
  readonly sharesOf: string;
  readonly names: readonly string[];
  readonly panels: readonly ChartPanel[];
  readonly colours: {
    readonly background: string;
    readonly text: string;
    readonly dim: string;
    readonly line: string;
    readonly never: string;
    readonly scale: readonly string[];
  };
}

interface ChartDetail {
  readonly columns: number;
  /** Of a panel. */
  readonly rows: number;
  /** Not interactive: cells of one colour are merged. */
  readonly isStill: boolean;
}

const NAME_COLUMNS = 60;
const SHORT_NAME_COLUMNS = 22;

export function chartDataOf(map: HeatMap, theme: Theme, detail: ChartDetail): ChartData {
  const { columns, rows, isStill } = detail;
  const names = new Map<string, number>();
  const cells = map.panels.map((panel) => cellsOfPanel(panel, rows, spansOf(panel.sums, columns)));
  const top = scaleTop(cells.flat());
  const panels = map.panels.map((panel, i) => {
    const detailed = panelOf(panel, map, cells[i]!, names);
    if (!isStill) return detailed;
    return {
      ...detailed,
      ranges: detailed.ranges.map((each) => ({ ...each, cells: joined(each.cells, top) })),
    };
  });
  return {
    title: `pagepulse heat map: ${clip(titleParts(map)[0]!, NAME_COLUMNS)}`,
    subtitle: titleParts(map).slice(1).join('  '),
    footnote: leftOutText(map) ?? '',
    startUs: map.startUs,
    endUs: map.endUs,
    top,
    sharesOf: sharesOf(map),
    names: [...names.keys()],
    panels,
    colours: coloursOf(theme),
  };
}

function panelOf(
  panel: Panel,
  map: HeatMap,
  cells: readonly Cells[],
  names: Map<string, number>,
): ChartPanel {
  const { ranges, sums } = panel;
  const bytes = (pages: number) => pages * sums.pageSize;
  return {
    heading: [panelName(panel), ...panelParts(panel, map)].join('  '),
    heights: shareRows(ranges, 1_000, 1_000 * LEAST_HEIGHT).map((part) => part / 1_000),
    ranges: ranges.map((range, i) => {
      const nameIndices = rowNames(panel, cells[i]!, names);
      const before = ranges[i - 1];
      return {
        startBytes: bytes(range.startPage),
        endBytes: bytes(range.endPage),
        cells: chartCells(cells[i]!, nameIndices, sums.pageSize),
        mapped: mappedIn(panel, range),
        gap: before && gapText(bytes(range.startPage - before.endPage)),
      };
    }),
  };
}

/** The index in `names` of what each row is mapped as. */
function rowNames({ sums: { mappings } }: Panel, { rowEdges }: Cells, names: Map<string, number>): number[] {
  return Array.from({ length: rowEdges.length - 1 }, (_, row) => {
    if (mappings.length === 0) return -1;
    const name = nameOfRange(mappings, rowEdges[row]!, rowEdges[row + 1]!, NAME_COLUMNS);
    const index = names.get(name) ?? names.size;
    names.set(name, index);
    return index;
  });
}

/** Equal rows of one time are one cell: most lie in the same region. */
function chartCells({ rowEdges, spans, shares, agesUs }: Cells, names: readonly number[], pageSize: number) {
  const rows = names.length;
  const cells: ChartCell[] = [];
  spans.forEach(({ startUs, endUs }, column) => {
    for (let row = 0; row < rows; ) {
      const first = row;
      const [share, age] = [shares[column * rows + row]!, agesUs[column * rows + row]!];
      const isSame = (other: number) =>
        shares[column * rows + other] === share &&
        agesUs[column * rows + other] === age &&
        names[other] === names[first];
      do row++;
      while (row < rows && isSame(row));
      if (Number.isNaN(share)) continue;
      const [from, to] = [rowEdges[first]! * pageSize, rowEdges[row]! * pageSize];
      cells.push([startUs, endUs, from, to, Number(share.toPrecision(4)), Math.round(age), names[first]!]);
    }
  });
  return cells;
}

/**
 * Cells that touch in time or address and have one colour, within a 250th of the scale, are one.
 *
 * @param cells by time, then by address, unlike the result
 */
function joined(cells: readonly ChartCell[], top: number): ChartCell[] {
  const open = new Map<string, ChartCell>();
  const closed: ChartCell[] = [];
  for (const [startUs, endUs, from, to, share] of stacked(cells, top)) {
    const key = `${from} ${to} ${share}`;
    const before = open.get(key);
    if (before && before[1] !== startUs) closed.push(before);
    const isLonger = before?.[1] === startUs;
    open.set(key, [isLonger ? before[0] : startUs, endUs, from, to, share, 0, -1]);
  }
  return [...closed, ...open.values()];
}

/** Neighbours in address that have one share, as one. */
function stacked(cells: readonly ChartCell[], top: number): ChartCell[] {
  const step = top / 250;
  const columns: ChartCell[] = [];
  for (const [startUs, endUs, from, to, exact] of cells) {
    const share = exact === 0 ? 0 : Math.max(1, Math.round(exact / step)) * step;
    const last = columns.at(-1);
    const isSame = last && last[0] === startUs && last[3] === from && last[4] === share;
    if (isSame) columns[columns.length - 1] = [startUs, endUs, last[2], to, share, 0, -1];
    else columns.push([startUs, endUs, from, to, share, 0, -1]);
  }
  return columns;
}

/** Neighbours of the same name are one. */
function mappedIn({ sums: { mappings, pageSize } }: Panel, range: PageRange) {
  const mapped: [number, number, string][] = [];
  for (const mapping of mappings) {
    const from = Math.max(mapping.startPage, range.startPage);
    const to = Math.min(mapping.endPage, range.endPage);
    if (to <= from) continue;
    const name = nameOfRange([mapping], from, to, SHORT_NAME_COLUMNS);
    const last = mapped.at(-1);
    if (last && last[1] === from * pageSize && last[2] === name) last[1] = to * pageSize;
    else mapped.push([from * pageSize, to * pageSize, name]);
  }
  return mapped;
}

function coloursOf(theme: Theme): ChartData['colours'] {
  const colours =
    theme === 'dark'
      ? { background: '#0d1117', text: '#e6edf3', dim: '#9da7b3', line: '#57606a' }
      : { background: '#ffffff', text: '#1f2328', dim: '#59636e', line: '#afb8c1' };
  const scale = Array.from({ length: HEAT_COLOURS }, (_, i) =>
    hex(heatIn(theme, Math.max(i / (HEAT_COLOURS - 1), Number.MIN_VALUE))),
  );
  return { ...colours, never: hex(heatIn(theme, 0)), scale };
}
