import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { begin, isOneLine, linesOf, MAIN, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { ended, start } from '../helpers/processes.js';
import { RICH, recordFile } from '../helpers/records.js';

// What a command does with a name that others may have prepared, and what is left when it is stopped.

const QUICK = ['--sample', '10ms', '--aggr', '50ms'];

/** The part files in a folder that hold a snapshot. */
async function partIn(here: string): Promise<string> {
  for (;;) {
    const part = readdirSync(here).find((name) => name.endsWith('.recording'));
    if (part && readFileSync(join(here, part), 'utf8').includes('"snapshot"')) return join(here, part);
    await pause(20);
  }
}

for (const command of ['record', 'convert', 'report heatmap']) {
  test.serial(`${command}: a planted link, pipe or device is refused, and not waited for`, async (t) => {
    const { pid } = start(t, 'sleep', ['60']);
    const here = folderFor(t);
    const victim = join(here, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(here, 'link.svg'));
    symlinkSync(join(here, 'nowhere'), join(here, 'dangling.svg'));
    execFileSync('mkfifo', [join(here, 'pipe.svg')]);
    const what = {
      record: ['--pid', String(pid), '-d', '300ms', ...QUICK],
      convert: [recordFile(t, RICH), '--to', 'csv'],
      'report heatmap': [recordFile(t, RICH)],
    }[command]!;
    for (const [name, message] of [
      ['link.svg', /it already exists/],
      ['dangling.svg', /it already exists/],
      ['pipe.svg', /not a regular file/],
    ] as const) {
      const outcome = await run(t, ...command.split(' '), ...what, '-o', join(here, name));
      t.is(outcome.status, 1, outcome.err);
      isOneLine(t, outcome, message);
    }
    t.is(readFileSync(victim, 'utf8'), 'precious');

    const link = join(here, 'link.svg');
    const forced = await run(t, ...command.split(' '), ...what, '--force', '-o', link);
    t.is(forced.status, 0, forced.err);
    t.true(lstatSync(link).isFile());
    t.is(statSync(link).mode & 0o777, 0o600);
    t.is(readFileSync(victim, 'utf8'), 'precious');
    t.deepEqual(readdirSync(here).sort(), ['dangling.svg', 'link.svg', 'pipe.svg', 'victim']);
  });
}

test.serial(
  'record --force: the old file stays until the record is whole, and is not written to',
  async (t) => {
    const here = folderFor(t);
    const path = join(here, 'it.ndjson');
    writeFileSync(path, 'precious');
    chmodSync(path, 0o666);
    const { pid } = start(t, 'sleep', ['60']);
    const { child, outcome } = begin(t, ['record', '--pid', String(pid), '--force', '-o', path, ...QUICK]);
    t.is(statSync(await partIn(here)).mode & 0o777, 0o600);
    t.is(readFileSync(path, 'utf8'), 'precious');
    child.kill('SIGTERM');
    t.is((await outcome).status, 0);
    t.is(linesOf(path).at(-1)?.type, 'end');
    t.is(statSync(path).mode & 0o777, 0o600);
    t.deepEqual(readdirSync(here), ['it.ndjson']);
  },
);

test.serial(
  'record --force: after kill -9 the old file and what was recorded are there, and said',
  async (t) => {
    const here = folderFor(t);
    const path = join(here, 'it.ndjson');
    writeFileSync(path, 'precious');
    const { pid } = start(t, 'sleep', ['60']);
    const args = ['record', '--pid', String(pid), '--force', '-o', path, '-d', '300ms', ...QUICK];
    const { child } = begin(t, args.with(args.indexOf('300ms'), '60s'));
    const part = await partIn(here);
    child.kill('SIGKILL');
    await ended(child);
    t.is(readFileSync(path, 'utf8'), 'precious');

    const { status, err } = await run(t, ...args);
    t.is(status, 0, err);
    t.true(err.includes(`pagepulse: ${part} holds an earlier recording that was killed`), err);
    t.is(linesOf(path).at(-1)?.type, 'end');
    t.deepEqual(
      linesOf(part)
        .slice(0, 3)
        .map(({ type }) => type),
      ['header', 'target', 'snapshot'],
    );
  },
);

test.serial('convert: what kill -9 has left is gone after the next run', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it.csv');
  const child = spawn(process.execPath, [MAIN, 'convert', '-', '--to', 'csv', '-o', path], { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  while (readdirSync(here).length === 0) await pause(20); // it waits for its input
  child.kill('SIGKILL');
  await ended(child);
  t.is(readdirSync(here).length, 1);
  t.is((await run(t, 'convert', recordFile(t, RICH), '--to', 'csv', '-o', path)).status, 0);
  t.deepEqual(readdirSync(here), ['it.csv']);
});

test.serial('what the shell has opened is written to by its name', (t) => {
  const record = recordFile(t, RICH);
  const here = folderFor(t);
  const bash = (script: string) =>
    spawnSync('bash', ['-c', script, process.execPath, MAIN, 'convert', record, '--to', 'csv', '-o'], {
      cwd: here,
      encoding: 'utf8',
    });
  const text = bash('"$0" "$@" -').stdout;
  t.true(text.startsWith('target,pid'));
  t.is(bash('"$0" "$@" /dev/stdout').stdout, text);
  t.is(bash('"$0" "$@" /dev/stdout > it; cat it').stdout, text);
  t.is(bash('"$0" "$@" /dev/fd/3 3>&1').stdout, text);
  t.is(bash('"$0" "$@" >(cat > new; mv new copy)').status, 0);
  while (!existsSync(join(here, 'copy'))) bash('sleep 0.05');
  t.is(readFileSync(join(here, 'copy'), 'utf8'), text);
  for (const force of ['', '--force']) t.is(bash(`"$0" "$@" /dev/null ${force}`).status, 0);
});
