import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { printable } from '../../core/printable.js';
import { requirePackagesFor } from '../../optional-packages.js';
import type { AddressRange } from '../../processes/process-request.js';
import { OutputFile } from '../../record/output-file.js';
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
import { parseCount, parseRanges, withExamples } from '../options.js';
import { ExitStatus, note, print, UsageError } from '../output.js';
import { colourOf } from '../terminal/screen.js';
import { addReportOptions, parseDurationOrZero, type ReportOptions } from './options.js';
import { forEachSource, jsonHeader, operandsOf, printDocument } from './run.js';

interface HeatMapOptions extends Omit<ReportOptions, 'range'> {
  readonly range?: 'hottest' | 'all' | readonly AddressRange[];
  readonly time?: TimeSpan;
  readonly panels?: number;
  readonly output?: string;
  readonly force?: boolean;
  readonly theme: Theme;
  readonly size?: { readonly width: number; readonly height: number };
}

/** More processes make no readable picture. */
const DEFAULT_PANELS = 4;
const DEFAULT_WIDTH = 1_200;
const PANEL_HEIGHT = 460;
const SURROUNDINGS_HEIGHT = 160;
const MIN_HEIGHT = 300;
const MAX_SIZE = 8_000;
/** Approximate size of a cell in a picture. */
const CELL_PIXELS = 2;
/** The HTML page can be zoomed into. */
const PAGE_CELLS = { columns: 512, rows: 320, isStill: false };
const JSON_CELLS = { columns: 512, rows: 320 };
const PLAIN = { width: 100, height: 30 };

export function addHeatmap(report: Command): void {
  const command = addReportOptions(report.command('heatmap'))
    .description('a picture of accesses over time and addresses')
    .option('--time <from-to>', 'only this period since the start, as in 10s-1m, 10s- or -30s', parseTime)
    .option(
      '--panels <n>',
      `show at most N processes, those with most accesses (default: ${DEFAULT_PANELS})`,
      parseCount,
    )
    .option('-o, --output <file>', 'write a picture here: .svg, .png, or interactive .html')
    .option('--force', 'replace an existing file')
    .addOption(
      new Option('--theme <theme>', 'colours for a dark or light background').choices(THEMES).default('dark'),
    )
    .option('--size <width>x<height>', 'size of the picture in pixels; a PNG has twice as many', parseSize)
    .action(heatmap);
  withExamples(command, 'report heatmap it.ndjson', 'report heatmap it.ndjson --range all -o heat.html');
  // The option of all commands that watch, with two more words for what is shown.
  const range = command.options.find(({ long }) => long === '--range')!;
  range.description =
    'show these addresses: hottest, all, or a range in hex as in /proc/PID/maps (default: hottest)';
  range.argParser(parseChoice);
}

async function heatmap(args: readonly string[], options: HeatMapOptions): Promise<void> {
  const { range, output, force = false } = options;
  const { records } = operandsOf(args);
  if (output !== undefined && records.length > 1) {
    throw new UsageError('-o makes one picture of one record; give one record at a time');
  }
  if (output !== undefined && options.json)
    throw new UsageError('-o writes a picture and cannot be combined with --json');
  const documents: object[] = [];
  const file = output === undefined ? undefined : pictureFile(output, force);
  if (file) requirePackagesFor(file.format);
  // Addresses that are given for live processes are also those to watch.
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
    note(
      `nothing is known of process ${nameOfProcess(target)}${left}: ${unknownSentences(unknown).join(' ')}`,
    );
  }
  if (targets.every(({ snapshots }) => snapshots === 0)) {
    for (const text of source.notes()) note(text);
    note(`nothing to show: ${printable(name)} has no snapshot of what was chosen`);
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
      `this picture needs ${leastHeight(data)} pixels of height; give a larger --size or fewer --panels`,
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

/** One process fills the terminal; each of several gets a third. A pipe has 100 columns. */
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
  throw new InvalidArgumentError('It ends before it starts; exchange the two.');
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

const PICTURE_FORMATS = ['svg', 'png', 'html'] as const;
type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** A file for a picture. */
interface PictureFile {
  readonly format: PictureFormat;
  /** @throws PagepulseError `OUTPUT`; leaves nothing behind then */
  write(picture: string | Uint8Array): void;
}

/**
 * Like a record, the file is readable only by its owner, since it shows the addresses of a process. That it can be written
 * is checked before anything is read in vain. It appears when it is complete.
 *
 * @throws UsageError for a name without a format, PagepulseError `OUTPUT`
 */
function pictureFile(path: string, force: boolean): PictureFile {
  const format = formatOf(path);
  const create = () => OutputFile.create(path, { force, what: 'picture' });
  create().discard();
  const write = (picture: string | Uint8Array) => {
    const file = create();
    try {
      writeFileSync(file.fd, picture);
      file.finish();
    } catch (error) {
      file.discard();
      throw file.errorOf(error);
    }
  };
  return { format, write };
}

function formatOf(path: string): PictureFormat {
  const format = PICTURE_FORMATS.find((format) => extname(path).toLowerCase() === `.${format}`);
  if (format) return format;
  throw new UsageError(
    `'${path}' has no extension of a picture; give a name that ends in .svg, .png or .html`,
  );
}
