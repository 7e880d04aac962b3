import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { convert, type Format } from '../../../src/record/convert/convert.js';
import type { RecordLine } from '../../../src/record/format.js';
import { OutputFile } from '../../../src/record/output-file.js';
import { readRecord } from '../../../src/record/reader.js';
import { folderFor, HEADER, linesOfRecord, TARGET } from '../records.js';

const header: RecordLine = { type: 'header', version: 1, ...HEADER, seed: 7 };
const { attrs } = HEADER;

/** All that a record can say, and what is hard to write: quotes, line feeds, commas, addresses beyond 2^53. */
export const RICH: readonly RecordLine[] = [
  header,
  {
    type: 'target',
    ...TARGET,
    comm: 'a "b",\nc',
    mappings: [['55d0c0a00000', '55d0c0a21000', 'rw-p', '[heap]']],
    residentBytes: 4096,
    resident: [['55d0c0a00000', 4096]],
  },
  { type: 'target', ...TARGET, id: 7, pid: 4243 },
  // The order is the record's own, also of those that end at the same time: once 7 is first, once 0.
  {
    type: 'snapshot',
    target: 7,
    startUs: 0,
    endUs: 100_120,
    maxNrAccesses: 20,
    regions: [['1000', '5000', 20, 3]],
    cost: { cpuPercent: 1.25, ticks: 20 },
  },
  { type: 'mappings', target: 0, atUs: 100_130, removed: ['55d0c0a00000'], mappings: [] },
  {
    type: 'snapshot',
    target: 0,
    startUs: 0,
    endUs: 100_120,
    maxNrAccesses: 20,
    regions: [
      ['55d0c0a00000', '55d0c0a21000', 9, 3],
      ['55d0c0a21000', '55d0c0a22000', 10, 0],
      ['ffffffff00001000', 'ffffffffffffe000', 0, 17],
    ],
  },
  { type: 'snapshot', target: 7, startUs: 100_120, endUs: 200_120, maxNrAccesses: 20, regions: [] },
  {
    type: 'attrs',
    atUs: 200_120,
    attrs: { ...attrs, sampleUs: 10_000, aggrUs: 200_000 },
    reason: 'budget',
    turns: 4,
  },
  {
    type: 'snapshot',
    target: 0,
    startUs: 100_120,
    endUs: 300_120,
    maxNrAccesses: 20,
    regions: [['1000', '2000', 1, 1]],
  },
  {
    type: 'snapshot',
    target: 7,
    startUs: 200_120,
    endUs: 300_120,
    maxNrAccesses: 20,
    regions: [['1000', '4000', 5, 0]],
  },
  { type: 'attrs', atUs: 300_120, attrs: { ...attrs, sampleUs: 10_000 }, reason: 'set' },
  {
    type: 'snapshot',
    target: 0,
    startUs: 300_120,
    endUs: 400_120.5,
    maxNrAccesses: 10,
    regions: [['1000', '2000', 1, 1]],
  },
  { type: 'mappings', target: 0, atUs: 400_130, residentBytes: 8192 },
  { type: 'end', reason: 'stopped', stats: { ticks: 200, cpuPercent: 1.2 } },
];

/** Converts a file, or lines that are written to one; returns the path of what it was converted to. */
export async function converted(
  t: ExecutionContext,
  record: string | readonly RecordLine[],
  format: Format,
  name = `it.${format}`,
): Promise<string> {
  const path = join(folderFor(t), name);
  await convert(typeof record === 'string' ? record : recordFile(t, record), format, OutputFile.create(path));
  return path;
}

export function recordFile(t: ExecutionContext, lines: readonly RecordLine[]): string {
  const path = join(folderFor(t), 'it.ndjson');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

/** The lines of a record in any format. */
export async function linesIn(t: ExecutionContext, path: string): Promise<RecordLine[]> {
  return linesOfRecord(readRecord(await converted(t, path, 'ndjson')));
}

export function textIn(path: string): string {
  return readFileSync(path, 'utf8');
}
