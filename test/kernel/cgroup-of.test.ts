import test from 'ava';
import { parseCgroup, readCgroup } from '../../src/kernel/cgroup-of.js';

test('version 2 has one path', (t) => {
  t.is(parseCgroup('0::/system.slice/nginx.service\n'), '/system.slice/nginx.service');
});

test('where version 2 says nothing, the hierarchy of memory does, then that of systemd', (t) => {
  t.is(parseCgroup('5:memory,hugetlb:/docker/1:2\n1:name=systemd:/init\n0::/\n'), '/docker/1:2');
  t.is(parseCgroup('5:memory:/\n1:name=systemd:/init\n'), '/init');
  t.is(parseCgroup('0::/\n'), '/');
  t.is(parseCgroup(''), '/');
});

test('a process has one, and who is no process has none', (t) => {
  t.regex(readCgroup(process.pid), /^\//);
  t.like(
    t.throws(() => readCgroup(2 ** 22 + 5)),
    { code: 'NO_PROCESS' },
  );
});
