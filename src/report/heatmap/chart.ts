import type { CustomSeriesRenderItem, EChartsOption } from 'echarts';
import { formatBytes, formatDuration } from '../units.js';
import type { ChartCell, ChartData, ChartRange } from './chart-data.js';
import {
  addressLabels,
  CHARACTER_WIDTH,
  type ChartSize,
  FONT,
  FONT_SIZE,
  GAP,
  ICONS,
  keyless,
  LEFT,
  MARGIN,
  nameLabels,
  type PlacedRange,
  placeRanges,
  timeLabels,
} from './layout.js';

/**
 * The chart of a heat map, for ECharts: one grid per range, stacked by address, with a common time. The same code makes
 * the SVG in Node and runs in the page (html.ts), so it imports only what runs there.
 *
 * @param isPage with tooltips and zooming
 */
export function chartOption(data: ChartData, size: ChartSize, isPage: boolean): EChartsOption {
  const { colours } = data;
  const placed = placeRanges(data, size);
  const text = { fontFamily: FONT, fontSize: FONT_SIZE };
  const scale = size.width < 900 ? { left: MARGIN, length: 100 } : { left: LEFT, length: 180 };
  return {
    animation: false,
    backgroundColor: colours.background,
    textStyle: text,
    aria: { enabled: true, label: { description: `${data.title}. ${data.subtitle}` } },
    title: titles(data, placed, size.width),
    grid: placed.map(({ box }) => ({ ...box, containLabel: false })),
    xAxis: placed.map(({ isLowest, box }, i) => ({
      gridIndex: i,
      type: 'value' as const,
      min: data.startUs,
      max: data.endUs,
      splitLine: { show: false },
      axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
      ...timeLabels(data.startUs, data.endUs, box, isLowest, colours.dim),
      ...(i === placed.length - 1 && {
        name: 'time since the start',
        nameLocation: 'middle' as const,
        nameGap: 28,
        nameTextStyle: { ...text, color: colours.dim },
      }),
    })),
    yAxis: placed.flatMap(({ range, box }, i) => [
      { ...yAxis(data, range, i), ...addressLabels(range.startBytes, range.endBytes, box, colours.dim) },
      {
        ...yAxis(data, range, i),
        position: 'right' as const,
        ...nameLabels(data, range, range.startBytes, range.endBytes, box),
      },
    ]),
    series: series(data, placed, isPage),
    visualMap: {
      type: 'continuous',
      seriesIndex: placed.map((_, i) => 2 * i),
      dimension: 4,
      min: 0,
      max: data.top,
      inRange: { color: [...colours.scale] },
      calculable: isPage,
      orient: 'horizontal',
      left: scale.left,
      bottom: 32,
      padding: 0,
      itemWidth: 14,
      itemHeight: scale.length,
      text: [`${percentText(data.top)} of ${data.sharesOf}`, 'accessed in 0 %'],
      // Not at the ends, whose values stand beside the scale: the page fades these labels.
      formatter: (value) =>
        Number(value) <= 0 || Number(value) >= data.top ? '' : percentText(Number(value)),
      textStyle: { ...text, color: colours.dim },
    },
    legend: {
      data: ['never accessed', 'not watched'],
      selectedMode: false,
      left: scale.left + scale.length + 300,
      bottom: 32,
      padding: 0,
      itemWidth: 14,
      itemHeight: 14,
      textStyle: { ...text, color: colours.dim },
    },
    graphic: gapMarks(data, placed),
    ...(isPage && pointing(data, placed)),
  };
}

function titles(data: ChartData, placed: readonly PlacedRange[], width: number) {
  const { title, subtitle, footnote, panels, colours } = data;
  const line = (
    words: string,
    place: { left?: number; right?: number; top?: number; bottom?: number },
    style: { fontSize?: number; color?: string; fontWeight?: 'bold' | 'normal'; width?: number } = {},
  ) => ({
    text: keyless(words),
    ...place,
    padding: 0,
    textStyle: {
      fontFamily: FONT,
      fontSize: FONT_SIZE,
      fontWeight: 'normal' as const,
      color: colours.dim,
      width: width - (place.left ?? 0) - MARGIN,
      overflow: 'truncate' as const,
      ...style,
    },
  });
  const bold = { color: colours.text, fontWeight: 'bold' as const };
  const highest = placed.filter((_, i) => i === 0 || placed[i - 1]!.isLowest);
  const top = (i: number) => highest[i]!.box.top - 21;
  return [
    line(title, { left: MARGIN, top: 16 }, { ...bold, fontSize: 16, width: width - 2 * MARGIN - ICONS }),
    line(subtitle, { left: MARGIN, top: 42 }),
    ...panels.map((_, i) => line('address', { right: width - LEFT + 8, top: top(i) })),
    ...panels.map(({ heading }, i) => line(heading, { left: LEFT, top: top(i) }, bold)),
    ...(footnote ? [line(footnote, { left: LEFT, bottom: 10 })] : []),
  ];
}

function yAxis({ colours }: ChartData, { startBytes, endBytes }: ChartRange, gridIndex: number) {
  return {
    gridIndex,
    type: 'value' as const,
    min: startBytes,
    max: endBytes,
    splitLine: { show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
  };
}

/** Two per grid: cells that were accessed, coloured by the scale, and cells that never were. */
function series({ colours }: ChartData, placed: readonly PlacedRange[], isPage: boolean) {
  const common = {
    type: 'custom' as const,
    renderItem: renderCell,
    encode: { x: [0, 1], y: [2, 3] },
    clip: true,
    progressive: 0,
    silent: !isPage,
  };
  const ofGrids = placed.flatMap(({ range: { cells } }, i) => [
    {
      ...common,
      name: 'accessed',
      xAxisIndex: i,
      yAxisIndex: 2 * i,
      data: cells.filter(([, , , , share]) => share > 0) as ChartCell[],
    },
    {
      ...common,
      name: 'never accessed',
      itemStyle: { color: colours.never },
      xAxisIndex: i,
      yAxisIndex: 2 * i,
      data: cells.filter(([, , , , share]) => share === 0) as ChartCell[],
    },
  ]);
  const unwatched = {
    ...common,
    name: 'not watched',
    itemStyle: { color: colours.background, borderColor: colours.line, borderWidth: 1 },
    data: [],
  };
  return [...ofGrids, unwatched] as NonNullable<EChartsOption['series']>;
}

/** On whole pixels, so that no background shows between two cells, and at least one pixel thick. */
const renderCell: CustomSeriesRenderItem = (_params, api) => {
  const [left, top] = api.coord([api.value(0), api.value(3)]).map(Math.round) as [number, number];
  const [right, bottom] = api.coord([api.value(1), api.value(2)]).map(Math.round) as [number, number];
  return {
    type: 'rect',
    shape: { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) },
    style: { fill: api.visual('color') ?? 'none' },
  };
};

/** The gap that was cut out between two grids: a dashed line with its size. */
function gapMarks({ colours }: ChartData, placed: readonly PlacedRange[]) {
  return placed.flatMap(({ range: { gap }, box }) => {
    if (gap === undefined) return [];
    const y = box.top + box.height + GAP / 2;
    const middle = box.left + box.width / 2;
    const half = (gap.length * FONT_SIZE * CHARACTER_WIDTH) / 2 + 12;
    const line = (x1: number, x2: number) => ({
      type: 'line' as const,
      silent: true,
      shape: { x1, x2, y1: y, y2: y },
      style: { stroke: colours.line, lineWidth: 1, lineDash: [3, 5] },
    });
    return [
      line(box.left, middle - half),
      line(middle + half, box.left + box.width),
      {
        type: 'text' as const,
        silent: true,
        x: middle,
        y,
        style: {
          text: gap,
          fill: colours.dim,
          font: `${FONT_SIZE}px ${FONT}`,
          align: 'center' as const,
          verticalAlign: 'middle' as const,
        },
      },
    ];
  });
}

function pointing(data: ChartData, placed: readonly PlacedRange[]): EChartsOption {
  const { colours } = data;
  return {
    tooltip: {
      trigger: 'item',
      confine: true,
      backgroundColor: colours.background,
      borderColor: colours.line,
      textStyle: { fontFamily: FONT, fontSize: FONT_SIZE, color: colours.text },
      formatter: (params) => tooltipHtml(data, (params as { value?: unknown }).value as ChartCell),
    },
    dataZoom: [
      {
        type: 'inside',
        id: 'time',
        xAxisIndex: placed.map((_, i) => i),
        filterMode: 'weakFilter',
        zoomOnMouseWheel: true,
      },
      ...placed.map((_, i) => ({
        type: 'inside' as const,
        id: `addresses ${i}`,
        yAxisIndex: [2 * i, 2 * i + 1],
        filterMode: 'weakFilter' as const,
        zoomOnMouseWheel: 'shift' as const,
      })),
    ],
    toolbox: {
      right: 16,
      top: 12,
      iconStyle: { borderColor: colours.dim },
      feature: {
        dataZoom: { title: { zoom: 'zoom into a box', back: 'zoom back' }, filterMode: 'weakFilter' },
        restore: { title: 'show all' },
        saveAsImage: { title: 'save as PNG', name: 'heatmap' },
      },
    },
  };
}

/** The cell under the pointer. Names come from other programs, and are escaped. */
function tooltipHtml({ names, sharesOf }: ChartData, cell: ChartCell | undefined): string {
  if (!cell) return '';
  const [startUs, endUs, startBytes, endBytes, share, ageUs, name] = cell;
  const rows = [
    ['address', `${startBytes.toString(16)} - ${endBytes.toString(16)}`],
    ['size', formatBytes(endBytes - startBytes)],
    ['time', `${startUs === 0 ? '0' : formatDuration(startUs)} - ${formatDuration(endUs)}`],
    ['accessed', share === 0 ? 'never' : `${percentText(share)} of ${sharesOf}`],
    ['age', ageUs === 0 ? 'new' : formatDuration(ageUs)],
    ...(name >= 0 ? [['mapping', names[name]!]] : []),
  ];
  const cells = rows.map(
    ([key, value]) => `<tr><td>${key}&nbsp;&nbsp;</td><td>${escapeHtml(value!)}</td></tr>`,
  );
  return `<table>${cells.join('')}</table>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function percentText(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}
