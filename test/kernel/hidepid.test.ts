import { spawnSync } from 'node:child_process';
import test from 'ava';
import { hidingMount } from '../../src/kernel/proc.js';
import { MAIN } from '../helpers/cli.js';

const mount = (options: string) => `36 35 0:5 / /proc rw,nosuid shared:1 - proc proc rw${options}\n`;

test('what the mount options of /proc hide', (t) => {
  t.is(hidingMount(mount('')), undefined);
  t.is(hidingMount(mount(',hidepid=0')), undefined);
  t.is(hidingMount(mount(',hidepid=off')), undefined);
  for (const value of ['1', '2', 'noaccess', 'invisible', 'ptraceable'])
    t.is(hidingMount(mount(`,hidepid=${value}`)), Number.NaN);
  t.is(hidingMount(mount(',gid=4,hidepid=invisible')), 4);
  t.is(hidingMount(mount(',hidepid=2') + mount('')), undefined, 'the last mount counts');
  t.is(hidingMount(mount(',hidepid=2').replace('/proc', '/other')), undefined);
});

test('doctor says that processes are hidden', (t) => {
  const script =
    'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';
  const asNobody = (...command: string[]) =>
    spawnSync('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', ...command], {
      encoding: 'utf8',
    });
  if (asNobody(process.execPath, '-e', `require('fs').accessSync('${MAIN}')`).status !== 0) {
    t.log('left out: only root can mount /proc and become nobody, who must be able to read this folder');
    return t.pass();
  }
  t.regex(asNobody(process.execPath, MAIN, 'doctor').stdout, /\/proc is mounted with hidepid/);
});
