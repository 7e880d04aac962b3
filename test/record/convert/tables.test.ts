import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import test from 'ava';
import type { RecordedRegion, RecordLine } from '../../../src/record/format.js';
import { folderFor } from '../../helpers/fixtures.js';
import {
  converted,
  headerOf,
  linesIn,
  RICH,
  snapshotLineOf,
  targetOf,
  textIn,
} from '../../helpers/records.js';

const header = headerOf();
const target = targetOf();

const snapshot = (regions: readonly RecordedRegion[], startUs = 0) =>
  snapshotLineOf(regions, { startUs, endUs: startUs + 100_120 });

test('CSV has a row for each region, decimal addresses, and the rest of the record in a column', async (t) => {
  const path = await converted(
    t,
    [
      header,
      target,
      snapshot([
        ['1000', '3000', 7, 3],
        ['3000', '4000', 0, 1],
      ]),
    ],
    'csv',
  );
  const [names, first, second, ...none] = textIn(path).split('\n');
  t.is(
    names,
    'target,pid,comm,start_us,end_us,max_nr_accesses,start,end,nr_accesses,age,record,mapping,permissions,resident_bytes,accessed_bytes,mapped_bytes',
  );
  t.true(first!.startsWith('0,4242,"postgres",0,100120,20,4096,12288,7,3,"{""before"":[{'));
  t.is(second, '0,4242,"postgres",0,100120,20,12288,16384,0,1,,,,,,4096', 'unknown values are empty');
  t.deepEqual(none, ['']);
});

test('columns hold what each region was mapped as at that time, and the permissions', async (t) => {
  const mapped = targetOf({
    mappings: [
      ['1000', '3000', 'r--p', '/lib/a "b", c.so'],
      ['3000', '4000', 'rw-p', '/lib/a "b", c.so'],
      ['4000', '8000', 'rw-s', '/dev/zero (deleted)'],
      ['9000', 'a000', 'rw-p', ''],
    ],
  });
  const regions: RecordedRegion[] = [
    ['1000', '2000', 1, 0],
    ['1000', '5000', 1, 0],
    ['5000', '6000', 1, 0],
    ['8000', '9000', 1, 0],
    ['8000', 'a000', 1, 0],
  ];
  const lines: RecordLine[] = [
    header,
    mapped,
    snapshot(regions),
    {
      type: 'mappings',
      target: 0,
      atUs: 100_120,
      removed: ['1000'],
      mappings: [['9000', 'a000', 'r--p', '[heap]']],
    },
    snapshot(
      [
        ['1000', '2000', 1, 0],
        ['9000', 'a000', 1, 0],
      ],
      100_120,
    ),
    { type: 'end', reason: 'stopped', stats: {} },
  ];
  const expected = [
    ['/lib/a "b", c.so', 'r--p'],
    ['/lib/a "b", c.so', 'r--p'],
    ['[shared anonymous]', 'rw-s'],
    ['unmapped', null],
    ['anonymous', 'rw-p'],
    ['unmapped', null],
    ['[heap]', 'r--p'],
  ];
  const arrow = await converted(t, lines, 'arrow');
  const table = tableFromIPC(readFileSync(arrow));
  t.deepEqual(
    table.toArray().map((row) => [row.mapping, row.permissions]),
    expected,
  );
  const csv = await converted(t, lines, 'csv');
  const rows = textIn(csv).trimEnd().split('\n').slice(1);
  t.deepEqual(
    rows.map((row) => row.match(/,((?:"(?:[^"]|"")*")?),((?:"[^"]*")?),,,\d+$/)!.slice(1, 3)),
    expected.map((texts) => texts.map((text) => (text ? `"${text.replaceAll('"', '""')}"` : ''))),
  );
  for (const path of [arrow, csv]) t.deepEqual(await linesIn(t, path), lines);
});

test('names in CSV are neither formulas nor control sequences, and convert back exactly', async (t) => {
  const names = [
    '=cmd|x!A1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\uff1d1',
    '\x1b[2J',
    "it's = 1",
    '-rwx',
  ];
  const addresses = names.map((_, i) => [i + 1, i + 2].map((page) => (page * 4_096).toString(16)));
  const mappings = names.map((name, i) => [addresses[i]![0]!, addresses[i]![1]!, name, name] as const);
  const regions = addresses.map(([start, end]): RecordedRegion => [start!, end!, 1, 0]);
  const lines: RecordLine[] = [header, targetOf({ comm: '=1+1', mappings }), snapshot(regions)];
  const path = await converted(t, lines, 'csv');
  const rows = textIn(path).trimEnd().split('\n').slice(1);
  const expected = [
    "'=cmd|x!A1",
    "'+1",
    "'-1",
    "'@SUM(A1)",
    '?=1',
    '?=1',
    "'\uff1d1",
    '?[2J',
    "it's = 1",
    "'-rwx",
  ];
  t.deepEqual(
    rows.map((row) => row.match(/,("[^"]*"),("[^"]*"),,,\d+$/)!.slice(1)),
    expected.map((text) => [`"${text}"`, `"${text}"`]),
  );
  for (const row of rows) t.regex(row, /^0,4242,"'=1\+1",/);
  t.deepEqual(await linesIn(t, path), lines);
});

test('permissions stay as the kernel writes them, also with a leading sign', async (t) => {
  const mapped = targetOf({ mappings: [['1000', '3000', '---p', '[guard]']] });
  const path = await converted(t, [header, mapped, snapshot([['1000', '3000', 0, 3]])], 'csv');
  t.regex(textIn(path), /,"\[guard\]","---p",,,\d+\n$/);
});

test('columns hold the resident and accessed bytes of each region, and convert back', async (t) => {
  const regions: RecordedRegion[] = [
    ['1000', '3000', 1, 3],
    ['3000', '5000', 0, 1],
  ];
  const counted = { resident: [8_192, 4_096], unseen: [0, 4_096], accessed: [4_096, 0] };
  const lines: RecordLine[] = [
    header,
    target,
    { ...snapshot(regions), residentBytes: 12_288, memory: counted, settling: true },
    { ...snapshot(regions, 100_120), memory: { resident: [8_192, 0] } },
  ];
  const csv = await converted(t, lines, 'csv');
  const cells = textIn(csv).trimEnd().split('\n').slice(1);
  t.deepEqual(
    cells.map((row) => row.split(',').slice(-3, -1)),
    [
      ['8192', '4096'],
      ['4096', '0'],
      ['8192', ''],
      ['0', ''],
    ],
  );
  const arrow = await converted(t, lines, 'arrow');
  t.deepEqual(
    tableFromIPC(readFileSync(arrow))
      .toArray()
      .map((row) => [row.resident_bytes, row.accessed_bytes]),
    [
      [8_192, 4_096],
      [4_096, 0],
      [8_192, null],
      [0, null],
    ],
  );
  for (const path of [arrow, csv]) t.deepEqual(await linesIn(t, path), lines);
  // With a region removed, the memory columns no longer fit.
  const fewer = join(folderFor(t), 'fewer.csv');
  writeFileSync(fewer, textIn(csv).replace(/^.*,4096,0,\d+\n/m, ''));
  const [, , first] = await linesIn(t, fewer);
  t.like(first, { type: 'snapshot', regions: [regions[0]], residentBytes: 12_288 });
  t.false('memory' in first!);
});

test('tables of earlier versions, without the mapping columns, are read', async (t) => {
  const path = await converted(t, [header, target, snapshot([['1000', '3000', 7, 3]], 5)], 'csv');
  const earlier = join(folderFor(t), 'earlier.csv');
  writeFileSync(
    earlier,
    textIn(path)
      .replace(',mapping,permissions,resident_bytes,accessed_bytes,mapped_bytes\n', '\n')
      .replace(/,,,,,8192\n$/, '\n'),
  );
  t.deepEqual(await linesIn(t, earlier), [header, target, snapshot([['1000', '3000', 7, 3]], 5)]);
});

test('CSV rewritten by another program is read: reordered and additional columns, decimals', async (t) => {
  const path = await converted(t, [header, target, snapshot([['1000', '3000', 7, 3]], 5)], 'csv');
  const record = textIn(path).slice(textIn(path).indexOf('"{'), -',,,,,8192\n'.length);
  const again = join(folderFor(t), 'again.csv');
  const text =
    '\uFEFF,age,nr_accesses,end,start,max_nr_accesses,end_us,start_us,target,record,mine\r\n' +
    `0,3.0,7.0,12288.0,4096.0,20,100125.0,5.0,0,${record},x\r\n`;
  writeFileSync(again, text);
  t.deepEqual(await linesIn(t, again), [header, target, snapshot([['1000', '3000', 7, 3]], 5)]);
});

test('page addresses that another program wrote as floating point are exact', async (t) => {
  const far = snapshot([['1ff000000001000', '1ff000000003000', 7, 3]], 5);
  const path = await converted(t, [header, target, far], 'csv');
  const again = join(folderFor(t), 'again.csv');
  const [start, end] = [0x1ff000000001000, 0x1ff000000003000];
  t.true(textIn(path).includes(`,${BigInt(start)},${BigInt(end)},`));
  for (const [from, to] of [
    [`${BigInt(start)}.0`, `${BigInt(end)}.0`],
    [start.toExponential(), end.toExponential()], // as Python's repr
  ]) {
    writeFileSync(
      again,
      textIn(path)
        .replace(String(BigInt(start)), from!)
        .replace(String(BigInt(end)), to!),
    );
    t.deepEqual(await linesIn(t, again), [header, target, far]);
  }
});

test('if a table has lost rows, the samples of its regions are dropped, not mixed up', async (t) => {
  const regions: RecordedRegion[] = [
    ['1000', '3000', 7, 3, 200],
    ['3000', '4000', 0, 9, 40, 1.5],
  ];
  const path = await converted(t, [header, target, snapshot(regions, 5)], 'csv');
  const fewer = join(folderFor(t), 'fewer.csv');
  writeFileSync(fewer, textIn(path).replace(/^.*,12288,16384,.*$\n/m, ''));
  t.deepEqual(await linesIn(t, fewer), [header, target, snapshot([['1000', '3000', 7, 3]], 5)]);
});

test('damaged tables are refused in one sentence', async (t) => {
  const csv = textIn(await converted(t, RICH, 'csv'));
  const rows = csv.split(/\n(?=\d)/);
  const refused: readonly [string | Buffer, RegExp][] = [
    [rows.with(1, rows[1]!.replace(/"\{.*/s, ',,,,,')).join('\n'), /lacks the first row of the table/],
    [csv.replace(',record,', ',memory,'), /there is no column record/],
    [csv.replace('20480', 'x'), /cannot read .* as CSV/],
    [csv.replace(',20,', ',-1,'), /-1 is not a count/],
    [csv.replace('""type"":""target""', '""type"":""targets""'), /not a record line/],
    [gzipSync(csv).subarray(0, -30), /it is cut off/],
  ];
  for (const [content, message] of refused) {
    const path = join(folderFor(t), 'it.csv');
    writeFileSync(path, content);
    await t.throwsAsync(linesIn(t, path), { code: 'RECORD', message });
  }
  const arrow = join(folderFor(t), 'it.arrow');
  writeFileSync(arrow, readFileSync(await converted(t, RICH, 'arrow')).subarray(0, 2_000));
  await t.throwsAsync(linesIn(t, arrow), { code: 'RECORD', message: /cannot read .* as Arrow/ });
});

test('Arrow has a row for each region, exact addresses, and batches of limited size', async (t) => {
  const regions = Array.from({ length: 70_000 }, (_, i): RecordedRegion => {
    return [
      (2n ** 63n + BigInt(i) * 4096n).toString(16),
      (2n ** 63n + BigInt(i + 1) * 4096n).toString(16),
      i % 21,
      i,
    ];
  });
  const lines = [header, target, snapshot(regions), snapshot([['1000', '3000', 7, 3]], 100_120)];
  const path = await converted(t, lines, 'arrow');
  const table = tableFromIPC(readFileSync(path));
  t.is(table.numRows, 70_001);
  t.is(table.batches.length, 2);
  t.deepEqual(
    table.schema.fields.map(({ name, type, nullable }) => `${name}: ${type}${nullable ? '?' : ''}`),
    [
      'target: Uint32',
      'pid: Uint32',
      'comm: Utf8',
      'start_us: Float64',
      'end_us: Float64',
      'max_nr_accesses: Uint32',
      'start: Uint64',
      'end: Uint64',
      'nr_accesses: Uint32',
      'age: Uint32',
      'record: Utf8?',
      'mapping: Utf8?',
      'permissions: Utf8?',
      'resident_bytes: Float64?',
      'accessed_bytes: Float64?',
      'mapped_bytes: Float64',
    ],
  );
  const { record: _, ...row } = table.get(69_999)!.toJSON();
  t.deepEqual(row, {
    target: 0,
    pid: 4242,
    comm: 'postgres',
    start_us: 0,
    end_us: 100_120,
    max_nr_accesses: 20,
    start: 2n ** 63n + 69_999n * 4096n,
    end: 2n ** 63n + 70_000n * 4096n,
    nr_accesses: 69_999 % 21,
    age: 69_999,
    mapping: null,
    permissions: null,
    resident_bytes: null,
    accessed_bytes: null,
    mapped_bytes: 4096,
  });
  t.true(isDeepStrictEqual(await linesIn(t, path), lines));
});
