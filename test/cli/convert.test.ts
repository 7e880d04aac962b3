import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { isOneLine, linesOf, MAIN, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { RICH, recordFile } from '../helpers/records.js';

test("convert writes a file that is its owner's alone, and says nothing", async (t) => {
  const path = join(folderFor(t), 'it.csv');
  const { status, out, err } = await run(t, 'convert', recordFile(t, RICH), '--to', 'csv', '-o', path);
  t.deepEqual([status, out, err], [0, '', '']);
  t.is(statSync(path).mode & 0o777, 0o600);
  const again = join(folderFor(t), 'again.ndjson');
  await run(t, 'convert', path, '--to', 'ndjson', '-o', again);
  t.deepEqual(linesOf(again), RICH as never);
});

test('a file that exists is overwritten with --force alone, and by nothing that fails', async (t) => {
  const record = recordFile(t, RICH);
  const here = folderFor(t);
  const path = join(here, 'it.csv');
  writeFileSync(path, 'precious');
  const refused = await run(t, 'convert', record, '--to', 'csv', '-o', path);
  t.is(refused.status, 1);
  isOneLine(t, refused, /already exists.*--force/);

  const damaged = join(folderFor(t), 'damaged.csv');
  await run(t, 'convert', record, '--to', 'csv', '-o', damaged);
  writeFileSync(damaged, readFileSync(damaged, 'utf8').replace('4096', 'x'));
  const failed = await run(t, 'convert', damaged, '--to', 'arrow', '--force', '-o', path);
  t.is(failed.status, 1);
  isOneLine(t, failed, /cannot read/);
  t.is(readFileSync(path, 'utf8'), 'precious');

  t.is((await run(t, 'convert', record, '--to', 'csv', '--force', '-o', path)).status, 0);
  t.true(readFileSync(path, 'utf8').startsWith('target,pid'));
  t.deepEqual(readdirSync(here), ['it.csv'], 'and nothing else is left');
});

test('a record that was cut off is converted as far as it goes, and that is said', async (t) => {
  const record = recordFile(t, RICH);
  writeFileSync(record, readFileSync(record, 'utf8').slice(0, -50));
  const path = join(folderFor(t), 'it.json');
  const outcome = await run(t, 'convert', record, '--to', 'trace', '-o', path);
  t.is(outcome.status, 0);
  isOneLine(t, outcome, /it is cut off/);
  t.notThrows(() => JSON.parse(readFileSync(path, 'utf8')));
});

test('what cannot be written is refused in one line, and leaves nothing', async (t) => {
  const here = folderFor(t);
  const record = recordFile(t, RICH);
  const refused: readonly [string[], number, RegExp][] = [
    [[record, '--to', 'csv', '-o', '/dev/full'], 1, /dev\/full: not a regular file; choose another path/],
    [[record, '--to', 'arrow', '-o', join(here, 'x.gz')], 2, /without \.gz/],
  ];
  for (const [args, status, message] of refused) {
    const outcome = await run(t, 'convert', ...args);
    t.is(outcome.status, status);
    isOneLine(t, outcome, message);
  }
  t.deepEqual(readdirSync(here), []);
});

test('a record without a whole snapshot is refused, with its name and its damaged lines', async (t) => {
  const record = recordFile(t, RICH.slice(0, 3));
  appendFileSync(record, '{"type":"snapshot"}\n{"type":"sna');
  const { status, err } = await run(t, 'convert', record, '--to', 'csv', '-o', '-');
  t.is(status, 1);
  t.is(
    err,
    `pagepulse: cannot convert ${record}: it has no snapshot; skipped 1 damaged line: 4; ` +
      'it is cut off, as if its writer was killed; record it again\n',
  );
});

test('it reads from a pipe, writes to one, and ends quietly when that is closed', async (t) => {
  const lines = RICH.map((line) => `${JSON.stringify(line)}\n`).join('');
  for (const format of ['damo', 'csv']) {
    const child = spawn(process.execPath, [MAIN, 'convert', '-', '--to', format, '-o', '-'], {
      stdio: 'pipe',
    });
    t.teardown(() => child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (data) => {
      err += data;
    });
    child.stdout.destroy();
    child.stdin.on('error', () => {}); // it has ended before it took all
    child.stdin.end(lines);
    const [status] = await once(child, 'close');
    t.deepEqual([status, err], [0, ''], format);
  }
});

test('a signal ends it, and leaves nothing of the file', async (t) => {
  const here = folderFor(t);
  const child = spawn(process.execPath, [MAIN, 'convert', '-', '--to', 'csv', '-o', join(here, 'it.csv')], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  while (readdirSync(here).length === 0) await pause(20); // it waits for the rest of its input
  child.stdin.write(`${JSON.stringify(RICH[0])}\n`);
  child.kill('SIGINT');
  const [, signal] = await once(child, 'close');
  t.is(signal, 'SIGINT');
  t.false(existsSync(join(here, 'it.csv')));
  t.deepEqual(readdirSync(here), []);
});
