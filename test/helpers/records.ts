import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { Snapshot } from '../../src/core/snapshot.js';
import type { MonitorStats } from '../../src/core/stats.js';
import type { TargetInfo } from '../../src/core/target.js';
import { convert, type Format } from '../../src/record/convert/convert.js';
import type {
  HeaderLine,
  RecordedRegion,
  RecordLine,
  SnapshotLine,
  TargetLine,
} from '../../src/record/format.js';
import { OutputFile } from '../../src/record/output-file.js';
import { type RecordReader, readRecord } from '../../src/record/reader.js';
import type { MemorySource } from '../../src/record/recording.js';
import type { RecordWriter } from '../../src/record/writer.js';
import { folderFor } from './fixtures.js';
import { columnsFrom, type RegionRow } from './snapshots.js';

export const HEADER: Omit<HeaderLine, 'type' | 'version'> = {
  tool: 'pagepulse 0.1.0',
  startedAt: '2026-01-31T12:00:00.000Z',
  startedMonotonicNs: '123456789',
  kernel: '6.12.1',
  pageSize: 4096,
  check: 'idle-page',
  attrs: DEFAULT_ATTRS,
};

export const TARGET: TargetInfo = {
  id: 0,
  pid: 4242,
  startTime: '987654',
  comm: 'postgres',
  cmdline: ['postgres', '-D', 'data'],
};

export const STATS: MonitorStats = {
  elapsedUs: 100_120,
  ticks: 20,
  overruns: 0,
  samples: 400,
  notSampled: 3,
  snapshots: 1,
  droppedSnapshots: 0,
  lostSamplers: 0,
  lostTicks: 0,
  regions: 2,
  inForce: { attrs: DEFAULT_ATTRS, reason: 'set' },
  cpuPercent: 1.23456,
  recentCpuPercent: null,
  usPerSample: null,
  meanLateUs: 310.4,
  maxLateUs: null,
  threads: [{ name: 'coordinator', cpuUs: 900 }],
};

/** For targets without a process. */
export const NO_MAPPINGS: MemorySource = {
  first: async () => undefined,
  change: () => undefined,
  whole: () => ({}),
  *lastChanges() {},
};

export const headerOf = (more: Partial<HeaderLine> = {}): HeaderLine => ({
  type: 'header',
  version: 1,
  ...HEADER,
  ...more,
});

export const targetOf = (more: Partial<TargetLine> = {}): TargetLine => ({
  type: 'target',
  ...TARGET,
  ...more,
});

/** The first snapshot of the first target, unless `more` says otherwise. */
export const snapshotLineOf = (
  regions: readonly RecordedRegion[],
  more: Partial<SnapshotLine> = {},
): SnapshotLine => ({
  type: 'snapshot',
  target: 0,
  startUs: 0,
  endUs: 100_120,
  maxNrAccesses: 20,
  regions,
  ...more,
});

export function snapshotOf(rows: readonly RegionRow[], stats: Partial<MonitorStats> = {}): Snapshot {
  return new Snapshot(
    {
      target: TARGET,
      check: 'idle-page',
      pageSize: 4096,
      startUs: 0,
      endUs: 100_120,
      maxNrAccesses: 20,
      stats: { ...STATS, ...stats },
    },
    columnsFrom(rows),
  );
}

/** The two regions of the example in docs/design.md. */
export const EXAMPLE = snapshotOf([
  [0x55d0c0a00, 0x55d0c0a21, 20, 3],
  [0x7f12a0000, 0x7f12b0000, 0, 17],
]);

/** A snapshot with a line of more than a mebibyte: more than a pipe holds. */
export function largeSnapshot(): Snapshot {
  return snapshotOf(Array.from({ length: 40_000 }, (_, i) => [2 ** 34 + 2 * i, 2 ** 34 + 2 * i + 1, 1, 2]));
}

const { attrs } = HEADER;

/** Lines of all types, and what is hard to write: quotes, line feeds, commas, addresses above 2^53. */
export const RICH: readonly RecordLine[] = [
  headerOf({ seed: 7 }),
  targetOf({
    comm: 'a "b",\nc',
    mappings: [['55d0c0a00000', '55d0c0a21000', 'rw-p', '[heap]']],
    residentBytes: 4096,
    resident: [['55d0c0a00000', 4096]],
  }),
  targetOf({ id: 7, pid: 4243 }),
  // Snapshots that end at the same time keep the order of the record: once target 7 is first, once target 0.
  snapshotLineOf([['1000', '5000', 20, 3]], { target: 7, cost: { cpuPercent: 1.25, ticks: 20 } }),
  { type: 'mappings', target: 0, atUs: 100_130, removed: ['55d0c0a00000'], mappings: [] },
  snapshotLineOf([
    ['55d0c0a00000', '55d0c0a21000', 9, 3],
    ['55d0c0a21000', '55d0c0a22000', 10, 0],
    ['ffffffff00001000', 'ffffffffffffe000', 0, 17],
  ]),
  snapshotLineOf([], { target: 7, startUs: 100_120, endUs: 200_120 }),
  {
    type: 'attrs',
    atUs: 200_120,
    attrs: { ...attrs, sampleUs: 10_000, aggrUs: 200_000 },
    reason: 'budget',
    turns: 4,
  },
  snapshotLineOf([['1000', '2000', 1, 1]], { startUs: 100_120, endUs: 300_120 }),
  snapshotLineOf([['1000', '4000', 5, 0]], { target: 7, startUs: 200_120, endUs: 300_120 }),
  { type: 'attrs', atUs: 300_120, attrs: { ...attrs, sampleUs: 10_000 }, reason: 'set' },
  snapshotLineOf([['1000', '2000', 1, 1]], { startUs: 300_120, endUs: 400_120.5, maxNrAccesses: 10 }),
  { type: 'mappings', target: 0, atUs: 400_130, residentBytes: 8192 },
  { type: 'end', reason: 'stopped', stats: { ticks: 200, cpuPercent: 1.2 } },
];

/** Writes a header, a target, snapshots of the example, and the end. */
export async function writeExample(writer: RecordWriter, snapshots = 3): Promise<void> {
  await writer.header(HEADER);
  await writer.target(TARGET);
  for (let i = 0; i < snapshots; i++) await writer.snapshot(EXAMPLE);
  await writer.end('stopped', STATS);
  await writer.close();
}

export async function linesOfRecord(reader: AsyncIterable<RecordLine>): Promise<RecordLine[]> {
  const lines: RecordLine[] = [];
  for await (const line of reader) lines.push(line);
  return lines;
}

export async function typesOf(reader: RecordReader): Promise<string> {
  return (await linesOfRecord(reader)).map(({ type }) => type).join(' ');
}

/** Converts a file, or lines that are written to one, and returns the path of the result. */
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
  writeFileSync(path, textOf(lines));
  return path;
}

export function textOf(lines: readonly RecordLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The lines of a record in any format. */
export async function linesIn(t: ExecutionContext, path: string): Promise<RecordLine[]> {
  return linesOfRecord(readRecord(await converted(t, path, 'ndjson')));
}

export function textIn(path: string): string {
  return readFileSync(path, 'utf8');
}
