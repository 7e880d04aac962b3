import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { TargetLine } from '../../src/record/format.js';
import { begin, isOneLine, linesOf, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { limitMemory } from '../helpers/limited.js';
import { movesArguments, startProgram } from '../helpers/memory-programs.js';
import { start } from '../helpers/processes.js';

// Real processes, started by each test. How long anything takes is never asserted.

const QUICK = ['--sample', '10ms', '--aggr', '50ms'];

/** A program that forks four workers, and a shell script that starts it. All have the tag in their command lines. */
function service(t: ExecutionContext): { script: string; tag: string } {
  const path = folderFor(t);
  const tag = path.split('-').at(-1)!;
  const program = join(path, 'service.cjs');
  const script = join(path, 'service.sh');
  writeFileSync(
    program,
    `const { fork } = require('node:child_process');
if (process.argv[2] === 'worker') setTimeout(() => process.exit(), 6_000);
else for (let i = 0; i < 4; i++) fork(__filename, ['worker']);\n`,
  );
  writeFileSync(script, `'${process.execPath}' '${program}'\nexit 7\n`);
  return { script, tag };
}

function targetsOf(path: string): TargetLine[] {
  return linesOf(path).filter((line): line is TargetLine => line.type === 'target');
}

/** Waits until a recording has targets of that many processes. */
async function recorded(path: string, count: number): Promise<void> {
  while (!existsSync(path) || readFileSync(path, 'utf8').split('"type":"target"').length <= count)
    await pause(50);
}

test.serial('a command is recorded with all that it starts, until all have ended', async (t) => {
  const { script } = service(t);
  const path = join(folderFor(t), 'it.ndjson');
  const { status, err } = await run(t, 'record', '-o', path, ...QUICK, '--', 'sh', script);
  t.is(status, 7, err);
  t.is(targetsOf(path).length, 6);
  t.regex(err, /6 processes watched; .*\d+ scans for processes took \d+ ms of CPU/);
  t.like(linesOf(path).at(-1), { type: 'end', reason: 'targets ended' });
});

test.serial('a process is recorded with its children, and by a name', async (t) => {
  const { script, tag } = service(t);
  const [byPid, byName] = [join(folderFor(t), 'pid.ndjson'), join(folderFor(t), 'name.ndjson')];
  const waiting = begin(t, ['record', '-o', byName, ...QUICK, '--name', tag]);
  await once(waiting.child.stderr!, 'data');
  const { pid } = start(t, 'sh', [script]);
  const children = begin(t, ['record', '-o', byPid, ...QUICK, '--pid', String(pid), '--children']);
  const outcome = await children.outcome;
  t.is(outcome.status, 0, outcome.err);
  waiting.child.kill('SIGINT');
  const { status, err } = await waiting.outcome;
  t.is(status, 0, err);
  t.is(targetsOf(byPid).length, 6);
  t.is(targetsOf(byName).length, 6, 'the program that records has the tag in its own command line');
  t.regex(err, /no process matches yet; waiting for one/);
});

test.serial('a daemon whose parent ended at once is recorded until it ends, with its command', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const orphan = ['sh', '-c', 'sh -c "sleep 8 &"; exit 5'];
  const { status, err } = await run(t, 'record', '-o', path, ...QUICK, '--', ...orphan);
  t.is(status, 5, err);
  t.deepEqual(
    targetsOf(path).flatMap(({ cmdline }) => (cmdline[0] === 'sleep' ? [cmdline] : [])),
    [['sleep', '8']],
  );
  t.is((linesOf(path).at(-1) as { reason: string }).reason, 'targets ended');
});

test.serial('a process that execs into a match is recorded from then on', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const tag = `sixty-${process.pid}`;
  const child = start(t, 'sh', ['-c', `read line; exec sh -c 'read ${tag.replace('-', '_')}'`]);
  const { child: recorder, outcome } = begin(t, [
    ...['record', '-o', path, ...QUICK, '--name', `^sh -c read ${tag.replace('-', '_')}$`],
  ]);
  await once(recorder.stderr!, 'data');
  await pause(700);
  child.stdin!.write('\n');
  await recorded(path, 1);
  recorder.kill('SIGTERM');
  t.is((await outcome).status, 0);
  t.deepEqual(
    targetsOf(path).map(({ pid }) => pid),
    [child.pid],
  );
});

test.serial(
  'of several processes one that is not there is told of, and the others are recorded',
  async (t) => {
    const path = join(folderFor(t), 'it.ndjson');
    const { pid } = start(t, 'sleep', ['60']);
    const { status, err } = await run(
      t,
      ...['record', '-o', path, ...QUICK, '--pid', String(pid), '--pid', '4194309', '--duration', '600ms'],
    );
    t.is(status, 0);
    t.regex(err, /no process with PID 4194309/);
    t.is(targetsOf(path).length, 1);
  },
);

test.serial('no more than --max-targets are recorded, and the others are counted', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const seconds = `60.${process.pid}`;
  for (let i = 0; i < 5; i++) start(t, 'sleep', [seconds]);
  await pause(200);
  const name = ['--name', `^sleep ${seconds}$`];
  const { status, err } = await run(
    t,
    ...['record', '-o', path, ...QUICK, ...name, '--max-targets', '3', '--duration', '600ms'],
  );
  t.is(status, 0);
  t.is(targetsOf(path).length, 3);
  t.regex(err, /3 processes watched; 2 skipped: 2 more than --max-targets/);
});

test.serial('a cgroup that is not there yet is said, and waited for', async (t) => {
  const outcome = await run(
    t,
    ...[
      'record',
      '-o',
      join(folderFor(t), 'x'),
      ...QUICK,
      '--cgroup',
      '/no-such-cgroup',
      '--duration',
      '300ms',
    ],
  );
  t.is(outcome.status, 1);
  t.regex(outcome.err, /there is no cgroup \/no-such-cgroup\); waiting for one for up to 300 ms/);
  t.regex(outcome.err, /nothing was recorded: no process matched/);
});

test.serial('a bad selection starts no command', async (t) => {
  const path = join(folderFor(t), 'started');
  const outcome = await run(t, 'record', '--user', 'nobody-has-this-name', '--', 'touch', path);
  isOneLine(t, outcome, /there is no user/);
  t.is(outcome.status, 2);
  t.false(existsSync(path));
});

test.serial('a neighbour with a command line of 100 GiB is not felt', async (t) => {
  const neighbour = await startProgram(t, movesArguments('arguments', 100 * 2 ** 30, "b'A' * 100_000"));
  if (!neighbour) return;
  const path = join(folderFor(t), 'it.ndjson');
  const { child, outcome } = begin(t, ['record', '-o', path, ...QUICK, '--name', randomUUID()]);
  const limited = limitMemory(child);
  await once(child.stderr!, 'data');
  child.kill('SIGINT');
  const { err } = await outcome;
  t.is(limited.killed, undefined);
  t.regex(err, /nothing was recorded: no process matched/);
});

test.serial('the user is looked up without a program from PATH', async (t) => {
  const bin = folderFor(t);
  const [planted, proof] = [join(bin, 'id'), join(bin, 'it-ran')];
  writeFileSync(planted, `#!/bin/sh\necho > ${proof}\necho 0\n`, { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const args = ['record', '-o', join(bin, 'it.ndjson'), '--user', `no-${randomUUID()}`];
  isOneLine(t, await run(t, ...args), /there is no user no-/);
  t.false(existsSync(proof));
});
