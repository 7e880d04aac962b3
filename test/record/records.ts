import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { Snapshot } from '../../src/core/snapshot.js';
import type { MonitorStats } from '../../src/core/stats.js';
import type { TargetInfo } from '../../src/core/target.js';
import type { HeaderLine, RecordLine } from '../../src/record/format.js';
import type { RecordReader } from '../../src/record/reader.js';
import type { RecordWriter } from '../../src/record/writer.js';

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

/** [startPage, endPage, nrAccesses, age], and of all or none samples, the deviation of startPage, and what may be unlike. */
export type Row = readonly [number, number, number, number, number?, number?, number?];

export function snapshotOf(rows: readonly Row[], stats: Partial<MonitorStats> = {}): Snapshot {
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
    {
      startPages: Float64Array.from(rows, (row) => row[0]),
      endPages: Float64Array.from(rows, (row) => row[1]),
      nrAccesses: Uint32Array.from(rows, (row) => row[2]),
      ages: Uint32Array.from(rows, (row) => row[3]),
      ...(rows[0]?.[4] !== undefined && {
        samples: Uint32Array.from(rows, (row) => row[4]!),
        deviations: Float32Array.from(rows, (row) => row[5]!),
        unlike: Float32Array.from(rows, (row) => row[6] ?? 0),
      }),
    },
  );
}

/** The two regions of the example in docs/design.md. */
export const EXAMPLE = snapshotOf([
  [0x55d0c0a00, 0x55d0c0a21, 20, 3],
  [0x7f12a0000, 0x7f12b0000, 0, 17],
]);

/** A snapshot whose line has more than a mebibyte: more than a pipe takes at once. */
export function largeSnapshot(): Snapshot {
  return snapshotOf(Array.from({ length: 40_000 }, (_, i) => [2 ** 34 + 2 * i, 2 ** 34 + 2 * i + 1, 1, 2]));
}

/** A header, a target, `snapshots` of the example, and the end. */
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

/** A folder of its own for a test. */
export function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-record-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}
