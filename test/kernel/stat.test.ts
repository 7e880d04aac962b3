import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { pageSize } from '../../src/kernel/page-size.js';
import { isAlive, parseStat, readCmdline, readStat, readWatchable } from '../../src/kernel/stat.js';
import { ended, start } from '../helpers/processes.js';

test('a name may hold spaces and brackets', (t) => {
  const fields = Array.from({ length: 50 }, (_, i) => String(i + 3));
  const stat = parseStat(`42 (a) (b c) S ${fields.slice(1).join(' ')}`);
  t.is(stat.comm, 'a) (b c');
  t.is(stat.state, 'S');
  t.is(stat.parentPid, 4);
  t.is(stat.startTime, '22');
  t.is(stat.residentPages, 24);
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
  test(`${pid} is no process id`, (t) => {
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

test('a thread of the kernel is told from a process', (t) => {
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
    if (children && readStat(Number(children)).state === 'Z') {
      t.like(
        t.throws(() => readWatchable(Number(children))),
        { code: 'ZOMBIE' },
      );
      return;
    }
  }
  t.fail('no zombie came about');
});
