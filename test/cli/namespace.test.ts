import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MAIN } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';

// In a PID namespace that kept the /proc from outside, each process has one id here and another one there.

const isRoot = process.getuid?.() === 0;
const UNSHARE = ['--pid', '--fork', '--kill-child', ...(isRoot ? [] : ['--user', '--map-root-user'])];
const LIBRARY = new URL('../../src/index.js', import.meta.url).href;

function unshared(args: readonly string[], flags = UNSHARE) {
  const { status, stdout, stderr } = spawnSync('unshare', [...flags, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, err: stderr };
}

function canUnshare(t: ExecutionContext, flags?: string[]): boolean {
  const { status, err } = unshared(['true'], flags);
  if (status === 0) return true;
  t.pass(`left out: unshare is not possible here (${String(err).trim()})`);
  return false;
}

const WRONG =
  /\/proc belongs to another PID namespace: it calls this process \d+, not \d+; mount the \/proc /;

test('in a PID namespace with the /proc from outside, doctor says so', (t) => {
  if (!canUnshare(t)) return;
  const { status, out } = unshared([process.execPath, MAIN, 'doctor']);
  t.is(status, 1);
  t.regex(out, /no +\/proc belongs to another PID namespace/);
  t.regex(out, /step that would help most: mount the \/proc of this namespace/);
});

for (const args of [
  ['record', '-o', 'it.ndjson', '--', 'touch', 'started'],
  ['record', '-o', 'it.ndjson', '--pid', '1'],
  ['watch', '--name', 'node'],
  ['top', '--once', '--user', '0'],
  ['tune', '--pid', '1'],
  ['bench', '--pid', '1'],
  ['report', 'wss', '--', 'touch', 'started'],
]) {
  test(`there, ${args.slice(0, 4).join(' ')} watches no stranger`, (t) => {
    if (!canUnshare(t)) return;
    const path = folderFor(t);
    const script = `cd '${path}' && '${process.execPath}' '${MAIN}' ${args.join(' ')}; echo "$?"; ls`;
    const { out, err } = unshared(['sh', '-c', script]);
    t.regex(err, /^pagepulse: cannot watch processes: [^\n]+\n$/);
    t.regex(err, WRONG);
    t.is(out, '1\n', 'neither a record nor a command was begun');
  });
}

test('there, the library watches and surveys nothing', (t) => {
  if (!canUnshare(t)) return;
  const script = `
    const { Monitor, surveySharing } = await import('${LIBRARY}');
    const told = async (work) => console.log(await work.then(() => 'done', ({ code, message }) => code + ': ' + message));
    await told(Monitor.start({ targets: [{ pid: process.pid }] }));
    await told(Monitor.start({ select: { pids: [process.pid] } }));
    for (const method of ['pss', 'frames', undefined]) {
      await told(surveySharing([{ id: 0, pid: process.pid, workingSet: [] }], { method }));
    }`;
  const { out, err } = unshared([process.execPath, '--input-type=module', '-e', script]);
  const lines = out.trimEnd().split('\n');
  t.is(lines.length, 5, err);
  for (const line of lines) {
    t.regex(line, /^UNSUPPORTED: cannot (watch|survey) processes: /);
    t.regex(line, WRONG);
  }
});

test('with its own /proc, a command in a PID namespace is recorded', (t) => {
  const flags = [...UNSHARE, '--mount-proc'];
  if (!canUnshare(t, flags)) return;
  const path = join(folderFor(t), 'it.ndjson');
  const quick = ['--check', 'referenced', '--sample', '10ms', '--aggr', '50ms'];
  const record = [process.execPath, MAIN, 'record', '-o', path, ...quick, '--', 'sleep', '1'];
  const { status, err } = unshared(record, flags);
  t.is(status, 0, err);
});
