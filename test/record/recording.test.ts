import {
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Monitor } from '../../src/index.js';
import type { RecordLine } from '../../src/record/format.js';
import { readRecord } from '../../src/record/reader.js';
import { Recording, type Rotation, rotatedName, rotateFiles } from '../../src/record/recording.js';
import { folderFor } from '../helpers/fixtures.js';
import { EXAMPLE, HEADER, linesOfRecord, NO_MAPPINGS, STATS } from '../helpers/records.js';
import { hotCold } from '../helpers/synthetic.js';

/** Eight seconds of two targets on virtual time with automatic intervals: always the same. */
async function record(path: string, rotation?: Rotation): Promise<void> {
  const targets = [hotCold(), hotCold(64)];
  const monitor = await Monitor.start({ targets, clock: 'virtual', durationUs: 8e6, seed: 1, auto: true });
  const recording = Recording.create(path, { rotation });
  monitor.on('attrs', (change) => recording.attrs(change));
  await recording.begin({ ...HEADER, attrs: monitor.attrs }, NO_MAPPINGS);
  for await (const snapshot of monitor) await recording.snapshot(snapshot);
  const { reason, stats } = await monitor.ended;
  await recording.end(reason, stats);
}

/** The lines of each file, the oldest first. */
async function linesByFile(path: string, files: number): Promise<RecordLine[][]> {
  const names = Array.from({ length: files }, (_, i) => rotatedName(path, files - 1 - i));
  return Promise.all(names.map((name) => linesOfRecord(readRecord(name))));
}

test('the files of a rotated recording hold together what one file would', async (t) => {
  const one = join(folderFor(t), 'it.ndjson');
  await record(one);
  const snapshots = (lines: readonly RecordLine[]) => lines.filter(({ type }) => type === 'snapshot');
  const whole = snapshots((await linesByFile(one, 1))[0]!);
  for (const [name, rotation] of [
    ['it.ndjson', { everyUs: 3e6 }],
    ['it.ndjson', { fromBytes: 4_096 }],
    ['it.ndjson.gz', { everyUs: 3e6 }],
  ] as const) {
    const path = join(folderFor(t), name);
    await record(path, rotation);
    const files = await linesByFile(path, readdirSync(join(path, '..')).length);
    t.true(files.length > 1);
    t.deepEqual(files.flatMap(snapshots), whole);
  }
});

test('each file can be read alone: it has a header, its targets, the attrs in force and an end', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  await record(path, { everyUs: 2e6 });
  const files = await linesByFile(path, 4);
  let attrs: unknown;
  let seenLastUs = 0;
  for (const [i, lines] of files.entries()) {
    const [header, ...rest] = lines;
    t.like(header, { type: 'header', startedAt: HEADER.startedAt });
    if (i > 0) t.deepEqual((header as { attrs?: unknown }).attrs, attrs, 'the attrs that were in force');
    attrs = (header as { attrs?: unknown }).attrs;
    const known = new Set<number>();
    for (const line of rest) {
      if (line.type === 'target') known.add(line.id);
      if (line.type === 'attrs') attrs = line.attrs;
      if (line.type !== 'snapshot') continue;
      t.true(known.has(line.target));
      t.is(Math.ceil(line.endUs / 2e6), i + 1, 'by the grid of time since the start');
      t.true(line.endUs >= seenLastUs);
      seenLastUs = line.endUs;
    }
    t.like(lines.at(-1), { type: 'end', reason: i === 3 ? 'duration' : 'rotated' });
    t.is(statSync(rotatedName(path, 3 - i)).mode & 0o777, 0o600);
  }
});

test('rotation counts bytes on disk, and each file has at least one snapshot', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const recording = Recording.create(path, { rotation: { fromBytes: 1 } });
  await recording.begin(HEADER, NO_MAPPINGS);
  for (let i = 0; i < 3; i++) await recording.snapshot(EXAMPLE);
  await recording.end('stopped', STATS);
  t.is(recording.files, 3);
  for (const lines of await linesByFile(path, 3))
    t.is(lines.map(({ type }) => type).join(' '), 'header target snapshot end');
});

test('existing files are not overwritten, but get a larger number', (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  for (const [number, text] of ['now', 'one', 'two'].entries())
    writeFileSync(rotatedName(path, number), text);
  symlinkSync('nowhere', rotatedName(path, 3));
  writeFileSync(rotatedName(path, 5), 'behind a gap');
  rotateFiles(path);
  const texts = [1, 2, 3, 5].map((number) => readFileSync(rotatedName(path, number), 'utf8'));
  t.deepEqual(texts, ['now', 'one', 'two', 'behind a gap']);
  t.is(readlinkSync(rotatedName(path, 4)), 'nowhere');
});

test('a file moved away during the recording is not an error', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const recording = Recording.create(path, { rotation: { fromBytes: 1 } });
  await recording.begin(HEADER, NO_MAPPINGS);
  await recording.snapshot(EXAMPLE);
  renameSync(path, `${path}.moved`);
  await recording.snapshot(EXAMPLE);
  await recording.end('stopped', STATS);
  for (const name of [path, `${path}.moved`])
    t.is((await linesOfRecord(readRecord(name))).at(-1)?.type, 'end', name);
  t.deepEqual(readdirSync(join(path, '..')).sort(), ['it.ndjson', 'it.ndjson.moved']);
});

test('the number goes before the file extension', (t) => {
  for (const [path, rotated] of [
    ['it.ndjson', 'it.2.ndjson'],
    ['/a.b/it.ndjson.gz', '/a.b/it.2.ndjson.gz'],
    ['it.gz', 'it.2.gz'],
    ['/a.b/it', '/a.b/it.2'],
    ['.it', '.it.2'],
  ] as const) {
    t.is(rotatedName(path, 2), rotated);
  }
});

test('only regular files can be rotated', (t) => {
  t.throws(() => Recording.create('/dev/null', { rotation: { everyUs: 1e6 } }), {
    code: 'OUTPUT',
    message: /cannot rotate \/dev\/null: not a regular file/,
  });
});
