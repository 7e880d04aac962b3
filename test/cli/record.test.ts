import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { RecordLine, TargetLine } from '../../src/record/format.js';
import { readRecord } from '../../src/record/reader.js';
import { begin, isOneLine, linesOf, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { ended, start } from '../helpers/processes.js';

const QUICK = ['--sample', '10ms', '--aggr', '50ms'];

/** What can be read of a file now. */
async function readableOf(
  path: string,
): Promise<{ lines: RecordLine[]; skipped: number; truncated: boolean }> {
  const reader = readRecord(path);
  const lines: RecordLine[] = [];
  for await (const line of reader) lines.push(line);
  return { lines, skipped: reader.skippedLines, truncated: reader.truncated };
}

for (const name of ['it.ndjson', 'it.ndjson.gz']) {
  test.serial(`kill -9: ${name} has all that could be read of it before`, async (t) => {
    const path = join(folderFor(t), name);
    const { pid } = start(t, 'sleep', ['60']);
    const { child } = begin(t, ['record', '--pid', String(pid), '-o', path, ...QUICK]);
    let before: RecordLine[] = [];
    // Compressed lines are flushed once a second: two seconds are more than once.
    while (!before.some((line) => line.type === 'snapshot' && line.endUs > 2e6)) {
      await pause(100);
      if (existsSync(path)) before = (await readableOf(path)).lines;
    }
    child.kill('SIGKILL');
    await ended(child);
    const { lines, skipped, truncated } = await readableOf(path);
    t.deepEqual(lines.slice(0, before.length), before);
    t.is(skipped, 0);
    t.true(truncated);
  });
}

test.serial('a target line says what the process has mapped and what of that is resident', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['60']);
  const { status, err } = await run(t, 'record', '--pid', String(pid), '-o', path, '-d', '300ms', ...QUICK);
  t.is(status, 0, err);
  const target = linesOf(path).find((line): line is TargetLine => line.type === 'target')!;
  t.true(
    target.mappings!.some(([, , permissions, name]) => permissions === 'r-xp' && name.endsWith('/sleep')),
  );
  t.true(target.residentBytes! > 0);
  t.is(target.resident!.length, target.mappings!.length);
});

test.serial('a recording that rotates leaves files that can each be read alone', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['60']);
  const args = ['--pid', String(pid), '-o', path, '-d', '2500ms', '--rotate', '1s', ...QUICK];
  t.is((await run(t, 'record', ...args)).status, 0);
  const names = readdirSync(join(path, '..')).sort();
  t.true(names.length > 1);
  t.deepEqual(names, [...names.slice(0, -1).map((_, i) => `it.${i + 1}.ndjson`), 'it.ndjson']);
  for (const name of names) {
    const lines = linesOf(join(path, '..', name));
    t.deepEqual(
      lines.slice(0, 3).map(({ type }) => type),
      ['header', 'target', 'snapshot'],
    );
    t.true((lines[1] as TargetLine).mappings!.length > 0);
    t.like(lines.at(-1), { type: 'end', reason: name === 'it.ndjson' ? 'duration' : 'rotated' });
  }
});

for (const [what, args, pattern] of [
  [
    'a time that is too short',
    ['--rotate', '10ms'],
    /Give a time of at least 1s or a size of at least 64KiB/,
  ],
  ['standard output', ['--rotate', '1h', '-o', '-'], /--rotate cannot start a new file on standard output/],
] as const) {
  test.serial(`--rotate: ${what} is refused`, async (t) => {
    const outcome = await run(t, 'record', '--pid', '1', ...args);
    isOneLine(t, outcome, pattern);
    t.is(outcome.status, 2);
  });
}
