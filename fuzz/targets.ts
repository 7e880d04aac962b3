import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { deflateSync, gzipSync } from 'node:zlib';
import { parseCgroup } from '../src/kernel/cgroup.js';
import { parseEndFrame } from '../src/kernel/frames.js';
import { HoldingRanges, MappedRanges, parseMappings } from '../src/kernel/maps.js';
import { parseRollup, Smaps } from '../src/kernel/smaps.js';
import { StatFields } from '../src/kernel/stat.js';
import { chunksOf, type Format } from '../src/record/convert/convert.js';
import { openInput } from '../src/record/convert/input.js';
import type { RecordLine } from '../src/record/format.js';
import { InputBudget } from '../src/record/limits.js';
import { readRecord } from '../src/record/reader.js';
import { heatMapOf } from '../src/report/heatmap/heat-map.js';
import { heatMapJson } from '../src/report/heatmap/json.js';
import { gather } from '../src/report/heatmap/sums.js';
import { openRecord } from '../src/report/source/recorded.js';
import { AccessSummary } from '../src/report/summaries/access.js';
import { MappingsSummary } from '../src/report/summaries/mappings.js';
import { rawDocument } from '../src/report/summaries/raw.js';
import { WssSummary } from '../src/report/summaries/wss.js';
import { requireFinite, requireGoodLine } from './checks.js';
import { CGROUP, MAPS, RECORD, ROLLUP, SMAPS, STAT, ZONEINFO } from './seeds.js';

/** A reader that is fuzzed. */
export interface Target {
  readonly name: string;
  /** Its share of the mutants. */
  readonly weight: number;
  seeds(): Promise<Buffer[]>;
  /** Makes the file to read from a mutated text. */
  pack?(bytes: Buffer): Buffer;
  /**
   * Reads a mutant to its end, and checks the result.
   *
   * @throws PagepulseError if it is refused; anything else is a fault
   */
  run(bytes: Buffer, index: number): void | Promise<void>;
}

/** In memory: opening a file on a disk takes longer than reading it. */
const SHARED_MEMORY = '/dev/shm';
const folder = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'pagepulse-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'mutant');

const FORMATS: readonly Format[] = ['ndjson', 'damo', 'csv', 'trace', 'arrow'];
/** Arrow is written in large pieces, so only one file in this many is converted to it. */
const ARROW_EVERY = 50;

function formatFor(index: number): Format {
  return index % ARROW_EVERY === 0 ? 'arrow' : FORMATS[index % 4]!;
}

/** Reads a file in any format, and writes it in one of them. */
async function readInput(bytes: Buffer, index: number): Promise<void> {
  writeFileSync(file, bytes);
  const input = await openInput(file, folder);
  const lines = checked(input.lines);
  for await (const _ of chunksOf({ ...input, lines }, formatFor(index), folder));
  input.notes();
}

async function* checked(lines: AsyncIterable<RecordLine>): AsyncGenerator<RecordLine> {
  for await (const line of lines) {
    requireGoodLine(line);
    yield line;
  }
}

async function readAsRecord(bytes: Buffer): Promise<void> {
  for await (const _ of checked(readRecord(Readable.from([bytes], { objectMode: false }))));
}

/** Makes all reports of a record; no figure in them may be NaN or infinite. */
async function reportOn(bytes: Buffer): Promise<void> {
  writeFileSync(file, bytes);
  const source = await openRecord(file);
  const reports = [new WssSummary({ minAccessShare: 0 }), new MappingsSummary(), new AccessSummary()];
  for await (const observation of source.observations()) {
    requireFinite(observation.snapshot.columns);
    requireFinite(JSON.parse(JSON.stringify(rawDocument(observation, ''))));
    for (const report of reports) report.add(observation);
  }
  for (const report of reports) requireFinite(report.result());
  source.notes();
  const again = await openRecord(file);
  const targets = await gather(again);
  if (targets.every(({ snapshots }) => snapshots === 0)) return; // the command reports that instead
  const map = heatMapJson(heatMapOf(again.header, targets, 'hottest', 3), { columns: 20, rows: 20 });
  requireFinite(JSON.parse(JSON.stringify(map))); // NaN becomes null where nothing was monitored
}

async function bytesOf(format: Format): Promise<Buffer> {
  async function* lines() {
    yield* structuredClone(RECORD);
  }
  const pieces: Buffer[] = [];
  const input = { lines: lines(), budget: new InputBudget('the seed'), notes: () => [] };
  for await (const chunk of chunksOf(input, format, folder)) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}

/** As pandas writes a table: a fraction of the size, with text in dictionaries. */
async function smallArrow(): Promise<Buffer[]> {
  const { tableFromArrays, tableFromIPC, tableToIPC } = await import('apache-arrow');
  const table = tableFromIPC(await bytesOf('arrow'));
  const names = table.schema.fields.map(({ name }) => name);
  const columns = names.map((name) => {
    const values = [...table.getChild(name)!];
    return [name, typeof values[0] === 'bigint' ? BigUint64Array.from(values) : values] as const;
  });
  const stream = tableToIPC(tableFromArrays(Object.fromEntries(columns)), 'stream');
  return [Buffer.from(stream), Buffer.concat([Buffer.from('ARROW1\0\0'), stream])];
}

const record = async () => [await bytesOf('ndjson')];
const seed = (format: Format) => async () => [await bytesOf(format)];

/** A parser of /proc files: must accept whatever a process can make the kernel print, and never fail. */
function parser(
  name: string,
  seeds: readonly string[],
  parse: (bytes: Buffer, text: string) => unknown,
): Target {
  return {
    name,
    weight: 1,
    seeds: async () => seeds.map((text) => Buffer.from(text)),
    run(bytes) {
      parse(bytes, bytes.toString());
    },
  };
}

const statFields = new StatFields();
const [smaps, mapped, holding] = [new Smaps(), new MappedRanges(), new HoldingRanges()];

export const TARGETS: readonly Target[] = [
  { name: 'record', weight: 4, seeds: record, run: readAsRecord },
  {
    name: 'record.gz',
    weight: 2,
    seeds: async () => (await record()).map((text) => gzipSync(text)),
    run: readAsRecord,
  },
  { name: 'reports', weight: 3, seeds: record, run: reportOn },
  { name: 'convert record', weight: 2, seeds: record, run: readInput },
  { name: 'damo', weight: 3, seeds: damo, run: readInput },
  { name: 'damo.zlib', weight: 1, seeds: damo, pack: (bytes) => deflateSync(bytes), run: readInput },
  { name: 'csv', weight: 3, seeds: seed('csv'), run: readInput },
  { name: 'csv.gz', weight: 1, seeds: seed('csv'), pack: (bytes) => gzipSync(bytes), run: readInput },
  { name: 'arrow', weight: 3, seeds: smallArrow, run: readInput },
  { name: 'any', weight: 1, seeds: any, run: readInput },
  parser('stat', STAT, (bytes) => statFields.parse(bytes, bytes.length)),
  parser('maps', MAPS, (bytes) => parseMappings(bytes)),
  parser('maps ranges', MAPS, (bytes) => mapped.parse([bytes])),
  parser('maps holding', MAPS, (bytes) => holding.parse([bytes])),
  parser('smaps', SMAPS, (bytes) => smaps.parse([bytes])),
  parser('smaps_rollup', ROLLUP, (_, text) => parseRollup(text)),
  parser('cgroup', CGROUP, (_, text) => parseCgroup(text)),
  parser('zoneinfo', ZONEINFO, (_, text) => parseEndFrame(text)),
];

/** With and without our own key. */
async function damo(): Promise<Buffer[]> {
  const ours = await bytesOf('damo');
  const document = JSON.parse(ours.toString());
  for (const entry of document) for (const snapshot of entry.snapshots) delete snapshot.pagepulse;
  return [ours, Buffer.from(JSON.stringify(document))];
}

async function any(): Promise<Buffer[]> {
  const all = [...(await Promise.all(FORMATS.slice(0, 4).map(bytesOf))), ...(await smallArrow())];
  return [...all, ...all.map((bytes) => gzipSync(bytes))];
}
