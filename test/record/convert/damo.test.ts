import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync, inflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { openInput } from '../../../src/record/convert/input.js';
import type { RecordLine, SnapshotLine } from '../../../src/record/format.js';
import { readRecord } from '../../../src/record/reader.js';
import { folderFor } from '../../helpers/fixtures.js';
import {
  converted,
  headerOf,
  linesIn,
  linesOfRecord,
  RICH,
  snapshotLineOf,
  targetOf,
} from '../../helpers/records.js';

/** One run of a real kernel's DAMON (test/lab), as three programs recorded it. */
const kernel = (name: string) =>
  fileURLToPath(new URL(`../../../../test/record/convert/kernel/${name}`, import.meta.url));

const regionsOf = (lines: readonly RecordLine[]) =>
  lines.filter((line): line is SnapshotLine => line.type === 'snapshot').map(({ regions }) => regions);

function damoFile(t: ExecutionContext, document: unknown, name = 'damon.data'): string {
  const path = join(folderFor(t), name);
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
  return path;
}

test("a recording made by damo has the same regions as the kernel's trace", async (t) => {
  const trace = regionsOf(await linesOfRecord(readRecord(kernel('damon-trace.ndjson'))));
  const lines = await linesIn(t, kernel('damo-3.4.1.data'));
  t.deepEqual(regionsOf(lines), trace);
  t.like(lines[0], { type: 'header', tool: 'damo', attrs: { sampleUs: 5_000, aggrUs: 100_000 } });
  t.like(lines[1], { type: 'target', id: 0, pid: 0, comm: 'target 0' });
  t.like(lines[2], { type: 'snapshot', startUs: 0, maxNrAccesses: 20 });
  t.is(lines.at(-1)!.type, 'end', 'it was not cut off');

  const older = regionsOf(await linesIn(t, kernel('damo-2.8.3.data')));
  t.is(older.length, 22, 'it has left out some');
  const known = new Set(trace.map((regions) => JSON.stringify(regions)));
  t.true(older.every((regions) => known.has(JSON.stringify(regions))));
});

async function readWithNotes(t: ExecutionContext, path: string) {
  const { lines, notes } = await openInput(path, folderFor(t));
  const all = await linesOfRecord(lines);
  return { lines: all, notes: notes() };
}

/** Ten snapshots with these counts, as damo writes them from a trace. */
const withCounts = (
  counts: readonly number[],
  snapshotMs: number,
  entry: object = {},
  snapshot: object = {},
) => [
  {
    intervals: null,
    target_id: 0,
    ...entry,
    snapshots: Array.from({ length: 10 }, (_, i) => ({
      start_time: String(i * snapshotMs * 1e6),
      end_time: String((i + 1) * snapshotMs * 1e6),
      regions: counts.map((samples, r) => ({
        start: String(4_096 * (r + 1)),
        end: String(4_096 * (r + 2)),
        nr_accesses: { samples, percent: null },
        age: { usec: null, aggr_intervals: i },
      })),
      ...snapshot,
    })),
  },
];

test('unstated intervals are derived from the durations of snapshots and the largest count', async (t) => {
  const said = { sample_us: '5 ms', aggr_us: '100 ms', ops_update_us: '1 s' };
  const files: readonly [object, sampleUs: number, aggrUs: number, shares: readonly number[]][] = [
    [withCounts([200, 60, 0], 1_000), 5_000, 1_000_000, [1, 0.3, 0]],
    // The default intervals, nothing accessed all the time.
    [withCounts([4, 1, 0], 100), 5_000, 100_000, [0.2, 0.05, 0]],
    [withCounts([20, 10], 1_600, {}, { sample_interval_us: '80 ms' }), 80_000, 1_600_000, [1, 0.5]],
    // `damo adjust` has joined ten aggregation intervals, and kept the old ones in the file.
    [withCounts([200, 60, 0], 1_000, { intervals: said }), 5_000, 1_000_000, [1, 0.3, 0]],
    [withCounts([20, 6, 0], 100, { intervals: said }), 5_000, 100_000, [1, 0.3, 0]],
  ];
  for (const [file, sampleUs, aggrUs, shares] of files) {
    const { lines } = await readWithNotes(t, damoFile(t, file));
    const attrs = lines.findLast((line) => line.type === 'header' || line.type === 'attrs')!;
    t.like(attrs, { attrs: { sampleUs, aggrUs } });
    const last = lines.at(-2) as SnapshotLine;
    t.deepEqual(
      last.regions.map(([, , nrAccesses]) => nrAccesses / last.maxNrAccesses),
      shares,
    );
    t.true(last.regions.every(([, , , age]) => age === 9));
  }
});

test('late and missing snapshots do not lengthen the derived intervals', async (t) => {
  const [entry] = withCounts([20, 0], 100);
  entry!.snapshots = entry!.snapshots.map((snapshot, i) =>
    i % 2 > 0 ? { ...snapshot, start_time: String((i - 1) * 1e8) } : snapshot,
  );
  const { lines } = await readWithNotes(t, damoFile(t, [entry]));
  t.like(lines[0], { attrs: { sampleUs: 5_000, aggrUs: 100_000 } });
});

test('a note states assumed intervals, and only those', async (t) => {
  const { notes } = await readWithNotes(t, kernel('damo-2.8.3.data'));
  t.is(notes.length, 1);
  t.regex(
    notes[0]!,
    /the file does not state its intervals: assuming 7\.\d+ ms and 15\d\.\d+ ms, derived from/,
  );
  t.deepEqual((await readWithNotes(t, kernel('damo-3.4.1.data'))).notes, []);
});

test('a record without target lines is converted with a target without a process', async (t) => {
  const lines = await linesIn(t, await converted(t, kernel('damon-trace.ndjson'), 'damo'));
  t.like(lines[1], { type: 'target', id: 0, pid: 0 });
  t.deepEqual(regionsOf(lines), regionsOf(await linesOfRecord(readRecord(kernel('damon-trace.ndjson')))));
});

/** One snapshot of one region, as some version of damo writes it. */
const document = (region: object, snapshot: object = {}, entry: object = {}) => [
  {
    intervals: { sample_us: '5 ms', aggr_us: '100 ms', ops_update_us: '1 s' },
    target_id: 0,
    snapshots: [
      {
        start_time: '539809434100',
        end_time: '539914032967',
        regions: [
          {
            start: '4096',
            end: 12288,
            nr_accesses: { samples: 7 },
            age: { usec: null, aggr_intervals: 3 },
            ...region,
          },
        ],
        total_bytes: null,
        ...snapshot,
      },
    ],
    ...entry,
  },
];

test('numbers may be text, with separators and units, counts or percentages', async (t) => {
  const read = async (region: object, snapshot?: object) =>
    (await linesIn(t, damoFile(t, document(region, snapshot)))).at(-2) as SnapshotLine;
  const regions: readonly [object, SnapshotLine['regions'][number]][] = [
    [{}, ['1000', '3000', 7, 3]],
    [{ start: '94,827,419,009,024', end: '94827423150080' }, ['563ebaa00000', '563ebadf3000', 7, 3]],
    [{ start: '4.000 KiB', end: '1 MiB' }, ['1000', '100000', 7, 3]],
    [{ end: '18446744073709551615' }, ['1000', 'ffffffffffffffff', 7, 3]],
    [{ nr_accesses: { samples: null, percent: 35 } }, ['1000', '3000', 7, 3]],
    [{ nr_accesses: { percent: '35 %' } }, ['1000', '3000', 7, 3]],
    [{ nr_accesses: { samples: '1,234' } }, ['1000', '3000', 1234, 3]],
    [{ age: { usec: 350_000, aggr_intervals: null } }, ['1000', '3000', 7, 3]],
    [{ age: { usec: '1 s 250 ms', aggr_intervals: null } }, ['1000', '3000', 7, 12]],
    [{ age: { usec: null, aggr_intervals: null } }, ['1000', '3000', 7, 0]],
  ];
  for (const [words, region] of regions) t.deepEqual((await read(words)).regions, [region]);
  const times = { start_time: '8 m 59 s 809 ms', end_time: '540,000,000,000' };
  t.like(await read({}, times), { startUs: 0, endUs: 191_000 });
  t.like(await read({}), { startUs: 0, endUs: 104_598.867 });
});

test('plain and gzipped JSON are read, with keys in any order', async (t) => {
  const { intervals, target_id, snapshots } = document({})[0]!;
  const text = JSON.stringify([{ snapshots, target_id, intervals }], null, 4);
  const path = damoFile(t, text);
  t.is((await linesIn(t, path)).length, 4);
  writeFileSync(path, gzipSync(text));
  t.is((await linesIn(t, path)).length, 4);
});

test('target ids beyond the precision of a float64 stay apart, and snapshots are in order of time', async (t) => {
  const entry = (id: string, start: number) =>
    JSON.stringify(
      document({}, { start_time: start, end_time: start + 1e8 }, { target_id: 'ID' })[0],
    ).replace('"ID"', id);
  const text = `[${entry('18446623435582458880', 5e8)},${entry('18446623435582458881', 0)}]`;
  const lines = await linesIn(t, damoFile(t, text));
  t.deepEqual(
    lines.map((line) => (line.type === 'snapshot' ? [line.target, line.startUs] : line.type)),
    ['header', 'target', [1, 0], 'target', [0, 500_000], 'end'],
  );
});

test('if the kernel tuned its intervals, the record has those in force', async (t) => {
  const lines = await linesIn(t, damoFile(t, document({}, { sample_interval_us: '20 ms' })));
  t.like(lines.at(-2), { type: 'snapshot', maxNrAccesses: 20 });
  const attrs = lines.findLast((line) => line.type === 'header' || line.type === 'attrs')!;
  t.like(attrs, { attrs: { sampleUs: 20_000, aggrUs: 400_000 } });
});

test('the empty region that damo adds to a single snapshot is dropped', async (t) => {
  const none = { start: '0', end: '0', nr_accesses: { samples: -1 }, age: { aggr_intervals: '-1' } };
  t.like((await linesIn(t, damoFile(t, document(none)))).at(-2), { type: 'snapshot', regions: [] });
  t.like((await linesIn(t, damoFile(t, document({}, { regions: [] })))).at(-2), {
    type: 'snapshot',
    regions: [],
  });
});

test('invalid damo files are refused in one sentence', async (t) => {
  const refused: readonly [unknown, RegExp][] = [
    [document({ start: 'here' }), /"here" is not a number as damo writes it/],
    [document({ start: '1 parsec' }), /"1 parsec" is not a number/],
    [document({ start: '1 constructor' }), /"1 constructor" is not a number/],
    [document({ nr_accesses: {} }), /is not a number/],
    [document({}, { regions: null }), /cannot read .*damon.data as damo JSON/],
    [JSON.stringify(document({})).slice(0, -20), /it is cut off/],
    ['[1, 2}', /cannot read/],
    [[], /there are no DAMON snapshots/],
    ['[1, 2]', /there are no DAMON snapshots/],
    [[{ snapshots: [1] }], /cannot read .* as damo JSON/],
    [document({ age: undefined }), /required fields are missing/],
    [document({}, { start_time: 'soon' }), /snapshot 1 of target 0: "soon" is not a number/],
    [
      document({}, {}, { intervals: { sample_us: 'x', aggr_us: 1, ops_update_us: 1 } }),
      /intervals of entry 0: "x" is not/,
    ],
  ];
  for (const [content, message] of refused) {
    await t.throwsAsync(linesIn(t, damoFile(t, content)), { code: 'RECORD', message });
  }
});

test('the output has an entry for each target, in the format of damo', async (t) => {
  const path = await converted(t, RICH, 'damo');
  const [first, second, third, ...none] = JSON.parse(inflateSync(readFileSync(path)).toString());
  t.deepEqual(none, []);
  const { snapshots, ...entry } = second;
  t.deepEqual(entry, {
    kdamond_idx: 0,
    context_idx: 0,
    intervals: { sample_us: '5000', aggr_us: '100000', ops_update_us: '1000000' },
    scheme_idx: null,
    target_id: 0,
    scheme_filters: [],
  });
  const { pagepulse: _, ...snapshot } = snapshots[0];
  t.deepEqual(snapshot, {
    start_time: '123456789',
    end_time: '223576789',
    regions: [
      { start: '94355073269760', end: '94355073404928', ...seen(9, 3) },
      { start: '94355073404928', end: '94355073409024', ...seen(10, 0) },
      { start: '18446744069414588416', end: '18446744073709543424', ...seen(0, 17) },
    ],
    total_bytes: null,
    sample_interval_us: null,
  });
  t.is(snapshots[1].sample_interval_us, '10000', 'as many samples in a longer interval: the same object');
  t.is(first.target_id, 7);
  t.deepEqual([third.target_id, third.intervals.sample_us, third.intervals.aggr_us], [0, '10000', '100000']);
});

const seen = (samples: number, age: number) => ({
  nr_accesses: { samples, percent: null },
  age: { usec: null, aggr_intervals: age },
});

test('the snapshots of a hundred targets are sorted by target, and merged again', async (t) => {
  const lines: RecordLine[] = [headerOf()];
  for (let id = 0; id < 100; id++) lines.push(targetOf({ id }));
  for (let i = 0; i < 1_000; i++) {
    const regions = Array.from({ length: 20 }, (_, r) => [`${r + 1}000`, `${r + 1}800`, i % 20, r] as const);
    lines.push(snapshotLineOf(regions, { target: i % 100, startUs: i, endUs: i + 1 }));
  }
  t.true(isDeepStrictEqual(await linesIn(t, await converted(t, lines, 'damo')), lines));
});
