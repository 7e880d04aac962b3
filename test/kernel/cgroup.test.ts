import test from 'ava';
import { parseCgroup, readCgroupText } from '../../src/kernel/cgroup.js';

test('version 2 has one path', (t) => {
  t.is(parseCgroup('0::/system.slice/nginx.service\n'), '/system.slice/nginx.service');
});

test('where version 2 says nothing, the hierarchy of memory does, then that of systemd', (t) => {
  t.is(parseCgroup('5:memory,hugetlb:/docker/1:2\n1:name=systemd:/init\n0::/\n'), '/docker/1:2');
  t.is(parseCgroup('5:memory:/\n1:name=systemd:/init\n'), '/init');
  t.is(parseCgroup('0::/\n'), '/');
  t.is(parseCgroup(''), '/');
});

test('a path may hold what elsewhere ends a line', (t) => {
  for (const end of ['\r', '\u2028', '\u2029']) {
    const path = `/a${end}1:memory:/forged`;
    t.is(parseCgroup(`0::${path}\n`), path);
  }
});

test('a process has one, and who is no process has none', (t) => {
  t.regex(parseCgroup(readCgroupText(process.pid)), /^\//);
  t.like(
    t.throws(() => readCgroupText(2 ** 22 + 5)),
    { code: 'NO_PROCESS' },
  );
});
