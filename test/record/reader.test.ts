import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { deflateSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import type { AttrsReason } from '../../src/core/stats.js';
import { attrsLine } from '../../src/record/format.js';
import { readColumnar, readRecord } from '../../src/record/reader.js';
import { RecordWriter } from '../../src/record/writer.js';
import { folderFor } from '../helpers/fixtures.js';
import {
  EXAMPLE,
  HEADER,
  headerOf,
  largeSnapshot,
  STATS,
  snapshotLineOf,
  targetOf,
  typesOf,
  writeExample,
} from '../helpers/records.js';

const HEADER_LINE = JSON.stringify(headerOf());
const TARGET_LINE = JSON.stringify(targetOf());
const SNAPSHOT_LINE = JSON.stringify(snapshotLineOf([['1000', '2000', 20, 3]]));
const END_LINE = '{"type":"end","reason":"stopped","stats":{"ticks":200}}';
const TEXT = `${[HEADER_LINE, TARGET_LINE, SNAPSHOT_LINE, SNAPSHOT_LINE, END_LINE].join('\n')}\n`;
const TYPES = ['header', 'target', 'snapshot', 'snapshot', 'end'];

const recordOf = (...chunks: readonly (string | Uint8Array)[]) => readRecord(Readable.from(chunks));

test('a record cut off at any byte is readable up to its last whole line', async (t) => {
  const bytes = Buffer.from(TEXT);
  for (let length = 0; length <= bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    // A last line that only lacks its line feed is complete.
    const lines = TEXT.split('\n').filter((_, i, all) => all.slice(0, i + 1).join('\n').length <= length);
    const reader = recordOf(cut);
    t.is(await typesOf(reader), TYPES.slice(0, lines.length).join(' '), `cut off at ${length}`);
    t.is(reader.truncated, lines.length < TYPES.length, `cut off at ${length}`);
    t.is(reader.skippedLines, 0, `cut off at ${length}`);
  }
});

test('the chunking of the bytes makes no difference', async (t) => {
  for (const bytes of [Buffer.from(TEXT), gzipSync(TEXT)]) {
    const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    t.is(await typesOf(recordOf(...single)), TYPES.join(' '));
    t.is(await typesOf(recordOf(Buffer.alloc(0), bytes)), TYPES.join(' '));
  }
  t.is(await typesOf(recordOf(...TEXT)), TYPES.join(' '));
});

test('a compressed record cut off anywhere is readable as far as it goes', async (t) => {
  const path = join(folderFor(t), 'it.gz');
  await writeExample(RecordWriter.create(path), 5);
  const whole = readFileSync(path);
  let before = 0;
  for (let length = 0; length < whole.length; length += 7) {
    const reader = recordOf(whole.subarray(0, length));
    const types = await typesOf(reader);
    t.true('header target snapshot snapshot snapshot snapshot snapshot end'.startsWith(types));
    t.is(reader.skippedLines, 0);
    t.true(types.length >= before, `a longer piece gave less at ${length}`);
    before = types.length;
  }
  t.true(before > 0);
});

test('compression is detected by content, not by name', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'plain.gz'), TEXT);
  writeFileSync(join(folder, 'packed.ndjson'), gzipSync(TEXT));
  t.is(await typesOf(readRecord(join(folder, 'plain.gz'))), TYPES.join(' '));
  const reader = readRecord(join(folder, 'packed.ndjson'));
  t.is(await typesOf(reader), TYPES.join(' '));
  t.false(reader.truncated);
  t.is(await typesOf(reader), TYPES.join(' '), 'a file can be read again');
});

test('a byte order mark and Windows line ends are accepted, whatever the chunks', async (t) => {
  const text = `\uFEFF${TEXT.replaceAll('\n', '\r\n')}`;
  for (const bytes of [Buffer.from(text), gzipSync(text), deflateSync(text)]) {
    for (const size of [1, 2, 3, 1_000_000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      for (const read of [readRecord, readColumnar]) {
        const reader = read(Readable.from(pieces));
        const types: string[] = [];
        for await (const { type } of reader) types.push(type);
        t.deepEqual(types, TYPES);
        t.is(reader.skippedLines, 0);
        t.false(reader.truncated);
      }
    }
  }
});

test('data after the compressed record is ignored', async (t) => {
  const reader = recordOf(gzipSync(TEXT), Buffer.from('garbage'), Buffer.from('more'));
  t.is(await typesOf(reader), TYPES.join(' '));
  t.is(await typesOf(recordOf(Buffer.concat([gzipSync(TEXT), Buffer.alloc(4_096)]))), TYPES.join(' '));
});

test('damaged compression ends the record, with little loss before it', async (t) => {
  const text = `${[HEADER_LINE, ...new Array<string>(4_000).fill(SNAPSHOT_LINE), END_LINE].join('\n')}\n`;
  // Stored, not compressed: damage does not affect the bytes before it.
  const packed = gzipSync(text, { level: 0 });
  let at = 10; // after the gzip header: blocks of 5 bytes with the length, then the text
  let textBytes = 0;
  while (textBytes < 200_000) {
    const length = packed.readUInt16LE(at + 1);
    textBytes += length;
    at += 5 + length;
  }
  packed.fill(0xff, at, at + 5);
  const reader = recordOf(packed);
  const lines = (await typesOf(reader)).split(' ').length;
  const linesIn = (bytes: number) => text.slice(0, bytes).split('\n').length - 1;
  t.true(lines <= linesIn(textBytes), `${lines} lines`);
  t.true(lines >= linesIn(textBytes - 16_384), `${lines} lines`);
  t.is(reader.skippedLines, 0);
  t.true(reader.truncated);
});

test('with a wrong checksum, the lines are read and the record counts as truncated', async (t) => {
  const packed = gzipSync(TEXT);
  packed[packed.length - 8]! ^= 1;
  const reader = recordOf(packed.subarray(0, -8), packed.subarray(-8));
  t.is(await typesOf(reader), TYPES.join(' '));
  t.true(reader.truncated);
});

test('damaged lines are skipped and counted', async (t) => {
  const damaged = [
    SNAPSHOT_LINE.slice(0, 50),
    SNAPSHOT_LINE.slice(50),
    '\0\0\0\0',
    '[]',
    'null',
    '{"no":"type"}',
    '{"type":"snapshot","target":0}',
    SNAPSHOT_LINE.replace('"1000"', '"not hex"'),
    SNAPSHOT_LINE.replace('20,3]', '-1,3]'),
    SNAPSHOT_LINE.replace('20,3]', '20]'),
    SNAPSHOT_LINE.replace('}', ',"cost":{"ticks":"many"}}'),
    TARGET_LINE.replace('["postgres","-D","data"]', '"postgres"'),
    '{"type":"end","stats":{}}',
    '{"type":"attrs","atUs":1,"attrs":{},"reason":"auto"}',
    attrsLine({ atUs: 1, attrs: DEFAULT_ATTRS, reason: '\x1b[2J' as AttrsReason }),
    attrsLine({ atUs: 1, attrs: DEFAULT_ATTRS, reason: 'budget', turns: 0.5 }),
  ];
  for (const line of damaged) {
    const reader = recordOf(`${[HEADER_LINE, line, TARGET_LINE, SNAPSHOT_LINE, END_LINE].join('\n')}\n`);
    t.is(await typesOf(reader), 'header target snapshot end', line);
    t.is(reader.skippedLines, 1, line);
    t.false(reader.truncated, line);
  }
});

test('unknown types and fields are ignored', async (t) => {
  const reader = recordOf(
    `${HEADER_LINE.replace('}}', '},"colour":"blue"}')}\r\n`,
    '{"type":"weather","regions":null}\n\n',
    `${SNAPSHOT_LINE.replace('20,3]', '20,3,"warm"]').replace(/}$/, ',"cost":{"ticks":1,"joules":[1]}}')}\n`,
    `${END_LINE}\n`,
  );
  t.is(await typesOf(reader), 'header snapshot end');
  t.is(reader.skippedLines, 0);
});

test('a record of another program may lack header fields', async (t) => {
  const { tool: _, startedAt: __, kernel: ___, ...rest } = JSON.parse(HEADER_LINE);
  for await (const line of recordOf(`${JSON.stringify(rest)}\n`))
    t.like(line, { type: 'header', tool: '', kernel: '' });
  t.is(await typesOf(recordOf(`${JSON.stringify(rest)}\n${SNAPSHOT_LINE}\n`)), 'header snapshot');
});

test('the known part of a later version is read', async (t) => {
  const header = HEADER_LINE.replace('"version":1', '"version":2');
  const later = SNAPSHOT_LINE.replace('[["1000","2000",20,3]]', '{"packed":"AAEC"}');
  const reader = recordOf(`${[header, TARGET_LINE, later, SNAPSHOT_LINE, END_LINE].join('\n')}\n`);
  t.is(await typesOf(reader), 'header target snapshot end');
  t.is(reader.skippedLines, 1);
});

test('input that is not a record is refused, and the error says why', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'file');
  const refused: readonly [string | Uint8Array, RegExp][] = [
    ['hello', /is text in an unknown format/],
    ['hello\nworld\n', /is text in an unknown format/],
    ['xyz\n', /is text in an unknown format/],
    ['{"a":1}\n', /is JSON, but its first line is not a record header/],
    [`${TARGET_LINE}\n`, /first line is not a record header/],
    ['\n', /is text in an unknown format/],
    [`${HEADER_LINE.replace('4096', '"4096"')}\n`, /header is damaged/],
    [gzipSync('hello\n'), /is text in an unknown format/],
    [Buffer.from([0x1f, 0x8b, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]), /cannot be decompressed/],
    [Buffer.alloc(100_000, 0xff), /is an Arrow stream/],
    [Buffer.alloc(100_000), /is a binary file/],
  ];
  for (const [content, message] of refused) {
    writeFileSync(path, content);
    const error = await t.throwsAsync(typesOf(readRecord(path)), { code: 'RECORD', message });
    t.true(error.message.includes(path));
  }
  mkdirSync(join(folder, 'folder'));
  await t.throwsAsync(typesOf(readRecord(join(folder, 'folder'))), {
    code: 'RECORD',
    message: /it is a directory/,
  });
  await t.throwsAsync(typesOf(readRecord(join(folder, 'none'))), {
    code: 'RECORD',
    message: /no such file/,
  });
});

test('leaving the iteration closes the source, even a silent one', async (t) => {
  for (const bytes of [TEXT, gzipSync(TEXT)]) {
    const source = new PassThrough();
    source.write(bytes);
    for await (const line of readRecord(source)) {
      t.is(line.type, 'header');
      break;
    }
    t.true(source.destroyed);
  }
});

test('a snapshot of many regions is read as one line', async (t) => {
  const path = join(folderFor(t), 'large.gz');
  const writer = RecordWriter.create(path);
  const large = largeSnapshot();
  await writer.header(HEADER);
  await writer.snapshot(large);
  await writer.snapshot(EXAMPLE);
  await writer.end('duration', STATS);
  await writer.close();
  const counts: number[] = [];
  for await (const line of readRecord(path)) {
    if (line.type === 'snapshot') counts.push(line.regions.length);
  }
  t.deepEqual(counts, [40_000, 2]);
});
