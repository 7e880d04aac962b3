import { spawnSync } from 'node:child_process';
import fs, { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { Selecting } from '../../src/engine/selecting.js';
import { Monitor } from '../../src/index.js';
import { readStat } from '../../src/kernel/stat.js';
import { mapsLongPath, startProgram } from '../helpers/memory-programs.js';
import { ended, start } from '../helpers/processes.js';

const INDEX = fileURLToPath(new URL('../../src/index.js', import.meta.url));
const ATTRS = { sampleUs: 20_000, aggrUs: 100_000 };

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

/** Notes what the calling thread reads in the folders of processes, and which folders it lists. */
function readsOfThisThread(t: ExecutionContext): string[] {
  const reads: string[] = [];
  const before = { openSync: fs.openSync, readdirSync: fs.readdirSync, readFileSync: fs.readFileSync };
  for (const [name, original] of Object.entries(before)) {
    const noting = (path: fs.PathLike, ...rest: unknown[]) => {
      if (/^\/proc(\/\d+\/(stat|status|cmdline|cgroup|environ|maps))?$/.test(String(path))) {
        reads.push(`${name} ${path}`);
      }
      return (original as (...all: unknown[]) => unknown)(path, ...rest);
    };
    Object.assign(fs, { [name]: noting });
  }
  syncBuiltinESMExports();
  t.teardown(() => {
    Object.assign(fs, before);
    syncBuiltinESMExports();
  });
  return reads;
}

test.serial("the caller's thread reads nothing of processes to find them", async (t) => {
  const reads = readsOfThisThread(t);
  readStat(process.pid);
  t.deepEqual(reads.splice(0), [`openSync /proc/${process.pid}/stat`]);
  const seconds = `63.${process.pid}`;
  const { pid } = start(t, 'sleep', [seconds]);
  await using monitor = await Monitor.start({
    select: { names: [new RegExp(`^sleep ${seconds}$`)], users: [process.geteuid!()], cgroups: ['/'] },
    attrs: ATTRS,
    check: 'referenced',
  });
  for await (const { target } of monitor) if (target.pid === pid) break;
  const { looks } = monitor.selection!;
  while (monitor.selection!.looks < looks + 2) await pause(50);
  t.true(monitor.selection!.cpuUs > 0);
  await monitor.stop();
  t.deepEqual(reads, []);
});

test.serial('if the thread that looks for processes dies, that is an error which says so', async (t) => {
  const thread = new URL('../helpers/ending-thread.js', import.meta.url).href;
  const selecting = new Selecting({ pids: [process.pid] }, thread);
  for (const promise of [selecting.requests(), selecting.failed]) {
    const { message } = (await t.throwsAsync(promise, { code: 'THREADS' }))!;
    t.regex(message, /the thread that looks for processes failed: .*; check the limits/);
  }
  await selecting.stop();
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
