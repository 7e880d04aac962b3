import test from 'ava';
import { PagepulseError } from '../../src/core/errors.js';
import { Follower, type LookResult } from '../../src/processes/follower.js';
import type { ProcessFields, ProcessSource } from '../../src/processes/proc-source.js';
import { Choice, type Selection } from '../../src/processes/selection.js';

/** A process of a scripted machine. */
interface Scripted extends Partial<Omit<ProcessFields, 'comm'>> {
  comm: string;
  cmdline?: string;
  cgroup?: string;
  uid?: number;
  environ?: string;
}

const SELF = 10;

/** A machine whose processes a test changes as it likes. */
class Machine implements ProcessSource {
  readonly ownPid = SELF;
  readonly all = new Map<number, Scripted>();
  started = 0;
  read_: Scripted | undefined;
  reads: string[] = [];

  pids = () => [...this.all.keys()];
  read = (pid: number) => {
    this.read_ = this.all.get(pid);
    return this.read_ !== undefined;
  };
  get fields(): ProcessFields {
    const { comm, ...others } = this.read_!;
    return {
      ...{ ppid: 1, threads: 1, startTime: 1, isKernelThread: false, hasEnded: false },
      ...{ imageKey: 0, ...others, comm: () => comm },
    };
  }
  cmdline = (pid: number) => this.#read('cmdline', pid)?.cmdline ?? '';
  cgroup = (pid: number) => this.#read('cgroup', pid)?.cgroup ?? '';
  uid = (pid: number) => this.#read('uid', pid)?.uid;
  environHolds = (pid: number, mark: string) => this.#read('environ', pid)?.environ?.includes(mark) ?? false;
  forks = () => this.started;

  #read(what: string, pid: number): Scripted | undefined {
    this.reads.push(`${what} ${pid}`);
    return this.all.get(pid);
  }
}

class Followed {
  readonly machine = new Machine();
  readonly follower: Follower;
  files = 1_000;
  #nextId = 0;
  /** Codes with which attaching fails. */
  readonly refused = new Map<number, 'PERMISSION' | 'NO_PROCESS' | 'UNSUPPORTED'>();

  constructor(selection: Selection) {
    this.follower = new Follower(new Choice(selection), this.machine, () => this.files);
  }

  look(): LookResult {
    const found = this.follower.look();
    this.follower.settle(found.attach.map(({ pid }) => this.refused.get(pid) ?? this.#nextId++));
    return found;
  }

  /** Ids of the processes that a look finds to attach. */
  attached = () => this.look().attach.map(({ pid }) => pid);
}

test('kinds of filters are all to be passed, by any of their values', (t) => {
  const followed = new Followed({ names: [/web/, /db/], users: [7, '8'], cgroups: ['/a'] });
  const { all } = followed.machine;
  all.set(2, { comm: 'web', uid: 7, cgroup: '0::/a/b\n' });
  all.set(3, { comm: 'x', cmdline: 'run db', uid: 8, cgroup: '0::/a\n' });
  all.set(4, { comm: 'web', uid: 9, cgroup: '0::/a\n' });
  all.set(5, { comm: 'web', uid: 7, cgroup: '0::/b\n' });
  all.set(6, { comm: 'x', uid: 7, cgroup: '0::/a\n' });
  t.deepEqual(followed.attached(), [2, 3]);
});

test('threads of the kernel, zombies and this process never match, unless this one is named', (t) => {
  for (const [selection, expected] of [
    [{ names: [/web/] }, []],
    [{ names: [/web/], includeSelf: true }, [SELF]],
    [{ names: [/web/], pids: [SELF] }, [SELF]],
  ] as const) {
    const followed = new Followed(selection);
    followed.machine.all.set(2, { comm: 'web', isKernelThread: true });
    followed.machine.all.set(3, { comm: 'web', hasEnded: true });
    followed.machine.all.set(SELF, { comm: 'web' });
    t.deepEqual(followed.attached(), expected);
  }
});

test('exclude takes away matches and descendants, but nothing that was named', (t) => {
  const followed = new Followed({ pids: [2], names: [/web/], exclude: [/sh/], children: true });
  followed.machine.all.set(2, { comm: 'sh' });
  followed.machine.all.set(3, { comm: 'sh', ppid: 2 });
  followed.machine.all.set(4, { comm: 'x', ppid: 3 });
  followed.machine.all.set(5, { comm: 'web', cmdline: 'web sh' });
  t.deepEqual(followed.attached(), [2, 4]);
});

test('who execs into a match is attached, and who execs out of it is let go', (t) => {
  const followed = new Followed({ names: [/^web$/] });
  const { all } = followed.machine;
  all.set(2, { comm: 'sh' });
  t.deepEqual(followed.attached(), []);
  all.set(2, { comm: 'web', imageKey: 1 });
  t.deepEqual(followed.attached(), [2]);
  all.set(2, { comm: 'sh', imageKey: 2 });
  t.deepEqual(followed.look().left, [0]);
  all.set(2, { comm: 'web', imageKey: 3 });
  t.deepEqual(followed.attached(), [2]);
});

test('an id that is given again is another process', (t) => {
  const followed = new Followed({ pids: [2] });
  followed.machine.all.set(2, { comm: 'web' });
  t.deepEqual(followed.attached(), [2]);
  followed.machine.all.set(2, { comm: 'web', startTime: 2 });
  const { ended, attach } = followed.look();
  t.deepEqual(ended, [0]);
  t.deepEqual(attach, []);
  t.true(followed.follower.isOver);
});

test('with filters it is never over', (t) => {
  const followed = new Followed({ names: [/web/] });
  followed.look();
  t.false(followed.follower.isOver);
});

test('an orphan of a run is known by its environment, which is read once', (t) => {
  const followed = new Followed({ runs: [{ pid: 2, mark: 'abc' }] });
  const { all, reads } = followed.machine;
  all.set(2, { comm: 'sh' });
  all.set(3, { comm: 'other', environ: 'RUN=xyz' });
  t.deepEqual(followed.attached(), [2]);
  all.set(4, { comm: 'daemon', environ: 'RUN=abc' });
  all.set(5, { comm: 'worker', ppid: 4 });
  t.deepEqual(followed.attached(), [4, 5]);
  all.delete(2);
  followed.look();
  t.false(followed.follower.isOver);
  t.deepEqual(reads, ['environ 3', 'environ 4', 'environ 5']);
});

test('a descendant stays one when its parent ends', (t) => {
  const followed = new Followed({ pids: [2], children: true });
  const { all } = followed.machine;
  all.set(2, { comm: 'sh' });
  all.set(3, { comm: 'x', ppid: 2 });
  t.deepEqual(followed.attached(), [2, 3]);
  all.delete(2);
  all.set(3, { comm: 'x', ppid: 1 });
  const { ended, left } = followed.look();
  t.deepEqual([ended, left], [[0], []]);
  t.false(followed.follower.isOver);
});

test('who execs late is seen within two looks', (t) => {
  const followed = new Followed({ names: [/web/] });
  for (const pid of [2, 3]) followed.machine.all.set(pid, { comm: 'x' });
  for (let look = 0; look < 20; look++) followed.look();
  for (const pid of [2, 3]) followed.machine.all.set(pid, { comm: 'web', imageKey: 1 });
  t.deepEqual([...followed.attached(), ...followed.attached()].sort(), [2, 3]);
});

test('a pattern is looked for at both ends of a long command line: a neighbour chooses how long it is', (t) => {
  const followed = new Followed({ names: [/java.*server/] });
  const { all } = followed.machine;
  const filler = 'java'.repeat(16_384);
  all.set(2, { comm: 'sh', cmdline: `java server ${filler}` });
  all.set(3, { comm: 'sh', cmdline: `${filler} java server` });
  all.set(4, { comm: 'sh', cmdline: filler });
  all.set(5, { comm: 'sh', cmdline: filler + ' server '.repeat(100) + filler });
  t.deepEqual(followed.attached(), [2, 3]);
});

test('who was refused is not tried again until it execs', (t) => {
  const followed = new Followed({ names: [/web/] });
  const { all } = followed.machine;
  all.set(2, { comm: 'web' });
  followed.refused.set(2, 'PERMISSION');
  t.deepEqual(followed.attached(), [2]);
  t.is(followed.follower.stats.skipped.permission, 1);
  followed.refused.clear();
  t.deepEqual(followed.attached(), []);
  all.set(2, { comm: 'web', imageKey: 1 });
  t.deepEqual(followed.attached(), [2]);
  t.like(followed.follower.stats, { watched: 1, skipped: { permission: 0 } });
});

test('who has no room is told of once, and attached when there is some', (t) => {
  const followed = new Followed({ names: [/web/], maxTargets: 2 });
  const { all } = followed.machine;
  for (const pid of [2, 3, 4, 5]) all.set(pid, { comm: 'web' });
  const { attach, skip } = followed.look();
  t.deepEqual(
    attach.map(({ pid }) => pid),
    [2, 3],
  );
  t.regex(skip[0]!.error.message, /limit of 2 targets is reached/);
  t.is(skip.length, 2);
  t.is(followed.look().skip.length, 0);
  t.is(followed.follower.stats.skipped.maxTargets, 2);
  all.delete(2);
  t.deepEqual(followed.attached(), [4]);
  t.is(followed.follower.stats.skipped.maxTargets, 1);
});

test('descriptors are left for other things than targets', (t) => {
  const followed = new Followed({ names: [/web/] });
  for (const pid of [2, 3]) followed.machine.all.set(pid, { comm: 'web' });
  followed.files = 64 + 3;
  const { attach, skip } = followed.look();
  t.is(attach.length, 1);
  t.regex(skip[0]!.error.message, /ulimit -n/);
});

test('who has ended before it was opened is counted', (t) => {
  const followed = new Followed({ names: [/web/] });
  followed.machine.all.set(2, { comm: 'web' });
  followed.refused.set(2, 'NO_PROCESS');
  followed.look();
  t.like(followed.follower.stats, { endedUnopened: 1, watched: 0, matched: 1 });
});

test('forks that nobody saw are those since the first look without those that came', (t) => {
  const followed = new Followed({ names: [/web/] });
  const { machine } = followed;
  machine.started = 100;
  machine.all.set(2, { comm: 'web' });
  followed.look();
  machine.started = 110; // one process of three threads, one more thread, and six that are gone again
  machine.all.set(3, { comm: 'x', threads: 3 });
  machine.all.set(2, { comm: 'web', threads: 2 });
  followed.look();
  t.is(followed.follower.stats.forksUnseen, 6);
});

test('what filters look at is read again, of older processes at some looks alone', (t) => {
  const followed = new Followed({ cgroups: ['/a'] });
  const { all, reads } = followed.machine;
  all.set(2, { comm: 'web', cgroup: '0::/\n' });
  for (let look = 0; look < 3; look++) followed.look();
  t.is(reads.length, 3);
  all.set(2, { comm: 'web', cgroup: '0::/a\n' });
  const looks = Array.from({ length: 10 }, () => followed.attached().length);
  t.is(reads.length, 4);
  t.deepEqual(looks.filter(Boolean), [1]);
});

for (const [what, selection, pattern] of [
  ['nothing', {}, /selection is empty/],
  ['an unknown user', { users: ['nobody-has-this-name'] }, /there is no user nobody-has-this-name/],
  ['a negative user', { users: [-1] }, /'-1' is not a UID/],
  ['an empty cgroup', { cgroups: [''] }, /the cgroup is empty/],
] as const) {
  test(`${what} is refused as a selection`, (t) => {
    t.regex(t.throws(() => new Choice(selection), { instanceOf: PagepulseError })!.message, pattern);
  });
}
