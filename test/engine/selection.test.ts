import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Monitor } from '../../src/index.js';
import { readStat } from '../../src/kernel/stat.js';
import { StatFields } from '../../src/kernel/stat-fields.js';
import { readEffectiveUid } from '../../src/kernel/status.js';
import { mapsLongPath, startProgram } from '../helpers/memory-programs.js';
import { ended, start } from '../helpers/processes.js';

const INDEX = fileURLToPath(new URL('../../src/index.js', import.meta.url));
const ATTRS = { sampleUs: 20_000, aggrUs: 100_000 };

test.serial('the fields of stat are found after a name with parentheses', (t) => {
  const others = Array.from({ length: 49 }, (_, i) => String(i + 4));
  const line = Buffer.from(`42 (a) (b c) S ${others.join(' ')}\n`);
  const fields = new StatFields();
  t.true(fields.parse(line, line.length));
  t.is(fields.comm(), 'a) (b c');
  t.like(fields, { ppid: 4, threads: 20, startTime: 22, isKernelThread: false, hasEnded: false });
  t.false(fields.parse(Buffer.from('42'), 2));
});

test.serial('the fields of this process match its stat file', (t) => {
  const fields = new StatFields();
  t.true(fields.read(process.pid));
  const { comm, startTime } = readStat(process.pid);
  t.is(fields.comm(), comm);
  t.is(String(fields.startTime), startTime);
  t.is(fields.ppid, process.ppid);
  t.is(readEffectiveUid(process.pid), process.geteuid!());
  t.false(fields.read(0x7fff_fff0));
});

test.serial('an exec of the same program is seen', async (t) => {
  const child = start(t, 'sh', ['-c', 'read line; exec sh -c "read line; read more"']);
  const fields = new StatFields();
  do await pause(10);
  while (fields.read(child.pid) && fields.comm() !== 'sh');
  const before = fields.imageKey;
  child.stdin!.write('\n');
  for (let i = 0; i < 200 && fields.read(child.pid) && fields.imageKey === before; i++) await pause(10);
  t.not(fields.imageKey, before);
});

test.serial('the monitor reports processes that start and stop matching', async (t) => {
  const seconds = `61.${process.pid}`;
  await using monitor = await Monitor.start({
    select: { names: [new RegExp(`^sleep ${seconds}$`)] },
    attrs: ATTRS,
    check: 'referenced',
  });
  t.is(monitor.targets.length, 0);
  const events: string[] = [];
  monitor.on('attached', ({ pid }) => events.push(`attached ${pid}`));
  const gone = new Promise((resolve) => {
    monitor.on('detached', ({ pid }, reason) => resolve(events.push(`${reason} ${pid}`)));
  });
  const child = start(t, 'sleep', [seconds]);
  for await (const { target } of monitor) if (target.pid === child.pid) break;
  child.kill('SIGKILL');
  await ended(child);
  await gone;
  t.deepEqual(events, [`attached ${child.pid}`, `ended ${child.pid}`]);
  t.like(monitor.selection, { watched: 1, endedUnopened: 0 });
  await monitor.stop();
});

test.serial('with PIDs alone, the monitor ends when the processes have ended', async (t) => {
  const children = [start(t, 'sleep', ['60']), start(t, 'sleep', ['60'])];
  const monitor = await Monitor.start({
    select: { pids: children.map(({ pid }) => pid) },
    attrs: ATTRS,
    check: 'referenced',
  });
  for (const child of children) child.kill('SIGKILL');
  t.is((await monitor.ended).reason, 'targets ended');
  t.is(monitor.selection!.watched, 2);
});

test.serial('processes in a cgroup named after a container are found by its ID', async (t) => {
  const id = `${process.pid.toString(16).padStart(8, '0')}${'5e'.repeat(28)}`;
  const [parent, path] = ['/sys/fs/cgroup/freezer/docker', `/sys/fs/cgroup/freezer/docker/${id}`];
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    return t.pass('no cgroup can be made here');
  }
  const child = start(t, 'sleep', ['60']);
  try {
    writeFileSync(`${path}/cgroup.procs`, String(child.pid));
    for (const select of [
      { containers: [id.slice(0, 12)] },
      { cgroups: [path] },
      { cgroups: [`docker/${id}`] },
    ]) {
      await using monitor = await Monitor.start({ select, attrs: ATTRS, check: 'referenced' });
      t.deepEqual(
        monitor.targets.map(({ pid }) => pid),
        [child.pid],
      );
    }
  } finally {
    child.kill('SIGKILL');
    await ended(child);
    for (const each of [path, parent, '/sys/fs/cgroup/freezer']) {
      try {
        rmdirSync(each);
      } catch {
        // others have cgroups in there
      }
    }
  }
});

/** Runs as a user without permission to watch root's process, and prints the skipped targets. */
const SCRIPT = `
const { Monitor } = await import('${INDEX}');
const pid = Number(process.argv[1]);
const monitor = await Monitor.start({
  select: { names: [new RegExp('^sleep ' + process.argv[2] + '$')] },
  check: 'referenced',
  attrs: { sampleUs: 20_000, aggrUs: 100_000 },
});
monitor.on('skipped', (request, { code }) => console.log(request.pid === pid, code));
await new Promise((resolve) => setTimeout(resolve, 1_200));
console.log(monitor.targets.length, JSON.stringify(monitor.selection.skipped));
await monitor.stop();
`;

test.serial('a process that the kernel denies is skipped once, and the others are watched', (t) => {
  const seconds = `62.${process.pid}`;
  const refused = start(t, 'sleep', [seconds]);
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const asNobody = (command: string, ...args: string[]) =>
    spawnSync('setpriv', [...nobody, 'sh', '-c', command, process.execPath, ...args], { encoding: 'utf8' });
  if (asNobody(`test -r ${INDEX} && test -x "$0"`).status !== 0) {
    t.log('only root can become nobody, who must be able to read this folder');
    return t.pass();
  }
  const { stdout, stderr } = asNobody(
    'sleep "$3" & "$0" --input-type=module -e "$1" "$2" "$3"; kill $!',
    ...[SCRIPT, String(refused.pid), seconds],
  );
  t.is(stderr, '');
  t.is(stdout, 'true PERMISSION\n1 {"permission":1,"descriptors":0,"maxTargets":0,"failed":0}\n');
});

test.serial('a process with too many mappings is left out with the reason, now or later', async (t) => {
  const mapMany = mapsLongPath(20_000);
  const expensive = await startProgram(t, mapMany);
  const grower = await startProgram(
    t,
    `def grow(*_):${mapMany.replaceAll('\n', '\n    ')}
signal.signal(signal.SIGUSR1, grow)
tell(0)`,
  );
  if (!expensive || !grower) return;
  const { pid } = start(t, 'sleep', ['60']);
  await using monitor = await Monitor.start({
    select: { pids: [expensive.pid, grower.pid, pid] },
    attrs: { ...ATTRS, updateUs: 100_000 },
    check: 'referenced',
    workers: 1,
  });
  const messages = new Map<number, string[]>();
  const tell = (of: number, message = '') => messages.set(of, [...(messages.get(of) ?? []), message]);
  monitor.on('skipped', (request, { message }) => tell('pid' in request ? request.pid : 0, message));
  const dropped = new Promise<void>((resolve) => {
    monitor.on('detached', (target, _, message) => {
      tell(target.pid, message);
      resolve();
    });
  });
  t.deepEqual(monitor.targets.map((target) => target.pid).sort(), [grower.pid, pid].sort());
  process.kill(grower.pid, 'SIGUSR1');
  await dropped;
  const { looks } = monitor.selection!;
  while (monitor.selection!.looks < looks + 3) await pause(50);
  for await (const { target } of monitor) if (target.pid === pid) break;
  t.deepEqual([...messages.keys()].sort(), [expensive.pid, grower.pid].sort());
  for (const [of, [message, ...more]] of messages) {
    t.regex(message!, new RegExp(`process ${of}: too many mappings to read within \\d+ MiB`));
    t.deepEqual(more, [], 'it is not tried again');
  }
});
