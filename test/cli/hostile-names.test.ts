import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { TargetLine } from '../../src/record/format.js';
import { linesOf, MAIN } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { startProgram } from '../helpers/memory-programs.js';

// Names that a process gives itself or the files that it maps, as far as 15 bytes hold them.
const NAMES = [
  '\x1b]0;owned\x07',
  '\x1b[2J\x1b[H',
  '\x1b[35mpink',
  '\u009b35mpink',
  '\u202egpj.exe',
  '\u2066a\u2069',
  'a\rb',
  'a\nb',
  'a\tb',
  '\u2028Uid: 0',
  '\ufff9note',
  '\u200d\u200b\u00ad',
  '\ud83d\ude80\ud83d\ude80',
  '\u6570\u636e\u5e93',
  '=cmd|x!A1',
  '+1+1',
  '-1',
  '@SUM(1)',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '<script>',
  '"quoted","a',
  "it's",
  '{a|b}',
  '\\x1b[2J',
  '%s%n$(id)',
  'x'.repeat(15),
] as const;

const QUICK = ['--check', 'referenced', '--aggr', '300ms'];
const ESCAPE = '\x1b[35m\x9bpink\u202e\u2028';

/** Each in a process of its own, which maps and reads a file of that name; and one that has ended, a zombie. */
async function startHostile(t: ExecutionContext, path: string) {
  const program = await startProgram(
    t,
    `
import json, time
prctl = ctypes.CDLL(None).prctl
folder, names = os.fsencode(sys.argv[1]), json.loads(sys.argv[2])
def become(name, then):
    pid = os.fork()
    if pid > 0: return pid
    signal.alarm(300)
    prctl(15, name, 0, 0, 0)
    then(name)
    os._exit(0)
def use_file(name):
    fd = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, MIB)
    m = mmap.mmap(fd, MIB)
    while True:
        write(m, 1)
        time.sleep(0.1)
pids = [become(name.encode(), use_file) for name in names]
zombie = become(names[0].encode(), lambda name: None)
tell(zombie, *pids)
`,
    [path, JSON.stringify(NAMES), ESCAPE],
  );
  if (!program) return undefined;
  const [zombie, ...pids] = program.told as [number, ...number[]];
  t.teardown(() => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });
  const isNamed = (pid: number, i: number) =>
    textOf(`/proc/${pid}/comm`) === `${NAMES[i]}\n` && hasMapped(pid, path);
  while (!pids.every(isNamed)) await new Promise((resolve) => setTimeout(resolve, 20));
  return { zombie, pids };
}

const textOf = (path: string) => readFileSync(path, 'utf8');

function hasMapped(pid: number, path: string): boolean {
  return textOf(`/proc/${pid}/maps`).includes(path);
}

/** What it wrote, as it wrote it. */
async function outcomeOf(
  t: ExecutionContext,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
) {
  const child = spawn(file, args, {
    env: { ...process.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (data) => out.push(data));
  child.stderr.on('data', (data) => err.push(data));
  const [status] = await once(child, 'close');
  return { status, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

const run = (t: ExecutionContext, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  outcomeOf(t, process.execPath, [MAIN, ...args], env);

/** Nothing in it moves a cursor, changes a direction, or begins a line that is not ours. */
function isHarmless(t: ExecutionContext, text: string, what: string): void {
  const found = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u.exec(text);
  t.is(found && JSON.stringify(text.slice(found.index - 40, found.index + 40)), null, what);
  t.notRegex(text, /^\s+at .*:\d+:\d+/m, `${what}: no stack trace`);
}

async function printsHarmlessly(t: ExecutionContext, args: readonly string[], status: number | 'any' = 0) {
  const outcome = await run(t, args);
  const what = args
    .map((arg) => JSON.stringify(arg))
    .join(' ')
    .slice(0, 200);
  if (status !== 'any') t.is(outcome.status, status, `${what}: ${outcome.err}`);
  isHarmless(t, outcome.out, what);
  isHarmless(t, outcome.err, what);
  return outcome;
}

test.serial(
  'whatever a process calls itself or its files is text in every command, and exact in JSON',
  async (t) => {
    const path = folderFor(t);
    const hostile = await startHostile(t, path);
    if (!hostile) return;
    const { pids, zombie } = hostile;
    const which = [...pids.map((pid) => `--pid=${pid}`), ...QUICK];

    await printsHarmlessly(t, ['top', '--once', ...which]);
    await printsHarmlessly(t, ['top', '--once', '--group', 'name', ...which]);
    const { out } = await printsHarmlessly(t, ['top', '--once', '--json', ...which]);
    const { rows } = JSON.parse(out) as { rows: { pid: number; name: string; cmdline: string[] }[] };
    const names = new Map(rows.map(({ pid, name }) => [pid, name]));
    t.deepEqual(
      pids.map((pid) => names.get(pid)),
      [...NAMES],
    );
    t.true(rows.every(({ cmdline }) => cmdline.at(-1) === ESCAPE));
    await printsHarmlessly(t, ['watch', '--duration', '1s', ...which]);
    await printsHarmlessly(t, ['tune', '--duration', '1s', ...which], 'any');
    await printsHarmlessly(t, ['doctor']);
    await printsHarmlessly(t, ['doctor', '--json']);

    // Skipped, and refused.
    for (const command of ['watch', 'record', 'top']) {
      const skipped = await printsHarmlessly(t, [command, `--pid=${zombie}`, ...QUICK], 1);
      t.regex(skipped.err, /\(\?\]0;owned\?\)/);
    }

    const record = join(path, 'recorded.ndjson');
    await printsHarmlessly(t, ['record', '--duration', '1500ms', '-o', record, `--pid=${zombie}`, ...which]);
    isHarmless(t, textOf(record), 'a record');
    const recorded = linesOf(record).filter((line): line is TargetLine => line.type === 'target');
    t.deepEqual(recorded.map(({ comm }) => comm).sort(), [...NAMES].sort());
    for (const report of [['wss'], ['mappings', '--per-process'], ['raw'], ['heatmap']])
      await printsHarmlessly(t, ['report', ...report, record]);
  },
);

test.serial(
  'whatever a record says is text in every report, and what is wrong with it in every error',
  async (t) => {
    const path = folderFor(t);
    const header = {
      ...{ type: 'header', version: 1, tool: ESCAPE, startedAt: ESCAPE, startedMonotonicNs: ESCAPE },
      ...{ kernel: ESCAPE, pageSize: 4096, check: `idle-page${ESCAPE}`, command: ESCAPE },
      attrs: { sampleUs: 5_000, aggrUs: 100_000, updateUs: 1_000_000, minRegions: 10, maxRegions: 1_000 },
    };
    const target = { type: 'target', startTime: ESCAPE, cmdline: [ESCAPE] };
    const mappings = [...NAMES, ESCAPE].map((name, i) => {
      const [start, end] = [i + 1, i + 2].map((mib) => (mib * 2 ** 20).toString(16));
      return [start, end, i % 2 ? 'rw-p' : ESCAPE, name.startsWith('/') ? name : `/${name}`];
    });
    const regions = mappings.map(([start, end], i) => [start, end, i % 20, i]);
    const lines: object[] = [
      header,
      { ...target, id: 0, pid: 4242, comm: ESCAPE, mappings },
      { ...target, id: 1, pid: 0, comm: '__proto__', mappings },
      { type: 'unknown', [ESCAPE]: ESCAPE },
      ...[0, 1, 2, 3].map((i) => ({
        ...{ type: 'snapshot', target: i % 2, startUs: (i >> 1) * 100_000, endUs: ((i >> 1) + 1) * 100_000 },
        ...{ maxNrAccesses: 20, regions },
      })),
      { type: 'end', reason: ESCAPE, stats: {} },
    ];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const record = join(path, `it${ESCAPE}.ndjson`);
    writeFileSync(record, text);
    await reportsHarmlessly(t, record, path);
    // Colours are ours alone.
    for (const file of [[], ['--json']]) {
      const { out } = await run(t, ['report', 'heatmap', record, ...file], { FORCE_COLOR: '3' });
      t.false(out.includes('\x1b[35m'));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the control sequences that are ours
      isHarmless(t, out.replaceAll(/\x1b\[[0-9;]*m/g, ''), 'a heat map in colour');
    }

    const refused = async (name: string, content: string, ...args: string[]) => {
      const file = join(path, name);
      writeFileSync(file, content);
      const { err } = await printsHarmlessly(t, [...args, file], 1);
      t.regex(err, /^pagepulse: [^\n]+\n$/);
    };
    const raw = text.replaceAll('\\u001b', '\x1b');
    const to = ['convert', '--to', 'csv', '-o', '-'];
    await refused('cut.ndjson', raw.slice(0, 100), 'report', 'wss');
    await refused(`odd${ESCAPE}`, ESCAPE, 'report', 'wss');
    await refused('odd.json', `[{"snapshots":[{"start_time":"${ESCAPE.slice(5)}","regions":[]}]}]`, ...to);
    await refused(
      'odd.csv',
      `target,start_us,end_us,max_nr_accesses,start,end,nr_accesses,age,record\n${ESCAPE},0,1,1,0,1,1,1,\n`,
      ...to,
    );
    await refused(
      'oddly.csv',
      `target,start_us,end_us,max_nr_accesses,start,end,nr_accesses,age,record\n0,0,1,1,0,1,1,1,"${ESCAPE}"\n`,
      ...to,
    );
  },
);

test.serial('what was typed comes back harmless, too', async (t) => {
  for (const [args, status] of [
    [['report', 'wss', `/nowhere/${ESCAPE}`], 1],
    [[`${ESCAPE}`], 2],
    [['watch', `--${ESCAPE}`], 2],
    [['watch', '--pid', ESCAPE], 2],
    [['watch', '--name', `(${ESCAPE}`], 2],
    [['watch', '--user', ESCAPE], 2],
    [['watch', '--range', ESCAPE], 2],
    [['watch', '--duration', '100ms', '--cgroup', `/${ESCAPE}`], 1],
    [['record', '-o', `/nowhere/${ESCAPE}`, '--pid', '1'], 1],
    [['watch', '--', `./${ESCAPE}`], 127],
    [['report', 'heatmap', 'it.ndjson', '-o', `${ESCAPE}`], 2],
  ] as const) {
    const { err } = await printsHarmlessly(t, args, status);
    t.regex(err, /^(pagepulse: [^\n]+\n)+$/);
  }
});

test.serial('names draw nothing on the terminal that has a picture', async (t) => {
  const path = folderFor(t);
  const hostile = await startHostile(t, path);
  if (!hostile) return;
  const which = [...hostile.pids.map((pid) => `--pid=${pid}`), ...QUICK];
  const onTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  for (const command of ['top', 'watch']) {
    const args = [process.execPath, MAIN, command, '--duration', '2s', ...which];
    const { out, err, status } = await outcomeOf(t, 'python3', ['-c', onTerminal, ...args]);
    t.is(status, 0, err);
    t.true(out.includes('owned'), command);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what only a name could bring
    t.notRegex(out, /\x1b\]|\x1b\[2J|\x1b\[35m|[\u009b\u202e\u2066\u2028]/, command);
  }
});

/** Every report, picture and conversion of a record. */
async function reportsHarmlessly(t: ExecutionContext, record: string, path: string): Promise<void> {
  for (const json of [[], ['--json']]) {
    for (const report of ['wss', 'access', 'mappings', 'raw', 'heatmap'])
      await printsHarmlessly(t, ['report', report, record, ...json]);
    await printsHarmlessly(t, ['report', 'mappings', '--by', 'mapping', '--per-process', record, ...json]);
    await printsHarmlessly(t, ['report', 'diff', record, record, ...json]);
  }
  for (const kind of ['svg', 'html', 'png']) {
    const picture = join(path, `heat.${kind}`);
    await printsHarmlessly(t, ['report', 'heatmap', '--range', 'all', record, '--force', '-o', picture]);
    const text = textOf(picture).replaceAll(/<script>[\s\S]*?<\/script>/g, '');
    if (kind !== 'png') isHarmless(t, text, kind);
  }
  for (const format of ['ndjson', 'csv', 'trace', 'damo', 'arrow']) {
    const file = join(path, `it.${format}`);
    await printsHarmlessly(t, ['convert', record, '--force', '--to', format, '-o', file]);
    const bytes = readFileSync(file);
    if (format !== 'arrow')
      isHarmless(t, (format === 'damo' ? inflateSync(bytes) : bytes).toString(), format);
    // What comes back is the record, to the last character of every name.
    if (format === 'trace') continue;
    const back = join(path, `back-${format}`);
    await printsHarmlessly(t, ['convert', file, '--force', '--to', 'ndjson', '-o', back]);
    t.is(textOf(back), textOf(join(path, 'it.ndjson')), `${format} comes back as it was`);
  }
}
