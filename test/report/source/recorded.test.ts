import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { openRecord } from '../../../src/report/source/recorded.js';
import { folderFor } from '../../helpers/fixtures.js';
import { HEADER, TARGET } from '../../helpers/records.js';
import { PAGE } from '../../helpers/snapshots.js';

const header = { type: 'header', version: 1, ...HEADER };
const snapshot = (endUs: number) => ({
  type: 'snapshot',
  target: 0,
  startUs: 0,
  endUs,
  maxNrAccesses: 20,
  regions: [['1000', '4000', 20, 1]],
});

function recordOf(t: Parameters<typeof folderFor>[0], lines: readonly object[]): string {
  const path = join(folderFor(t), 'it.ndjson');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

test('an observation has the mappings as they were told until then', async (t) => {
  const source = await openRecord(
    recordOf(t, [
      header,
      {
        type: 'target',
        ...TARGET,
        mappings: [
          ['1000', '3000', 'rw-p', '[heap]'],
          ['8000', '9000', 'r--p', '/lib/libc.so.6'],
        ],
        residentBytes: 8192,
        resident: [['1000', 4096]],
      },
      snapshot(100_000),
      snapshot(200_000),
      {
        type: 'mappings',
        target: 0,
        atUs: 200_000,
        removed: ['8000'],
        mappings: [['1000', '5000', 'rw-p', '[heap]']],
        residentBytes: 12_288,
        resident: [['1000', 12_288]],
      },
      snapshot(300_000),
      { type: 'end', reason: 'stopped', stats: {} },
    ]),
  );
  const seen = [];
  for await (const observation of source.observations()) seen.push(observation);

  t.is(seen.length, 3);
  t.is(seen[0]!.snapshot.workingSetBytes(), 3 * PAGE);
  t.deepEqual(seen[0]!.mappings, [
    { startPage: 1, endPage: 3, permissions: 'rw-p', name: '[heap]', residentBytes: 4096 },
    { startPage: 8, endPage: 9, permissions: 'r--p', name: '/lib/libc.so.6', residentBytes: undefined },
  ]);
  t.is(seen[1]!.mappings, seen[0]!.mappings, 'the same array while nothing changes');
  t.deepEqual(seen[2]!.mappings, [
    { startPage: 1, endPage: 5, permissions: 'rw-p', name: '[heap]', residentBytes: 12_288 },
  ]);
  t.deepEqual([seen[1]!.residentBytes, seen[2]!.residentBytes], [8192, 12_288]);
  t.deepEqual(source.notes(), []);
});

test('a mapping that has grown keeps what was known of it, another one in its place does not', async (t) => {
  const grown = (end: string, name: string) => ({
    type: 'mappings',
    target: 0,
    atUs: 1,
    mappings: [['1000', end, 'rw-p', name]],
  });
  const source = await openRecord(
    recordOf(t, [
      header,
      {
        type: 'target',
        ...TARGET,
        mappings: [['1000', '3000', 'rw-p', '[heap]']],
        resident: [['1000', 8192]],
      },
      grown('9000', '[heap]'),
      snapshot(100_000),
      grown('2000', '[heap]'),
      snapshot(200_000),
      grown('2000', '/file'),
      snapshot(300_000),
    ]),
  );
  const resident = [];
  for await (const { mappings } of source.observations()) resident.push(mappings[0]!.residentBytes);
  t.deepEqual(resident, [8192, 4096, undefined]);
});

test('what is wrong with a record is said when it was read', async (t) => {
  const path = recordOf(t, [
    header,
    snapshot(100_000),
    { type: 'snapshot', target: 'nobody' },
    { type: 'weather' },
    { type: 'target' },
  ]);
  const source = await openRecord(path);
  for await (const _ of source.observations()) t.fail('there is no snapshot of a known process');

  t.deepEqual(source.notes(), [
    `${path}: skipped 2 damaged lines: 3, 5`,
    `${path}: 1 snapshot was left out, of a process without a target line`,
    `${path}: it breaks off after line 5, without an end, as if the recording had been killed`,
  ]);
});

test('of many damaged lines the first are named', async (t) => {
  const damaged = Array.from({ length: 13 }, () => ({ type: 'target' }));
  const path = recordOf(t, [header, ...damaged, { type: 'end', reason: 'stopped', stats: {} }]);
  const source = await openRecord(path);
  for await (const _ of source.observations()) t.fail();
  t.deepEqual(source.notes(), [
    `${path}: skipped 13 damaged lines: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more`,
  ]);
});

test('a record of a later version is read as far as it is understood, and that is said', async (t) => {
  const path = recordOf(t, [
    { ...header, version: 2, wordSize: 8 },
    { type: 'target', ...TARGET, container: 'web' },
    { type: 'temperature', celsius: 40 },
    { ...snapshot(100_000), numa: [0, 1] },
    { ...snapshot(200_000), regions: [['1000', '4000', 20, 1, 'warm']] },
    { ...snapshot(300_000), regions: { packed: 'AAEC' } },
    { type: 'end', reason: 'hibernated', stats: {}, more: true },
  ]);
  const source = await openRecord(path);
  const seen = [];
  for await (const { snapshot } of source.observations()) seen.push(snapshot.workingSetBytes());
  t.deepEqual(seen, [3 * PAGE, 3 * PAGE]);
  t.deepEqual(source.notes(), [
    `${path}: it has version 2 of the format, of which only the fields of version 1 were read; a newer Pagepulse reads the rest`,
    `${path}: skipped 1 damaged line: 6`,
  ]);
});

test('files of a recording that rotated can be joined and read as one', async (t) => {
  const target = { type: 'target', ...TARGET, mappings: [['1000', '3000', 'rw-p', '[heap]']] };
  const end = { type: 'end', reason: 'rotated', stats: {} };
  const source = await openRecord(
    recordOf(t, [
      header,
      target,
      snapshot(1),
      end,
      header,
      target,
      snapshot(2),
      { ...end, reason: 'stopped' },
    ]),
  );
  const seen = [];
  for await (const { snapshot, mappings } of source.observations())
    seen.push([snapshot.endUs, mappings.length]);
  t.deepEqual(seen, [
    [1, 1],
    [2, 1],
  ]);
  t.deepEqual(source.notes(), []);
});

test('of processes that come and go by the thousand, those with the latest snapshots have their mappings', async (t) => {
  const mappings = [['1000', '3000', 'rw-p', '[heap]']];
  const targets = Array.from({ length: 2_001 }, (_, id) => [
    { type: 'target', ...TARGET, id, mappings },
    { ...snapshot(id + 1), target: id },
    { ...snapshot(id + 1), target: 0 },
  ]);
  const source = await openRecord(
    recordOf(t, [header, ...targets.flat(), { ...snapshot(2_002), target: 1 }]),
  );
  let without = 0;
  for await (const { snapshot, mappings } of source.observations()) {
    if (mappings.length > 0) continue;
    t.deepEqual([snapshot.target.id, snapshot.endUs], [1, 2_002]);
    without++;
  }
  t.is(without, 1);
});

test('how far it is read can be told, of a file in bytes on the disk', async (t) => {
  const lines = [
    header,
    { type: 'target', ...TARGET },
    ...Array.from({ length: 10_000 }, (_, i) => snapshot(i)),
  ];
  const plain = recordOf(t, lines);
  const packed = `${plain}.gz`;
  writeFileSync(packed, gzipSync(readFileSync(plain)));
  for (const path of [plain, packed]) {
    const source = await openRecord(path);
    const { size } = statSync(path);
    t.is(source.totalBytes, size);
    let before = source.bytesRead;
    for await (const _ of source.observations()) {
      if (source.bytesRead < before || source.bytesRead > size) t.fail(`${source.bytesRead} after ${before}`);
      before = source.bytesRead;
    }
    t.is(source.bytesRead, size);
  }
});
