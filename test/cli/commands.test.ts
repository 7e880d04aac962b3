import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { EndLine, HeaderLine, SnapshotLine } from '../../src/record/format.js';
import { begin, isOneLine, linesOf, MAIN, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { findProcesses, start } from '../helpers/processes.js';

// On the machine's own kernel, with whatever access check it offers. Times are short, and never asserted.

const QUICK = ['--sample', '10ms', '--aggr', '50ms'];

for (const [what, args, status, pattern] of [
  ['no target', ['record'], 2, /nothing to watch: give --pid/],
  ['pid 0', ['record', '--pid', '0'], 2, /positive integer/],
  ['a negative pid', ['watch', '--pid', '-5'], 2, /positive integer/],
  ['a pid that is no number', ['record', '--pid', 'abc'], 2, /positive integer/],
  ['a huge pid', ['record', '--pid', '99999999999'], 2, /positive integer/],
  ['a pid of nobody', ['watch', '--pid', '4194309'], 1, /no process with PID 4194309; run `ps -e`/],
  [
    'an aggregation below the sampling interval',
    ['watch', '--pid', '1', '--sample', '10ms', '--aggr', '5ms'],
    2,
    /--aggr \(5ms\) is below --sample \(10ms\)/,
  ],
  [
    'limits the wrong way round',
    ['watch', '--pid', '1', '--min-regions', '9', '--max-regions', '5'],
    2,
    /--max-regions \(5\) is below --min-regions \(9\)/,
  ],
  ['a time without a unit', ['record', '--pid', '1', '--sample', '5'], 2, /as in 250us, 5ms/],
  ['an unknown check', ['record', '--pid', '1', '--check', 'psychic'], 2, /Allowed choices/],
  [
    'an unknown adaptation',
    ['watch', '--pid', '1', '--adaptation', 'luck'],
    2,
    /choices are damon, evidence/,
  ],
  [
    'a limit of samples without evidence',
    ['record', '--pid', '1', '--max-samples', '500'],
    2,
    /--max-samples needs --adaptation evidence: with damon, every region/,
  ],
  [
    'a limit of no samples',
    ['watch', '--pid', '1', '--adaptation', 'evidence', '--max-samples', '0'],
    2,
    /option '--max-samples <n>' argument '0' is invalid\. It must be an integer from 1 to/,
  ],
  ['an unknown option', ['record', '--frobnicate'], 2, /unknown option/],
  ['a folder as output', ['record', '--pid', '1', '-o', '/'], 1, /it is a directory/],
  ['an output in no folder', ['record', '--pid', '1', '-o', '/nowhere/x'], 1, /its directory does not exist/],
  ['a command beside -o -', ['record', '-o', '-', '--', 'true'], 2, /give the record a file/],
  [
    'a budget of nothing',
    ['watch', '--pid', '1', '--max-cpu', '0%'],
    2,
    /above 0% and at most \d+00%.*, as in 1% or 0.5%/,
  ],
  ['a budget without its unit', ['record', '--pid', '1', '--max-cpu', '1'], 2, /as in 1% or 0.5%/],
  ['a negative budget', ['watch', '--pid', '1', '--max-cpu=-1%'], 2, /as in 1% or 0.5%/],
  [
    'a budget beyond the machine',
    ['tune', '--pid', '1', '--max-cpu', '99999%'],
    2,
    /option '--max-cpu <share>'.* at most \d+00%, which is all/,
  ],
  [
    'a goal that cannot be',
    ['tune', '--pid', '1', '--access-bp', '0'],
    2,
    /option '--access-bp <n>'.* must be from 1 to 10,000/,
  ],
  [
    'bounds the wrong way round',
    ['watch', '--pid', '1', '--min-sample', '20s'],
    2,
    /--max-sample \(10s\) is below --min-sample \(20s\); raise/,
  ],
  ['nothing to tune', ['tune'], 2, /nothing to watch: give --pid/],
  ['a name that is no expression', ['record', '--name', '('], 2, /put a \\ before/],
  ['an empty name', ['watch', '--name', ''], 2, /matches every process/],
  ['an unknown user', ['record', '--user', 'nobody-has-this-name'], 2, /there is no user nobody-has/],
  ['an empty cgroup', ['record', '--cgroup', ''], 2, /the cgroup is empty/],
  ['a container by its name', ['record', '--container', 'web'], 2, /hex digits/],
  ['a limit of no targets', ['record', '--name', 'x', '--max-targets', '0'], 2, /positive integer, as in 20/],
  [
    'a range of several',
    ['record', '--name', 'x', '--range', '1000-2000'],
    2,
    /--range needs exactly one process/,
  ],
  [
    'a range with children',
    ['record', '--pid', '1', '--children', '--range', '1-2'],
    2,
    /needs exactly one process/,
  ],
  ['a range that is none', ['watch', '--pid', '1', '--range', 'zz'], 2, /two addresses in hex/],
  ['a range of words', ['watch', '--pid', '1', '--range', 'from-to'], 2, /An address is up to 16 hex digits/],
  [
    'a range beyond 64 bits',
    ['watch', '--pid', '1', '--range', '0-10000000000000000'],
    2,
    /up to 16 hex digits/,
  ],
  ['an empty range', ['watch', '--pid', '1', '--range', '2000-2000'], 2, /The range 2000-2000 is empty/],
  [
    'ranges that are too many',
    [
      'record',
      ...Array.from({ length: 101 }, (_, i) => ['--range', `${2 * i + 1}000-${2 * i + 2}000`]).flat(),
      '--',
      'touch',
      '/nowhere/x',
    ],
    2,
    /cannot watch 101 ranges: a process is watched in 1 to 100/,
  ],
  [
    'ranges that overlap',
    ['watch', '--range', '4000-6000', '--range', '1000-5000', '--', 'touch', '/nowhere/x'],
    2,
    /the range 4000-6000: it overlaps 1000-5000/,
  ],
] as const) {
  test.serial(`${what} is refused in one line, with what to do`, async (t) => {
    const outcome = await run(t, ...args);
    isOneLine(t, outcome, pattern);
    t.is(outcome.status, status);
    t.is(outcome.out, '');
  });
}

for (const [limit, pattern] of [
  ['-n 20', /^pagepulse: .*not enough file descriptors; raise the limit with `ulimit -n/m],
  ['-n 40', /^pagepulse: .*not enough file descriptors; raise the limit with `ulimit -n/m],
  ['-v 1200000', /thread .* needs \d+ MiB of address space, but `ulimit -v` leaves \d+ MiB; .*\n$/],
  ['-v 2000000', /thread .* needs \d+ MiB of address space, but `ulimit -v` leaves \d+ MiB; .*\n$/],
] as const) {
  test.serial(`with \`ulimit ${limit}\` sentences say so, and the command is not left behind`, (t) => {
    const mark = `3.${randomInt(2 ** 40)}`;
    const limited = (...args: string[]) => {
      const script = `ulimit -c 0; ulimit ${limit}; exec "$0" "$@"`;
      return spawnSync('bash', ['-c', script, process.execPath, ...args], { encoding: 'utf8' });
    };
    if (limited(MAIN, '--version').status !== 0)
      return void t.pass('Node itself does not start with so little');
    const { status, stderr } = limited(MAIN, 'watch', '--check', 'referenced', '--', 'sleep', mark);
    // Some versions of Node leave enough descriptors to wait for more until the command has ended.
    t.true(status === 1 || (status === 0 && limit.startsWith('-n')), `${status} ${stderr}`);
    t.regex(stderr, pattern);
    t.regex(stderr, /^(pagepulse: [^\n]+\n)+$/);
    t.deepEqual(findProcesses(`sleep ${mark}`), []);
  });
}

test.serial('doctor says what there is, as text and as JSON', async (t) => {
  const text = await run(t, 'doctor');
  t.regex(text.out, /^idle-page +(yes|no) /m);
  t.regex(text.out, /^referenced +(yes|no) /m);
  const { checks, best } = JSON.parse((await run(t, 'doctor', '--json')).out);
  t.is(checks.length, 2);
  t.is(text.status, best ? 0 : 1);
});

test.serial('a recording has a header, its targets, snapshots and an end', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['60']);
  const outcome = await run(
    t,
    'record',
    '--pid',
    String(pid),
    '-o',
    path,
    '--duration',
    '400ms',
    '--seed',
    '5',
    ...QUICK,
  );
  t.is(outcome.status, 0, outcome.err);
  const lines = linesOf(path);
  t.like(lines[0] as HeaderLine, { type: 'header', version: 1, pageSize: 4096, seed: 5 });
  t.like(lines[1], { type: 'target', id: 0, pid, comm: 'sleep', cmdline: ['sleep', '60'] });
  t.true(lines.some(({ type }) => type === 'snapshot'));
  const snapshot = lines[2] as SnapshotLine;
  const { sampleUs, aggrUs } = (lines[0] as HeaderLine).attrs;
  t.is(snapshot.maxNrAccesses, aggrUs / sampleUs);
  t.true(
    snapshot.regions.every(
      ([startAddress, end]) => Number.parseInt(startAddress, 16) < Number.parseInt(end, 16),
    ),
  );
  t.is((lines.at(-1) as EndLine).reason, 'duration');
  t.is(statSync(path).mode & 0o777, 0o600);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test.serial(`${signal} ends a recording properly`, async (t) => {
    const path = join(folderFor(t), 'it.ndjson');
    const { pid } = start(t, 'sleep', ['60']);
    const { child, outcome } = begin(t, ['record', '--pid', String(pid), '-o', path, ...QUICK]);
    while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length < 5) await pause(20);
    child.kill(signal);
    t.is((await outcome).status, 0);
    t.like(linesOf(path).at(-1), { type: 'end', reason: 'stopped' });
  });
}

test.serial('a signal before anything is watched leaves neither a file nor the command behind', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { child, outcome } = begin(t, ['record', '-o', path, ...QUICK, '--', 'sleep', '60']);
  // The file is opened first, then the command is started, and only then the threads.
  while (!existsSync(path)) await pause(1);
  child.kill('SIGTERM');
  const { status, err } = await outcome;
  t.is(status, 128 + 15, err);
  t.regex(err, /before the first snapshot/);
  t.false(existsSync(path));
});

test.serial('a command is recorded until it ends; its output and its status are its own', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const outcome = await run(
    t,
    'record',
    '-o',
    path,
    ...QUICK,
    '--',
    'sh',
    '-c',
    'echo hello; sleep 5; exit 3',
  );
  t.is(outcome.status, 3);
  t.is(outcome.out, 'hello\n');
  t.like(linesOf(path).at(-1), { type: 'end', reason: 'targets ended' });
});

test.serial('a command that is killed passes on its signal as a shell does', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const outcome = await run(t, 'record', '-o', path, ...QUICK, '--', 'sh', '-c', 'sleep 0.4; kill -9 $$');
  t.is(outcome.status, 128 + 9);
});

test.serial('a command that does not exist is said, with the status of a shell', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const outcome = await run(t, 'record', '-o', path, '--', '/nowhere/command');
  isOneLine(t, outcome, /cannot start \/nowhere\/command/);
  t.is(outcome.status, 127);
  t.false(existsSync(path));
});

test.serial('a recording that is much shorter than its intervals has what was seen', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const path = join(folderFor(t), 'it.ndjson');
  const { status, err } = await run(
    t,
    ...['record', '--pid', String(pid), '-o', path, '--duration', '10ms', '--aggr', '5s'],
  );
  t.is(status, 0, err);
  t.true(linesOf(path).some(({ type }) => type === 'snapshot'));
});

test.serial('a process that ends within the first tick is said, and leaves no file', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['0.6']);
  const pace = ['--sample', '5s', '--aggr', '5s', '--update', '50ms'];
  const outcome = await run(t, 'record', '--pid', String(pid), '-o', path, ...pace);
  t.is(outcome.status, 1);
  t.regex(outcome.err, /ended before the first snapshot|no process with PID/);
  t.false(existsSync(path));
});

test.serial('a recording that exists is not overwritten unless forced', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  writeFileSync(path, 'precious');
  const { pid } = start(t, 'sleep', ['60']);
  const args = ['record', '--pid', String(pid), '-o', path, '--duration', '200ms', ...QUICK];
  isOneLine(t, await run(t, ...args), /already exists; choose another name, or use --force/);
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.is((await run(t, ...args, '--force')).status, 0);
  t.like(linesOf(path)[0], { type: 'header' });
});

test.serial('a full disk ends the recording with a reason', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const args = ['record', '--pid', String(pid), '-o', '-', '--duration', '5s', ...QUICK];
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', '"$@" > /dev/full', '-', process.execPath, MAIN, ...args],
    {
      encoding: 'utf8',
    },
  );
  t.is(status, 1);
  t.regex(stderr, /the disk is full/);
});

test.serial('a reader that has seen enough ends the recording quietly', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const { child, outcome } = begin(t, ['record', '--pid', String(pid), '-o', '-', ...QUICK]);
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  const { status, err } = await outcome;
  t.is(status, 0);
  t.notRegex(err, /EPIPE|cannot write/);
});

test.serial('without a terminal, watch prints plain blocks', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const outcome = await run(t, 'watch', '--pid', String(pid), '--duration', '1500ms', ...QUICK);
  t.is(outcome.status, 0, outcome.err);
  t.false(outcome.out.includes('\x1b'));
  t.regex(outcome.out, new RegExp(`^${pid} sleep`, 'm'));
  t.regex(outcome.out, /address +size +accessed +age +mapping/);
});

test.serial('tune shows its steps, and says what to use and why', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const goal = ['--aggrs', '1', '--max-cpu', '100%', '--check', 'referenced'];
  const { status, out, err } = await run(t, 'tune', '--pid', String(pid), ...goal);
  t.is(status, 0, err);
  t.false(out.includes('\x1b'));
  const [heading, first] = out.split('\n');
  t.regex(heading!, /^step +sample +aggregation +score +cost +agreement +next$/);
  t.regex(first!, /^ +1 +1 s +1 s +\d+\.\d\d /);
  t.regex(out, /\n\nuse --aggr 1s\nbecause this check counts what was accessed between two looks, [^\n]+\n$/);
});

test.serial('tune that is interrupted says what is known so far', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const { child, outcome } = begin(t, ['tune', '--pid', String(pid), '--aggrs', '1', '--max-cpu', '100%']);
  let out = '';
  child.stdout!.on('data', (data) => {
    const had = out;
    out += data;
    if (!/^ +1 /m.test(had) && /^ +1 /m.test(out)) child.kill('SIGINT');
  });
  t.is((await outcome).status, 0);
  t.regex(
    out,
    /\nuse (--sample|--aggr) [^\n]+\nbecause [^\n]+\nThis had not settled when it was stopped: [^\n]+\n$/,
  );
});

test.serial('another user’s process is refused where the kernel refuses', async (t) => {
  if (process.getuid?.() === 0) return t.pass('root may watch everyone');
  isOneLine(
    t,
    await run(t, 'record', '--pid', '1', '-o', join(folderFor(t), 'x')),
    /run as its user or as root/,
  );
});

for (const [what, end, expected] of [
  [
    'help whose reader has seen enough ends quietly',
    `| true; exit \${PIPESTATUS[0]}`,
    { status: 0, err: '' },
  ],
  [
    'help onto a full disk is an error in one line',
    '> /dev/full',
    {
      status: 1,
      err: 'pagepulse: cannot write the output to standard output: the disk is full; free some space, or choose another path\n',
    },
  ],
] as const) {
  test.serial(what, (t) => {
    const { status, stderr: err } = spawnSync(
      'bash',
      ['-c', `'${process.execPath}' '${MAIN}' record --help ${end}`],
      {
        encoding: 'utf8',
      },
    );
    t.deepEqual({ status, err }, expected);
  });
}
