import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openRecord } from '../../../src/report/source/recorded.js';
import { folderFor, HEADER, TARGET } from '../../record/records.js';

const PAGE = 4096;
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

test('what is wrong with a record is said when it was read', async (t) => {
  const path = recordOf(t, [header, snapshot(100_000), { type: 'snapshot', target: 'nobody' }]);
  const source = await openRecord(path);
  for await (const _ of source.observations()) t.fail('there is no snapshot of a known process');

  t.deepEqual(source.notes(), [
    `${path}: 1 damaged lines were left out`,
    `${path}: 1 snapshots of unknown processes were left out`,
    `${path}: it breaks off before its end, as a recording does that was killed`,
  ]);
});
