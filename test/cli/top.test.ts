import test, { type ExecutionContext } from 'ava';
import { columnsOf } from '../../src/report/terminal-text.js';
import type { TopDocument } from '../../src/report/top/json.js';
import { MAIN, run } from '../helpers/cli.js';
import { start } from '../helpers/processes.js';
import { onTerminal, Tmux } from '../helpers/tmux.js';

const QUICK = ['--sample', '50ms', '--aggr', '250ms'];

function sleeps(t: ExecutionContext, count: number): number[] {
  return Array.from({ length: count }, () => start(t, 'sleep', ['300']).pid);
}

function argsOf(pids: readonly number[], ...args: readonly string[]): string[] {
  return ['top', ...pids.map((pid) => `--pid=${pid}`), ...QUICK, ...args];
}

/** `pagepulse top` on a terminal; the shell says its exit status. */
function open(
  t: ExecutionContext,
  pids: readonly number[],
  options: ConstructorParameters<typeof Tmux>[2] = {},
) {
  const command = `'${process.execPath}' '${MAIN}' ${argsOf(pids).join(' ')} 2>/dev/null; echo status=$?`;
  return new Tmux(t, command, options);
}

test.serial('--once prints one table of all processes as text, and ends', async (t) => {
  const pids = sleeps(t, 3);
  const { status, out } = await run(t, ...argsOf(pids, '--once', '--sort', 'pid'));
  t.is(status, 0);
  const lines = out.split('\n');
  t.regex(lines[0]!, /^pagepulse top {2}\S+ check/);
  // What they share, libc above all, counts once: the sum is no upper bound.
  t.regex(lines[1]!, /^3 processes {2}resident \d\S* .iB {2}working set (<= )?\d/);
  t.regex(lines[2]!, / shared /);
  t.deepEqual(
    lines.slice(3, 6).map((line) => Number(line.trim().split(' ')[0])),
    [...pids].sort((a, b) => a - b),
  );
  t.regex(lines[3]!, /sleep +\d\S* [KM]iB/);
  t.notRegex(out.replaceAll('\n', ''), /\p{Cc}/u);
});

test.serial('--once --json is one document, with what it says of each', async (t) => {
  const [pid] = sleeps(t, 1);
  const { status, out } = await run(t, ...argsOf([pid!], '--once', '--json'));
  t.is(status, 0);
  const document = JSON.parse(out) as TopDocument;
  t.like(document, { type: 'top', version: 1, group: 'none', skipped: 0 });
  t.like(document.totals, { processes: 1, isUpperBound: false });
  const [row] = document.rows;
  t.like(row, { pid, name: 'sleep', cmdline: ['sleep', '300'], parentPid: process.pid, hasEnded: false });
  t.true(row!.residentBytes! > 0);
  t.true(row !== undefined && 'cgroup' in row && row.cgroup?.startsWith('/'));
});

test.serial('--json is one line an update', async (t) => {
  const { status, out } = await run(
    t,
    ...argsOf(sleeps(t, 2), '--json', '--duration', '1500ms', '--group', 'name'),
  );
  t.is(status, 0);
  const documents = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TopDocument);
  t.true(documents.length >= 1);
  t.like(documents.at(-1), { type: 'top', group: 'name', totals: { processes: 2 } });
  t.like(documents.at(-1)!.rows[0], { group: 'sleep', processes: 2 });
});

test.serial('without a terminal it prints blocks of text', async (t) => {
  const { out } = await run(t, ...argsOf(sleeps(t, 2), '--duration', '800ms', '--limit', '1'));
  t.regex(out, /^pagepulse top .*\n2 processes .* 1 left out .*\n/);
});

for (const [what, args, pattern] of [
  [
    'an unknown order',
    ['--sort', 'beauty'],
    /pid, name, resident, ws, share, hot, cold, shared, trend, cost/,
  ],
  ['an unknown group', ['--group', 'colour'], /none, name, cgroup, parent/],
] as const) {
  test.serial(`${what} is refused in one line, with what to do`, async (t) => {
    const { status, out, err } = await run(t, ...argsOf([1], ...args));
    t.is(status, 2);
    t.is(out, '');
    t.regex(err, /^pagepulse: [^\n]+\n$/);
    t.regex(err, pattern);
  });
}

test.serial('rows are counted as targets are: by positive integers', async (t) => {
  for (const text of ['0', '05', '1.5']) {
    for (const option of ['--limit', '--max-targets']) {
      const { status, out, err } = await run(t, ...argsOf([1], option, text));
      t.deepEqual([status, out], [2, ''], text);
      const problem = `option '${option} <n>' argument '${text}' is invalid`;
      t.is(err, `pagepulse: ${problem}. Give a positive integer, as in 20.\n`);
    }
  }
});

onTerminal('the table shows all processes, and q gives the terminal back', async (t) => {
  const pids = sleeps(t, 3);
  const terminal = open(t, pids);
  const text = await terminal.shows(/3 processes[\s\S]*sleep +\S+ [KM]iB/);
  for (const pid of pids) t.true(text.includes(` ${pid} sleep`));
  terminal.type('q');
  t.notRegex(await terminal.shows(/status=0/), /processes/);
});

onTerminal('keys sort, reverse, filter, group and explain', async (t) => {
  const pids = sleeps(t, 3).sort((a, b) => a - b);
  const terminal = open(t, pids);
  await terminal.shows(/3 processes/);
  terminal.type('p');
  await terminal.shows(new RegExp(`PID[\\s\\S]* ${pids.join('[\\s\\S]* ')}`));
  terminal.type('r');
  await terminal.shows(new RegExp(`reversed[\\s\\S]* ${[...pids].reverse().join('[\\s\\S]* ')}`));
  terminal.type('/', String(pids[1]));
  const filtered = await terminal.shows(/1 with '\d+'[\s\S]*filter: \d+_/);
  t.false(filtered.includes(` ${pids[0]} sleep`));
  terminal.type('Escape');
  t.notRegex(await terminal.shows(/ \? help/), / with '/);
  terminal.type('g');
  await terminal.shows(/COUNT[\s\S]* 3 \+ sleep/);
  terminal.type('Down', 'Enter');
  await terminal.shows(new RegExp(`- sleep[\\s\\S]* ${pids[2]}   sleep`));
  terminal.type('?');
  await terminal.shows(/Keys and columns/);
  terminal.type('Escape');
  await terminal.shows(/COUNT/);
  terminal.type('q');
  await terminal.shows(/status=0/);
});

onTerminal('Enter opens the picture of one process, Esc goes back', async (t) => {
  const [pid] = sleeps(t, 1);
  const terminal = open(t, [pid!]);
  await terminal.shows(/1 process[\s\S]*sleep/);
  terminal.type('Enter');
  await terminal.shows(new RegExp(`${pid} sleep  working set[\\s\\S]*address +size +accessed`));
  terminal.type('Escape');
  t.regex(await terminal.shows(/1 process[\s\S]*>.*sleep/), new RegExp(`> +${pid} sleep`));
});

onTerminal('a frozen table stays as it is, and a new size fits', async (t) => {
  const terminal = open(t, sleeps(t, 4));
  await terminal.shows(/4 processes/);
  terminal.type('Space');
  const before = await terminal.shows(/frozen/);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  t.is(terminal.look(), before);
  for (const [width, height] of [
    [40, 10],
    [160, 50],
    [20, 5],
  ] as const) {
    terminal.resize(width, height);
    const text = await terminal.shows(height > 5 ? /q quits\s*$/ : /frozen/);
    for (const line of text.trimEnd().split('\n')) t.true(columnsOf(line) <= width);
  }
});

onTerminal('a process that is killed is shown as ended, and leaves', async (t) => {
  const [first, second] = sleeps(t, 2);
  const terminal = open(t, [first!, second!]);
  await terminal.shows(/2 processes/);
  process.kill(first!, 'SIGKILL');
  await terminal.shows(new RegExp(`1 process [\\s\\S]*x +${first} sleep`));
  await terminal.shows(new RegExp(`1 process (?![\\s\\S]*${first} sleep)`));
  process.kill(second!, 'SIGKILL');
  t.notRegex(await terminal.shows(/status=0/), /process/);
});

onTerminal('Ctrl-Z gives the terminal to the shell, and fg takes it again', async (t) => {
  const [pid] = sleeps(t, 1);
  const line = `'${process.execPath}' '${MAIN}' ${argsOf([pid!]).join(' ')}`;
  const terminal = new Tmux(t, `set -m; ${line}; echo stopped; read line; fg >/dev/null; echo status=$?`);
  await terminal.shows(/1 process[\s\S]*sleep/);
  terminal.type('C-z');
  t.notRegex(await terminal.shows(/stopped/), /1 process/);
  terminal.type('Enter');
  await terminal.shows(/1 process[\s\S]*sleep/);
  terminal.type('C-c');
  await terminal.shows(/status=0/);
});

onTerminal('without colours nothing has an attribute; with 256 strips are coloured', async (t) => {
  const pids = sleeps(t, 1);
  const plain = open(t, pids, { env: { NO_COLOR: '1', COLORTERM: '', FORCE_COLOR: undefined } });
  await plain.shows(/1 process[\s\S]*sleep/);
  t.false(plain.look(true).includes('\x1b['));
  const coloured = open(t, pids, { env: { NO_COLOR: '', FORCE_COLOR: '2' } });
  await coloured.shows(/1 process[\s\S]*sleep/);
  t.true(coloured.look(true).includes('\x1b[48;5;'));
});
