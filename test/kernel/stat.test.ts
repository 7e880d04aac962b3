import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { readCmdline } from '../../src/kernel/arguments.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { isAlive, readStat, readWatchable, StatFields } from '../../src/kernel/stat.js';
import { readEffectiveUid } from '../../src/kernel/status.js';
import { ended, start } from '../helpers/processes.js';

test('a name may hold spaces and brackets', (t) => {
  const others = Array.from({ length: 49 }, (_, i) => String(i + 4));
  const line = Buffer.from(`42 (a) (b c) S ${others.join(' ')}\n`);
  const fields = new StatFields();
  t.true(fields.parse(line, line.length));
  t.is(fields.comm(), 'a) (b c');
  t.like(fields, { ppid: 4, threads: 20, startTime: 22, isKernelThread: false, hasEnded: false });
  t.false(fields.parse(Buffer.from('42'), 2));
});

test('this process is alive, under its own start time alone', (t) => {
  const { startTime } = readStat(process.pid);
  t.true(isAlive(process.pid, startTime));
  t.false(isAlive(process.pid, '1'));
  t.true(readCmdline(process.pid).length > 1);
  t.is(readStat(process.pid).parentPid, process.ppid);
});

test('empty words at the end of a command line, as setproctitle makes them, are left out; others stay', (t) => {
  const wait = ['-e', 'setTimeout(() => {}, 60_000)', '--'];
  const { pid } = start(t, process.execPath, [...wait, '', 'a', '', 'b', '', '', '']);
  t.deepEqual(readCmdline(pid), [process.execPath, ...wait, '', 'a', '', 'b']);
});

test('page size is what getconf says', (t) => {
  t.is(pageSize(), Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })));
});

for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 40]) {
  test(`${pid} is not a PID`, (t) => {
    t.like(
      t.throws(() => readWatchable(pid)),
      { code: 'NO_PROCESS' },
    );
  });
}

test('a process that has ended is not there', async (t) => {
  const child = start(t, 'true');
  await ended(child);
  t.like(
    t.throws(() => readWatchable(child.pid)),
    { code: 'NO_PROCESS' },
  );
});

test('a kernel thread is told from a process', (t) => {
  const isKernelThread = readFileSync('/proc/2/comm', 'utf8').startsWith('kthreadd');
  if (!isKernelThread) return t.pass('no threads of the kernel in this process namespace');
  t.like(
    t.throws(() => readWatchable(2)),
    { code: 'KERNEL_THREAD' },
  );
});

test('a zombie is told from a process', async (t) => {
  // The shell starts a child and becomes a program that never looks after it.
  const parent = start(t, 'sh', ['-c', 'sh -c "exit 0" & exec sleep 30']);
  for (let tries = 0; tries < 200; tries++) {
    await pause(10);
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim();
    if (children && readStat(Number(children)).hasEnded) {
      t.like(
        t.throws(() => readWatchable(Number(children))),
        { code: 'ZOMBIE' },
      );
      return;
    }
  }
  t.fail('no zombie came about');
});

test('this process is read as stat tells of it', (t) => {
  const fields = new StatFields();
  t.true(fields.read(process.pid));
  const { comm, startTime } = readStat(process.pid);
  t.is(fields.comm(), comm);
  t.is(String(fields.startTime), startTime);
  t.is(fields.ppid, process.ppid);
  t.is(readEffectiveUid(process.pid), process.geteuid!());
  t.false(fields.read(0x7fff_fff0));
});

test('an exec of the same program is seen', async (t) => {
  const child = start(t, 'sh', ['-c', 'read line; exec sh -c "read line; read more"']);
  const fields = new StatFields();
  do await pause(10);
  while (fields.read(child.pid) && fields.comm() !== 'sh');
  const before = fields.imageKey;
  child.stdin!.write('\n');
  for (let i = 0; i < 200 && fields.read(child.pid) && fields.imageKey === before; i++) await pause(10);
  t.not(fields.imageKey, before);
});
