import { type Command, InvalidArgumentError, Option } from 'commander';
import { printable } from '../../core/printable.js';
import { requirePackagesFor } from '../../optional-packages.js';
import type { AddressRange } from '../../processes/process-request.js';
import { THEMES, type Theme } from '../../report/colour.js';
import { chartDataOf } from '../../report/heatmap/chart-data.js';
import { type HeatMap, heatMapOf } from '../../report/heatmap/heat-map.js';
import { renderHtml } from '../../report/heatmap/html.js';
import { renderPng, renderSvg } from '../../report/heatmap/image.js';
import { heatMapJson } from '../../report/heatmap/json.js';
import { LEAST_WIDTH, leastHeight } from '../../report/heatmap/layout.js';
import type { RangeChoice } from '../../report/heatmap/ranges.js';
import { gather, type TimeSpan } from '../../report/heatmap/sums.js';
import { renderHeatMap } from '../../report/heatmap/terminal.js';
import type { ObservationSource } from '../../report/source/observation.js';
import { nameOfProcess, unknownSentences } from '../../report/status-text.js';
import { ExitStatus, note, UsageError } from '../failure.js';
import { parseRanges } from '../options.js';
import { print } from '../output.js';
import { colourOf } from '../screen.js';
import { parseCount } from '../selection-options.js';
import { type PictureFile, pictureFile } from './picture-file.js';
import { jsonHeader, printDocument } from './run.js';
import { addReportOptions, forEachSource, operandsOf, type ReportOptions } from './sources.js';
import { parseDurationOrZero } from './values.js';

interface HeatMapOptions extends Omit<ReportOptions, 'range'> {
  readonly range?: 'hottest' | 'all' | readonly AddressRange[];
  readonly time?: TimeSpan;
  readonly panels?: number;
  readonly output?: string;
  readonly force?: boolean;
  readonly theme: Theme;
  readonly size?: { readonly width: number; readonly height: number };
}

/** Processes are shown up to this number unless told otherwise: more are no picture any more. */
const DEFAULT_PANELS = 4;
const DEFAULT_WIDTH = 1_200;
const PANEL_HEIGHT = 460;
const SURROUNDINGS_HEIGHT = 160;
const MIN_HEIGHT = 300;
const MAX_SIZE = 8_000;
/** Of a cell in a picture, about. */
const CELL_PIXELS = 2;
/** Of the page, which can be zoomed into. */
const PAGE_CELLS = { columns: 512, rows: 320, isStill: false };
const JSON_CELLS = { columns: 512, rows: 320 };
const PLAIN = { width: 100, height: 30 };

export function addHeatmap(report: Command): void {
  const command = addReportOptions(report.command('heatmap'))
    .description('a picture of time, addresses, and how much they were accessed')
    .option('--time <from-to>', 'only this time since the start, as in 10s-1m, 10s- or -30s', parseTime)
    .option(
      '--panels <n>',
      `so many processes at most, those with most accesses (default: ${DEFAULT_PANELS})`,
      parseCount,
    )
    .option('-o, --output <file>', 'a picture: .svg, .png, or .html to zoom and point into')
    .option('--force', 'replace the file if it exists')
    .addOption(
      new Option('--theme <theme>', 'for a dark or a light background').choices(THEMES).default('dark'),
    )
    .option('--size <width>x<height>', 'of the picture in pixels; a PNG has twice as many', parseSize)
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse report heatmap it.ndjson\n  pagepulse report heatmap it.ndjson --range all -o heat.html',
    )
    .action(heatmap);
  // The option of what is watched, with two more words for what of it is shown.
  const range = command.options.find(({ long }) => long === '--range')!;
  range.description =
    'addresses to show: hottest, all, or some in hex, as in /proc/PID/maps (default: hottest)';
  range.argParser(parseChoice);
}

async function heatmap(args: readonly string[], options: HeatMapOptions): Promise<void> {
  const { range, output, force = false } = options;
  const { records } = operandsOf(args);
  if (output !== undefined && records.length > 1) {
    throw new UsageError('-o makes one picture of one record; give them one after the other');
  }
  if (output !== undefined && options.json)
    throw new UsageError('-o is for a picture; leave it or --json out');
  const documents: object[] = [];
  const file = output === undefined ? undefined : pictureFile(output, force);
  if (file) requirePackagesFor(file.format);
  // What is watched are the addresses that were given, if any were.
  const { range: _, ...rest } = options;
  const watched = typeof range === 'object' && records.length === 0 ? { ...rest, range } : rest;
  let isFirst = true;
  await forEachSource(args, watched, async (source) => {
    const map = await mapOf(source, options);
    const gap = isFirst ? '' : '\n';
    isFirst = false;
    if (file) file.write(await picture(map, options, file));
    else if (options.json) documents.push(heatMapJson(map, JSON_CELLS));
    else await print(`${gap}${renderHeatMap(map, terminal(map, options.theme)).join('\n')}\n`);
  });
  if (options.json) await printDocument({ ...jsonHeader('heatmap'), sources: documents });
}

async function mapOf(
  source: ObservationSource,
  { pid, time, panels, range }: HeatMapOptions,
): Promise<HeatMap> {
  const targets = await gather(source, time && { window: time });
  const { name, pageSize } = source.header;
  for (const { target, unknown, snapshots } of targets) {
    if (!unknown) continue;
    const left = snapshots > 0 ? ' in part of the time' : '';
    note(`process ${nameOfProcess(target)} is not known${left}: ${unknownSentences(unknown).join(' ')}`);
  }
  if (targets.every(({ snapshots }) => snapshots === 0)) {
    for (const text of source.notes()) note(text);
    note(`there is nothing to show: ${printable(name)} has no snapshot of what was chosen`);
    throw new ExitStatus(1);
  }
  const choice: RangeChoice =
    typeof range === 'object'
      ? range.map(({ startAddress, endAddress }) => ({
          startPage: Math.floor(startAddress / pageSize),
          endPage: Math.ceil(endAddress / pageSize),
        }))
      : (range ?? 'hottest');
  return heatMapOf(source.header, targets, choice, panels ?? pid?.length ?? DEFAULT_PANELS);
}

async function picture(
  map: HeatMap,
  options: HeatMapOptions,
  { format }: PictureFile,
): Promise<string | Uint8Array> {
  const {
    theme,
    size = { width: DEFAULT_WIDTH, height: SURROUNDINGS_HEIGHT + PANEL_HEIGHT * map.panels.length },
  } = options;
  if (format === 'html') return renderHtml(chartDataOf(map, theme, PAGE_CELLS));
  const columns = Math.ceil(size.width / CELL_PIXELS);
  const rows = Math.ceil(size.height / map.panels.length / CELL_PIXELS);
  const data = chartDataOf(map, theme, { columns, rows, isStill: true });
  if (leastHeight(data) > size.height) {
    throw new UsageError(
      `this picture is at least ${leastHeight(data)} pixels high; give a larger --size, or fewer --panels`,
    );
  }
  if (format === 'png' && size.height > MAX_SIZE) {
    throw new UsageError(
      `a PNG of ${map.panels.length} panels is too large; give fewer --panels, or a name that ends in .html or .svg`,
    );
  }
  const svg = await renderSvg(data, size);
  return format === 'svg' ? svg : renderPng(svg, size);
}

/** A terminal is filled by one process; of several each gets a third. A pipe has 100 columns. */
function terminal({ panels }: HeatMap, theme: Theme) {
  const { isTTY, columns, rows } = process.stdout;
  const colour = colourOf(process.env, isTTY === true);
  const width = Math.max(20, (isTTY ? columns : undefined) ?? PLAIN.width);
  const height = (isTTY ? rows : undefined) ?? PLAIN.height;
  const lines = panels.length === 1 ? height - 7 : Math.floor(height / 3);
  return { width, lines: Math.max(8, lines), colour, theme };
}

function parseChoice(text: string, before?: HeatMapOptions['range']): HeatMapOptions['range'] {
  if (text === 'hottest' || text === 'all') return text;
  if (/^[0-9a-fx]+-/i.test(text)) return parseRanges(text, typeof before === 'object' ? before : []);
  throw new InvalidArgumentError(
    'Give hottest, all, or two addresses in hex, as in 7f12a0000000-7f12b0000000.',
  );
}

function parseTime(text: string): TimeSpan {
  const [from, to, ...more] = text.split(/-|\.\./).map((part) => part.trim());
  if (to === undefined || more.length > 0 || from + to === '') {
    throw new InvalidArgumentError('Give two times since the start, as in 10s-1m, 10s- or -30s.');
  }
  const startUs = from === '' ? 0 : parseDurationOrZero(from!);
  const endUs = to === '' ? Number.POSITIVE_INFINITY : parseDurationOrZero(to);
  if (startUs < endUs) return { startUs, endUs };
  throw new InvalidArgumentError('It ends before it begins; exchange the two.');
}

function parseSize(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  const isIn = (pixels: string | undefined, least: number) =>
    Number(pixels) >= least && Number(pixels) <= MAX_SIZE;
  if (isIn(width, LEAST_WIDTH) && isIn(height, MIN_HEIGHT))
    return { width: Number(width), height: Number(height) };
  throw new InvalidArgumentError(
    `Give width and height in pixels, from ${LEAST_WIDTH}x${MIN_HEIGHT} to ${MAX_SIZE}x${MAX_SIZE}, as in 1200x800.`,
  );
}
