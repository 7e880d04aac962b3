import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { TargetLine } from '../../src/record/format.js';
import { begin, linesOf, MAIN, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { start } from '../helpers/processes.js';
import { onTerminal, Tmux } from '../helpers/tmux.js';

// How commands end: without output, without anything seen, with a command that goes on.

const QUICK = ['--sample', '10ms', '--aggr', '50ms'];

/** In bash, with this after the command line. */
function inShell(args: readonly string[], end: string) {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const { status, stderr } = spawnSync('bash', ['-c', `${words} ${end}`], {
    encoding: 'utf8',
    timeout: 600_000,
    killSignal: 'SIGKILL',
  });
  return { status, err: stderr.replace(/^pagepulse: the referenced check clears.*\n/m, '') };
}

/** A short record, made for the test. */
async function recordOf(t: ExecutionContext, pid: number): Promise<string> {
  const path = join(folderFor(t), 'it.ndjson');
  await run(t, 'record', '--pid', String(pid), '-o', path, '-d', '300ms', ...QUICK);
  return path;
}

const LIVE = ['top', 'top --json', 'top --once', 'watch', 'tune', 'record -o -'];
const OF_RECORDS = [
  'wss',
  'access',
  'mappings',
  'raw',
  'heatmap',
  'raw --json',
  'wss --json',
  'heatmap --json',
];

for (const command of LIVE) {
  test.serial(`${command}: a full disk is an error in one line, with status 1`, (t) => {
    const { pid } = start(t, 'sleep', ['60']);
    const pace = command === 'tune' ? ['--aggrs', '1', '--max-sample', '20ms', '--max-cpu', '100%'] : QUICK;
    const { status, err } = inShell([...command.split(' '), '--pid', String(pid), ...pace], '> /dev/full');
    t.is(status, 1, err);
    t.regex(
      err,
      /^pagepulse: cannot write the (output|record) to standard output: the disk is full;[^\n]*\n$/m,
    );
    t.is(err.split('disk is full').length, 2, err);
    t.notRegex(err, /nothing was/);
  });
}

test.serial('reports, conversions and all else say it too', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const record = await recordOf(t, pid);
  const commands = [
    ...OF_RECORDS.map((kind) => ['report', ...kind.split(' '), record]),
    ['report', 'diff', record, record],
    ['report', 'wss', '--pid', String(pid), '-d', '200ms', ...QUICK],
    ['convert', record, '--to', 'csv', '-o', '-'],
    ['demo', '-d', '5s'],
    ['doctor'],
    ['doctor', '--json'],
    ['--version'],
    ['top', '--help'],
  ];
  for (const args of commands) {
    const { status, err } = inShell(args, '> /dev/full');
    t.is(status, 1, `${args}: ${err}`);
    t.is(err.split('the disk is full').length, 2, `${args}: ${err}`);
    t.notRegex(err, /\n\s+at /);
  }
});

for (const command of ['top', 'watch', 'record -o -', 'report raw -d 60s']) {
  test.serial(`${command}: a reader that has seen enough ends it quietly`, (t) => {
    const { pid } = start(t, 'sleep', ['60']);
    const { status, err } = inShell(
      [...command.split(' '), '--pid', String(pid), ...QUICK],
      `| head -n 1 > /dev/null; exit \${PIPESTATUS[0]}`,
    );
    t.is(status, 0, err);
    t.notRegex(err, /cannot|nothing was/);
  });
}

test.serial('remarks that nobody takes are no failure', (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  t.is(
    inShell(['watch', '--pid', String(pid), '-d', '300ms', ...QUICK], '2> /dev/full > /dev/null').status,
    0,
  );
});

const SLOW = ['--sample', '1s', '--aggr', '60s'];

for (const [command, done] of [
  ['top', 'seen'],
  ['top --once', 'seen'],
  ['watch', 'seen'],
  ['report wss', 'seen'],
  ['report heatmap', 'seen'],
  ['record', 'recorded'],
] as const) {
  test.serial(`${command}: if nothing matches, it says so and fails`, async (t) => {
    const output = command === 'record' ? ['-o', join(folderFor(t), 'it.ndjson')] : [];
    const args = [...command.split(' '), '--name', 'no-such-program-anywhere', '-d', '300ms', ...output];
    const { status, err } = await run(t, ...args);
    t.is(status, 1, err);
    t.regex(err, /no process matches yet; waiting for one for up to 300 ms/);
    t.regex(err, new RegExp(`nothing was ${done}: no process matched; run \`ps -e\``));
  });

  test.serial(`${command}: a command that ends within the first interval leaves an answer`, async (t) => {
    const output = command === 'record' ? ['-o', join(folderFor(t), 'it.ndjson')] : [];
    const pace = ['--sample', '50ms', '--aggr', '60s', '--update', '50ms'];
    const { status, err } = await run(t, ...command.split(' '), ...output, ...pace, '--', 'sleep', '4');
    t.is(status, 0, err);
    t.notRegex(err, new RegExp(`nothing was ${done}`));
  });
}

test.serial('tune says why it found nothing', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const { status, err } = await run(t, 'tune', '--pid', String(pid), '-d', '200ms', ...SLOW);
  t.is(status, 1);
  t.regex(err, /nothing was found: --duration \(200 ms\) was over before the first step, which takes \d/);
});

for (const command of ['record', 'watch', 'top', 'tune', 'report wss']) {
  test.serial(`${command}: when the duration is over, the command keeps running`, async (t) => {
    const dir = folderFor(t);
    const output = command === 'record' ? ['-o', join(dir, 'it.ndjson')] : [];
    const pace = command === 'tune' ? ['--aggrs', '1', '--max-cpu', '100%'] : QUICK;
    const args = [...command.split(' '), ...output, '-d', '1500ms', ...pace, '--'];
    // Its own output, so that what is read here does not wait for it.
    const child = ['sh', '-c', `exec sleep 300 > /dev/null 2>&1`];
    const { status, err } = await run(t, ...args, ...child);
    const pid = Number(/the command keeps running \(PID (\d+)\); end it with `kill \1`\n/.exec(err)?.[1]);
    t.true(pid > 0, err);
    t.true(existsSync(`/proc/${pid}`));
    process.kill(pid, 'SIGKILL');
    t.is(status, 0, err);
  });
}

test.serial('a second signal ends the program if the command does not end', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const child = ['sh', '-c', `trap '' TERM INT; echo $$ > '${path}.pid'; while :; do sleep 1; done`];
  const recording = begin(t, ['record', '-o', path, ...QUICK, '--', ...child]);
  let err = '';
  recording.child.stderr!.on('data', (data) => {
    err += data;
  });
  const shown = async (pattern: RegExp) => {
    while (!pattern.test(err)) await once(recording.child.stderr!, 'data');
  };
  while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length < 4)
    await new Promise((resolve) => setTimeout(resolve, 20));
  recording.child.kill('SIGINT');
  await shown(/waiting for the command to exit \(PID \d+\); Ctrl-C ends Pagepulse at once/);
  recording.child.kill('SIGINT');
  const [status, signal] = await once(recording.child, 'exit');
  process.kill(Number(readFileSync(`${path}.pid`, 'utf8')), 'SIGKILL');
  t.deepEqual([status, signal], [null, 'SIGINT']);
});

for (const signal of [
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGVTALRM',
  'SIGXCPU',
  'SIGUSR2',
] as const) {
  test.serial(`${signal} ends the command, and the record is whole`, async (t) => {
    const path = join(folderFor(t), 'it.ndjson');
    const { child, outcome } = begin(t, ['record', '-o', path, ...QUICK, '--', 'sleep', '300']);
    await hasSnapshot(path);
    child.kill(signal);
    const { status, err } = await outcome;
    t.is(status, 143, err);
    t.like(linesOf(path).at(-1), { type: 'end', reason: 'stopped' });
    const target = linesOf(path).find((line) => line.type === 'target') as TargetLine;
    t.false(existsSync(`/proc/${target.pid}`));
  });
}

test.serial('no signal makes it listen for a debugger, which anybody could connect to', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['60']);
  const { child, outcome } = begin(t, ['record', '--pid', String(pid), '-o', path, ...QUICK]);
  await hasSnapshot(path);
  child.kill('SIGUSR1');
  const before = linesOf(path).length;
  while (readFileSync(path, 'utf8').split('\n').length < before + 10) await pause(20);
  child.kill('SIGINT');
  const { status, err } = await outcome;
  t.is(status, 0, err);
  t.notRegex(err, /debugger/i);
});

/** The end of a pipe that takes nothing, and whose reader is there. */
function fullPipe(t: ExecutionContext): number {
  const path = join(folderFor(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
  for (;;) {
    try {
      writeSync(fd, 'x'.repeat(4_096));
    } catch {
      return fd;
    }
  }
}

for (const command of ['record -o -', 'report raw', 'report wss', 'top', 'top --json', 'watch', 'tune']) {
  test.serial(`${command}: a signal ends it although nobody reads its output any more`, async (t) => {
    const { pid } = start(t, 'sleep', ['60']);
    const args = [...command.split(' '), '--pid', String(pid), '--check', 'referenced', ...QUICK];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', fullPipe(t), 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    let err = '';
    child.stderr!.on('data', (data) => {
      err += data;
    });
    while (!/the referenced check clears/.test(err)) await once(child.stderr!, 'data');
    await pause(500); // a while of watching
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    t.is(status, 1, err);
    t.regex(
      err,
      /^pagepulse: cannot write the (record|output) to standard output: its reader has stopped reading/m,
    );
    t.is(err.split('stopped reading').length, 2, err);
  });
}

test.serial('a signal cuts nothing that a slow reader still takes', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const quick = ['--sample', '1ms', '--aggr', '2ms', '--min-regions', '100'];
  const child = spawn(process.execPath, [MAIN, 'record', '-o', '-', '--pid', String(pid), ...quick], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'readable');
  await pause(1_000);
  child.kill('SIGINT');
  let text = '';
  child.stdout.setEncoding('utf8');
  for await (const piece of child.stdout) {
    text += piece;
    await pause(100);
  }
  t.like(JSON.parse(text.trimEnd().split('\n').at(-1)!), { type: 'end', reason: 'stopped' });
});

async function hasSnapshot(path: string): Promise<void> {
  while (!existsSync(path) || !readFileSync(path, 'utf8').includes('"snapshot"')) await pause(20);
}

for (const command of ['top', 'watch']) {
  onTerminal(`${command}: q ends the command too`, async (t) => {
    const line = `'${process.execPath}' '${MAIN}' ${command} ${QUICK.join(' ')} -- sleep 300 2>/dev/null`;
    const terminal = new Tmux(t, `${line}; echo status=$?`);
    await terminal.shows(/working[\s\S]*sleep|sleep +working set/);
    terminal.type('q');
    t.regex(await terminal.shows(/status=/), /status=143/);
  });

  onTerminal(`${command}: q before the first snapshot is no failure`, async (t) => {
    const { pid } = start(t, 'sleep', ['60']);
    const line = `'${process.execPath}' '${MAIN}' ${command} --pid ${pid} ${SLOW.join(' ')}`;
    const terminal = new Tmux(t, `${line}; echo status=$?`);
    await terminal.shows(/due in[\s\S]*sleep/);
    terminal.type('q');
    const text = await terminal.shows(/status=/);
    t.regex(text, /status=0/);
    t.notRegex(text, /nothing was/);
  });

  onTerminal(`${command}: Ctrl-C and Ctrl-C again ends it, whatever the command does`, async (t) => {
    const dir = folderFor(t);
    const script = join(dir, 'deaf.sh');
    writeFileSync(script, `trap '' TERM INT; echo $$ > '${dir}/pid'; while :; do sleep 1; done\n`);
    const line = `'${process.execPath}' '${MAIN}' ${command} ${QUICK.join(' ')} -- sh '${script}'`;
    // A shell that is not ended by the same Ctrl-C.
    const terminal = new Tmux(t, `trap : INT; ${line}; echo status=$?`);
    await terminal.shows(/ sh /);
    terminal.type('C-c');
    await terminal.shows(/waiting for the command to exit/);
    terminal.type('C-c');
    t.regex(await terminal.shows(/status=/), /status=130/);
    process.kill(Number(readFileSync(`${dir}/pid`, 'utf8')), 'SIGKILL');
  });

  test.serial(
    `${command}: what is known at once is shown at once, and what is pending as pending`,
    async (t) => {
      const { pid } = start(t, 'sleep', ['60']);
      const child = spawn(process.execPath, [MAIN, command, '--pid', String(pid), ...SLOW]);
      t.teardown(() => child.kill('SIGKILL'));
      const [data] = await once(child.stdout, 'data');
      t.regex(String(data), /waiting for the first snapshot, due in (1 min|\d+ s)\n/);
      t.regex(String(data), new RegExp(`${pid} sleep`));
      t.regex(String(data), /[\d.]+ MiB/);
      t.regex(String(data), /pending/);
    },
  );
}

test.serial('top --json says what is pending, and when the first snapshot is due', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const { out } = await run(t, 'top', '--json', '--pid', String(pid), '-d', '300ms', ...SLOW);
  const document = JSON.parse(out.split('\n')[0]!);
  t.true(document.firstDueInUs > 0);
  t.like(document.totals, { processes: 1, pending: 1, workingSetBytes: null });
  t.like(document.rows[0], { pid, name: 'sleep', isPending: true, workingSetBytes: null, hotBytes: null });
  t.true(document.rows[0].residentBytes > 0);
});

test.serial('in the C locale what is printed is ASCII', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const record = await recordOf(t, pid);
  for (const kind of ['wss', 'access', 'mappings', 'heatmap']) {
    const { stdout } = spawnSync(process.execPath, [MAIN, 'report', kind, record], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', FORCE_COLOR: kind === 'heatmap' ? '3' : '0' },
    });
    t.regex(stdout.replaceAll('\x1b', ''), /^[\n\x20-\x7e]+$/, kind);
  }
  const { stdout } = spawnSync(process.execPath, [MAIN, 'report', 'wss', record], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  t.regex(stdout, /[▁-█]/);
});
