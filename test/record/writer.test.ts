import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { type PagepulseError, systemCode } from '../../src/core/errors.js';
import { readRecord } from '../../src/record/reader.js';
import { RecordWriter } from '../../src/record/writer.js';
import { folderFor } from '../helpers/fixtures.js';
import { EXAMPLE, HEADER, largeSnapshot, STATS, TARGET, typesOf, writeExample } from '../helpers/records.js';

test('a written record can be read, plain and compressed', async (t) => {
  const folder = folderFor(t);
  for (const name of ['it.ndjson', 'it.ndjson.gz']) {
    await writeExample(RecordWriter.create(join(folder, name)));
    const reader = readRecord(join(folder, name));
    t.is(await typesOf(reader), 'header target snapshot snapshot snapshot end');
    t.false(reader.truncated);
  }
  t.is(readFileSync(join(folder, 'it.ndjson'))[0], '{'.charCodeAt(0));
  t.is(readFileSync(join(folder, 'it.ndjson.gz'))[0], 0x1f);
});

test('only the owner can read a record', async (t) => {
  const path = join(folderFor(t), 'it');
  const writer = RecordWriter.create(path);
  t.is(statSync(path).mode & 0o777, 0o600);
  await writer.close();
});

test('a plain line is in the file when its promise resolves', async (t) => {
  const path = join(folderFor(t), 'it');
  const writer = RecordWriter.create(path);
  await writer.header(HEADER);
  t.true(readFileSync(path, 'utf8').endsWith('}}\n'));
  await writer.snapshot(EXAMPLE);
  t.is(await typesOf(readRecord(path)), 'header snapshot');
  await writer.close();
});

test('a compressed recording is readable while it is written, shortly behind the writer', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'it.gz');
  const copy = join(folder, 'copy');
  const writer = RecordWriter.create(path);
  await writer.header(HEADER);
  for (const expected of ['header snapshot', 'header snapshot snapshot']) {
    await writer.snapshot(EXAMPLE);
    for (let types = ''; types !== expected; ) {
      await pause(50);
      copyFileSync(path, copy); // as after a kill: nothing is closed
      types = await typesOf(readRecord(copy));
    }
  }
  t.true(readRecord(copy).truncated);
  await writer.close();
});

test('an existing file is only replaced with force', async (t) => {
  for (const name of ['it', 'it.gz']) {
    const here = folderFor(t);
    const path = join(here, name);
    const old = 'precious'.repeat(1_000);
    writeFileSync(path, old);
    t.throws(() => RecordWriter.create(path), { code: 'OUTPUT', message: /already exists.*--force/ });
    const writer = RecordWriter.create(path, { force: true });
    await writer.header(HEADER);
    await writer.snapshot(EXAMPLE);
    t.is(readFileSync(path, 'utf8'), old, 'until the new one is complete');
    await writer.end('stopped', STATS);
    await writer.close();
    t.deepEqual(readdirSync(here), [name]);
    const reader = readRecord(path);
    t.is(await typesOf(reader), 'header snapshot end');
    t.is(reader.skippedLines, 0);
  }
});

test('a recording without targets and snapshots leaves no file', async (t) => {
  for (const name of ['it', 'it.gz']) {
    const path = join(folderFor(t), name);
    await RecordWriter.create(path).discard();
    t.false(existsSync(path));

    const writer = RecordWriter.create(path);
    await writer.header(HEADER);
    await writer.end('targets ended', STATS);
    await writer.close();
    await writer.discard();
    t.false(existsSync(path), 'a header and an end are nothing');
  }
});

test('a recording with a target is kept', async (t) => {
  const path = join(folderFor(t), 'it');
  const writer = RecordWriter.create(path);
  await writer.header(HEADER);
  await writer.target(TARGET);
  await writer.discard();
  t.is(await typesOf(readRecord(path)), 'header target');
});

test('a file to be replaced survives a recording that never starts', async (t) => {
  const path = join(folderFor(t), 'it');
  writeFileSync(path, 'precious');
  await RecordWriter.create(path, { force: true }).discard();
  t.is(readFileSync(path, 'utf8'), 'precious');
});

test('an incomplete recording that was to replace a file is kept beside it', async (t) => {
  const path = join(folderFor(t), 'it');
  writeFileSync(path, 'precious');
  const writer = RecordWriter.create(path, { force: true });
  await writer.header(HEADER);
  await writer.target(TARGET);
  const part = await writer.discard();
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.is(await typesOf(readRecord(part!)), 'header target');
});

test('a bad path is refused at once', (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'file'), '');
  const refused: readonly [string, RegExp][] = [
    [join(folder, 'none', 'it'), /directory does not exist; create it/],
    [folder, /it is a directory; give a file/],
    [join(folder, 'file', 'it'), /part of the path is a file/],
    [join(folder, 'x'.repeat(300)), /name is too long/],
  ];
  for (const [path, message] of refused) {
    for (const force of [false, true]) {
      const error = t.throws<PagepulseError>(() => RecordWriter.create(path, { force }), {
        code: 'OUTPUT',
        message,
      });
      t.true(error.message.startsWith(`cannot write the record to ${path}: `));
      t.truthy(systemCode(error.cause));
    }
  }
});

test('a full disk ends the recording with one error, thrown by the call that met it', async (t) => {
  const writer = RecordWriter.create(`/dev/fd/${openSync('/dev/full', 'w')}`);
  const error = await t.throwsAsync<PagepulseError>(writer.header(HEADER), {
    code: 'OUTPUT',
    message: /disk is full/,
  });
  t.is(systemCode(error.cause), 'ENOSPC');
  t.is(await t.throwsAsync(writer.snapshot(EXAMPLE)), error, 'no further writes');
  await t.notThrowsAsync(writer.close());
  await t.notThrowsAsync(writer.discard());
  t.true(existsSync('/dev/full'));
});

const FULL_DISK = `
  import { readdirSync, readlinkSync } from 'node:fs';
  import { setTimeout as pause } from 'node:timers/promises';
  import { RecordWriter } from '${new URL('../../src/record/writer.js', import.meta.url)}';
  import { HEADER, largeSnapshot } from '${new URL('../helpers/records.js', import.meta.url)}';
  const outcome = async (act) => {
    try {
      await act();
      return 'none';
    } catch (error) {
      return error.code + ' ' + error.cause.code;
    }
  };
  const isOpen = (path) =>
    readdirSync('/proc/self/fd').some((fd) => {
      try {
        return readlinkSync('/proc/self/fd/' + fd) === path;
      } catch {
        return false; // closed meanwhile
      }
    });
  const [folder] = process.argv.slice(1);
  const small = RecordWriter.create(folder + '/small.gz');
  await small.header(HEADER); // is still in the compression
  const outcomes = { small: [await outcome(() => small.close()), await outcome(() => small.close())] };
  const large = RecordWriter.create(folder + '/large.gz');
  const endless = async () => {
    for (;;) await large.snapshot(largeSnapshot());
  };
  outcomes.large = [await outcome(endless), await outcome(() => large.close())];
  const untold = RecordWriter.create(folder + '/untold.gz');
  await untold.header(HEADER);
  while (isOpen(folder + '/untold.gz')) await pause(20); // until the flush meets the limit while nobody writes
  outcomes.untold = [await outcome(() => untold.close())];
  console.log(JSON.stringify(outcomes));
`;

test('a full disk behind the compression is reported once, by the next call or by close', async (t) => {
  const args = ['--input-type=module', '-e', FULL_DISK, folderFor(t)];
  // A file size limit of 0 behaves like a full disk.
  const shell = ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, ...args];
  const { stdout } = await promisify(execFile)('bash', shell);
  const full = 'OUTPUT EFBIG';
  t.deepEqual(JSON.parse(stdout), { small: [full, 'none'], large: [full, 'none'], untold: [full] });
});

test('lines that fill the buffer leave no listeners behind', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const folder = folderFor(t);
  for (const name of ['it', 'it.gz']) {
    const writer = RecordWriter.create(join(folder, name));
    await writer.header(HEADER);
    for (let i = 0; i < 12; i++) await writer.snapshot(largeSnapshot());
    await writer.close();
  }
  await turn();
  t.deepEqual(warnings, []);
});
