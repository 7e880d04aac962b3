import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { snapshotLine } from '../../src/record/format.js';
import { readRecord } from '../../src/record/reader.js';
import { headerOf, largeSnapshot, textOf, typesOf } from '../helpers/records.js';

const PROGRAM = `
  import { RecordWriter } from '${new URL('../../src/record/writer.js', import.meta.url)}';
  import { EXAMPLE, HEADER, largeSnapshot, writeExample } from '${new URL('../helpers/records.js', import.meta.url)}';
  const writer = RecordWriter.create('-');
  if (process.argv[1] === 'whole') {
    await writeExample(writer);
    process.stdout.write('and standard output is open\\n');
  } else if (process.argv[1] === 'held up') {
    await writer.header(HEADER);
    await writer.snapshot(largeSnapshot());
    console.error('written');
  } else {
    await writer.header(HEADER);
    try {
      for (;;) await writer.snapshot(EXAMPLE);
    } catch (error) {
      await writer.close();
      console.error(JSON.stringify({ code: error.code, cause: error.cause.code, message: error.message }));
    }
  }
`;

const writeToPipe = (mode: string) =>
  spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });

test('`-` is standard output, which stays open', async (t) => {
  const child = writeToPipe('whole');
  t.teardown(() => child.kill('SIGKILL'));
  const reader = readRecord(child.stdout);
  t.is(await typesOf(reader), 'header target snapshot snapshot snapshot end');
  t.is(reader.skippedLines, 1, 'the line that somebody else wrote');
});

test('a closed pipe is reported as EPIPE, and the writer exits', async (t) => {
  const child = writeToPipe('endless');
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [exitCode, signal] = await once(child, 'close');
  t.deepEqual([exitCode, signal], [0, null], stderr);
  t.deepEqual(JSON.parse(stderr), {
    code: 'OUTPUT',
    cause: 'EPIPE',
    message: 'cannot write the record to standard output: its reader has closed it',
  });
});

test('a reader that pauses blocks the writer, and loses nothing', async (t) => {
  const child = writeToPipe('held up');
  t.teardown(() => child.kill('SIGKILL'));
  const { stdout, stderr } = child;
  stdout.pause();
  let isWritten = false;
  stderr.once('data', () => {
    isWritten = true;
  });

  // More than a pipe and a stream buffer: the line cannot be written until the reader continues.
  while (stdout.readableLength < HEADER_BYTES + 1) {
    stdout.read(0); // fetches a piece, and takes nothing
    await turn();
  }
  t.false(isWritten);

  let text = '';
  stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  stdout.resume();
  await once(child, 'close');
  t.true(isWritten);
  t.is(text.slice(text.indexOf('\n') + 1), `${snapshotLine(largeSnapshot())}\n`);
});

const HEADER_BYTES = textOf([headerOf()]).length;
