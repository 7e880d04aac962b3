import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, inflateSync } from 'node:zlib';
import test from 'ava';
import { isOneLine, run } from '../../helpers/cli.js';
import { folderFor } from '../../helpers/fixtures.js';

/** What damo wrote of a kernel's DAMON: 38 snapshots in 7.87 s, of one target without a name or mappings. */
const DAMON = fileURLToPath(
  new URL('../../../../test/record/convert/kernel/damo-3.4.1.data', import.meta.url),
);

test("every report tells of a recording of the kernel's DAMON what it has, once it is converted", async (t) => {
  const record = join(folderFor(t), 'it.ndjson');
  const report = async (...args: string[]) => {
    const { status, out, err } = await run(t, 'report', ...args);
    t.deepEqual([status, err], [0, ''], 'and nothing is wrong with it');
    return out;
  };
  t.deepEqual(await run(t, 'convert', DAMON, '--to', 'ndjson', '-o', record), {
    status: 0,
    out: '',
    err: '',
  });
  const wss = await report('wss', record);
  t.regex(wss, /\n7\.87 s, 38 snapshots of 1 process, DAMON check\n/);
  t.regex(wss, /\ntarget 0 +16\.1 MiB +56\.1 MiB +69\.4 MiB +- +- /);
  t.regex(await report('access', record), /\n55ce81502000 +467 MiB +0 % +3\.8 s +-\n/);
  t.regex(await report('mappings', record), /has no mappings/);
  t.regex(await report('heatmap', record), /\ntarget 0 {2}the hottest 18\.6 MiB of 536 MiB watched/);
  t.is((await report('raw', '--json', record)).trimEnd().split('\n').length, 38);
  t.regex(await report('diff', record, record), /\nworking set, p50 +16\.1 MiB +16\.1 MiB +0 B\n/);
});

const EVENT =
  'damon:damon_aggregated: target_id=18446623435582458880 nr_regions=8 94253027950592-94253031862272: 0';
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

/** Files that people give for records, and what each is said to be, with the way from there. */
const FOREIGN: readonly (readonly [content: string | Buffer, pattern: RegExp])[] = [
  ['PERFILE2h\0\0\0\0\0\0\0', /is a perf\.data file; .*`damo convert_record_format --record_file FILE/],
  ['2ELIFREP\0\0\0\0\0\0\0h', /is a perf\.data file/],
  [
    `       kdamond.0  4452 [000] 82820.952659: ${EVENT}\n`,
    /is DAMON events as text \(`perf script`\); .*`damo convert_record_format .*`pagepulse convert/,
  ],
  ['swapper     0 [001] 82820.95: 250000 cpu-clock: ffffffff81 idle\n', /is `perf script` text; if/],
  ['damon_recfmt_ver\x02\0\0\0', /old binary DAMON recording; convert it with damo 2\.0\.2 or older: `damo/],
  ['\x17\x08DtracingV6', /is a trace\.dat file/],
  ['# tracer: nop\n#\n', /is ftrace text/],
  ['base_time_absolute: 23 h\n', /is `damo report` text/],
  ['{\n  "a": 1\n}\n', /is JSON, but its first line is not a record header/],
  ['{"displayTimeUnit":"ms","traceEvents":[]}\n', /is a trace/],
  [utf16('\uFEFF{"type":"header"}\n'), /is UTF-16 text; .*`iconv -f UTF-16 -t UTF-8 FILE`/],
  [utf16('{"type":"header"}\n'), /is UTF-16 text; .*`iconv -f UTF-16LE/],
  [utf16('{"type":"header"}\n').swap16(), /is UTF-16 text; .*`iconv -f UTF-16BE/],
  [Buffer.from('fffe00007b000000', 'hex'), /is UTF-32 text/],
  [Buffer.from('28b52ffd00', 'hex'), /is compressed with zstd; decompress it first/],
  [Buffer.alloc(4_096), /is a binary file/],
  ['once upon a time\n', /is text in an unknown format/],
];

test('every command that takes a record says what a file is that is not one, and what to do', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  const commands = [
    ['convert', path, '--to', 'csv', '-o', join(here, 'out')],
    ...['wss', 'access', 'mappings', 'raw', 'heatmap'].map((kind) => ['report', kind, path]),
    ['report', 'diff', path, path],
  ];
  for (const [i, [content, pattern]] of FOREIGN.entries()) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    for (const file of [bytes, gzipSync(bytes)]) {
      writeFileSync(path, file);
      // All say it in the same place: each file is given to two of them.
      for (const args of [commands[0]!, commands[1 + (i % 6)]!]) {
        const outcome = await run(t, ...args);
        t.is(outcome.status, 1);
        isOneLine(t, outcome, pattern);
      }
    }
  }
  for (const args of commands) {
    writeFileSync(path, '');
    isOneLine(t, await run(t, ...args), /is empty/);
    rmSync(path);
    mkdirSync(path);
    isOneLine(t, await run(t, ...args), /it is a directory/);
    rmSync(path, { recursive: true });
  }
});

test('a file of damo, and tables, are named to reports with the command that makes a record of them', async (t) => {
  const here = folderFor(t);
  const csv = join(here, 'it.csv');
  await run(t, 'convert', DAMON, '--to', 'csv', '-o', csv);
  const arrow = join(here, 'it.arrow');
  await run(t, 'convert', DAMON, '--to', 'arrow', '-o', arrow);
  const json = join(here, 'it.json');
  writeFileSync(json, gzipSync(inflateSync(readFileSync(DAMON))));
  const files = [
    [
      DAMON,
      /is a JSON array, as damo writes; convert it to a record first: `pagepulse convert FILE --to ndjson/,
    ],
    [json, /is a JSON array/],
    [csv, /is CSV; .*`pagepulse convert FILE --to ndjson/],
    [arrow, /is an Arrow file; .*`pagepulse convert FILE --to ndjson/],
  ] as const;
  for (const [path, pattern] of files) {
    const outcome = await run(t, 'report', 'wss', path);
    t.is(outcome.status, 1);
    isOneLine(t, outcome, pattern);
  }
});
