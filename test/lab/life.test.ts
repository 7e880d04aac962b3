import type { measure } from '../../bench/process.js';
import type { EndLine, RecordLine, SnapshotLine } from '../../src/record/format.js';
import { Guest } from './machine/guest.js';
import type { Method } from './machine/protocol.js';
import { swapOn } from './machine/swap.js';
import { scenario } from './scenario.js';
import { ENOUGH, expectFound } from './score/expect.js';
import { score, scoreFound } from './score/score.js';
import { phasesOf } from './score/truth.js';

// What happens to targets, and to those who watch them.

const guest = Guest.shared();
const HOT = 'hotcold 32 8 8';
const secondsOf = (snapshots: readonly SnapshotLine[]) =>
  (snapshots.at(-1)!.endUs - snapshots[0]!.startUs) / 1e6;

scenario('exit: one target exits while another goes on', async (t) => {
  const during = 'set -- $PIDS; sleep 4; kill $2';
  const watched = await guest.watch({ start: [HOT, HOT], seconds: 12, during });
  t.deepEqual(watched.detached, [{ target: 1, reason: 'ended', message: '' }]);
  t.true(secondsOf(watched.snapshots[0]!) > 10);
  t.true(secondsOf(watched.snapshots[1]!) < 6);
});

scenario('stop: a target that is stopped accesses nothing until it goes on', async (t) => {
  const during = 'sleep 6; kill -STOP $PIDS; sleep 8; kill -CONT $PIDS';
  const { snapshots, truths } = await guest.watch({ start: [HOT], seconds: 24, during });
  const [phase] = phasesOf(truths[0]!);
  const hot = phase!.ranges.filter(({ kind }) => kind === 'hot');
  const first = snapshots[0]![0]!.startUs;
  const scoreFrom = (from: number, to: number) => {
    const lines = snapshots[0]!.filter(({ startUs, endUs }) => startUs > first + from && endUs < first + to);
    return score(lines, [{ ...phase!, ranges: hot }]);
  };
  const [before, stopped, after] = [scoreFrom(3e6, 6e6), scoreFrom(8e6, 13e6), scoreFrom(18e6, 24e6)];
  t.log(
    `recall ${before.recall.toFixed(3)}, stopped ${stopped.recall.toFixed(3)}, then ${after.recall.toFixed(3)}`,
  );
  t.true(before.recall > 0.95);
  t.true(stopped.snapshots > 5);
  t.is(stopped.recall, 0);
  t.true(after.recall > 0.95);
});

scenario('reuse: a process that gets the number of one that ended is not taken for it', async (t) => {
  const during = `rm -f /out/second; sleep 4; kill -9 $PIDS; withpid $PIDS /out/bin/hotcold 32 8 8 >/out/second &
until [ -s /out/second ]; do sleep 0.1; done; sleep 2; kill $!`;
  const watched = await guest.watch({ start: [HOT], seconds: 10, during });
  const second = JSON.parse(guest.read('second').split('\n')[0]!) as { pid: number };
  t.is(second.pid, (watched.truths[0]![0] as { pid: number }).pid, 'the number was not used again');
  t.deepEqual(watched.detached, [{ target: 0, reason: 'ended', message: '' }]);
  t.true(secondsOf(watched.snapshots[0]!) < 6);
});

scenario('appear: processes that start while others are watched are watched with them', async (t) => {
  const watched = await guest.watch({ start: [HOT], later: [HOT], seconds: 20, snapshots: ENOUGH });
  t.true(secondsOf(watched.snapshots[0]!) > 18);
  const [startUs, laterStartUs] = watched.snapshots.map((snapshots) => snapshots[0]!.startUs);
  t.true(laterStartUs! - startUs! > 9e6);
  expectFound(t, watched, { least: 0.95 });
});

scenario(
  'reclaim: memory that is taken away while it is watched does not make the hot part look cold',
  async (t) => {
    await swapOn(guest);
    await guest.shell('echo +memory >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/small');
    // Part of what is asked for is not found, which is an error to whoever asks.
    const during = `sleep 4; cd /sys/fs/cgroup/small
for _ in $(seq 60); do
  echo 6M >memory.reclaim || true; sleep 0.5
  cat memory.swap.current >/out/swapped; [ $(</out/swapped) -lt $((36 << 20)) ] || break
done`;
    const start = ["bash -c 'echo $$ >/sys/fs/cgroup/small/cgroup.procs; exec hotcold 128 60 16'"];
    const watched = await guest.watch({ start, seconds: 16, snapshots: ENOUGH, during });
    t.log(`${(Number(guest.read('swapped')) / 2 ** 20).toFixed(0)} MiB were swapped out`);
    t.true(Number(guest.read('swapped')) > 32 * 2 ** 20);
    expectFound(t, watched);
  },
);

scenario('numa: doctor warns where the kernel balances memory between nodes', async (t) => {
  if ((await guest.shell('ls /proc/sys/kernel')).split('\n').indexOf('numa_balancing') < 0) {
    t.log('PAGEPULSE_LAB_KERNEL has no automatic NUMA balancing: nothing to warn of');
    return t.pass();
  }
  const doctor = () => guest.shell('pagepulse doctor');
  t.notRegex(await doctor(), /numa_balancing/);
  await guest.shell('echo 1 >/proc/sys/kernel/numa_balancing');
  try {
    t.regex(await doctor(), /warning +numa_balancing is on.*sysctl kernel.numa_balancing=0/);
    expectFound(t, await guest.watch({ start: ['hotcold 128 60 16'], seconds: 12, snapshots: ENOUGH }), {
      least: 0.95,
    });
  } finally {
    await guest.shell('echo 0 >/proc/sys/kernel/numa_balancing');
  }
});

scenario(
  'tlb: what a processor need not look up in the page tables is not seen, whoever looks',
  async (t) => {
    // A limit of the interface, which docs/lab.md explains: with no other process on its processor, the emulator's TLB
    // keeps all that the workload reads, and the accessed bits are not set. A real-time process is let alone.
    const recallOf = async (method: Method, start: string) => {
      const { snapshots, truth } = await guest.compare({ method, start, seconds: 8, aloneSeconds: 0 });
      return scoreFound(snapshots, phasesOf(truth)).recall;
    };
    const methods = ['Pagepulse', 'DAMON', 'full scan'] as const;
    await guest.shell('pkill -STOP churn; echo -1 >/proc/sys/kernel/sched_rt_runtime_us');
    const alone: number[] = [];
    try {
      for (const method of methods) alone.push(await recallOf(method, 'chrt -f 1 tight 1024'));
    } finally {
      await guest.shell('pkill -CONT churn; echo 950000 >/proc/sys/kernel/sched_rt_runtime_us');
    }
    for (const [i, method] of methods.entries()) {
      const seen = await recallOf(method, 'tight 1024');
      t.log(`recall of ${method}: ${alone[i]!.toFixed(3)} alone, ${seen.toFixed(3)} with others`);
      t.true(alone[i]! < seen - 0.2);
      t.true(seen > 0.95);
    }
  },
);

for (const [who, options, reason] of [
  [
    'another user',
    '--reuid=65534 --regid=65534 --clear-groups',
    /cannot open \/sys\/kernel\/mm\/page_idle\/bitmap: permission denied/,
  ],
  ['root without CAP_SYS_ADMIN', '--bounding-set=-sys_admin --inh-caps=-sys_admin', /hides frame numbers/],
] as const) {
  scenario(`permission: ${who} is told what the idle-page check needs`, async (t) => {
    const command = 'pagepulse watch --check idle-page --duration 1s -- sleep 9';
    const said = await guest.shell(`setpriv ${options} ${command} 2>&1 && exit 1; [ $? = 1 ]`);
    t.regex(said, reason);
    t.regex(said, /^pagepulse: .*; run as root(, or give it CAP_SYS_ADMIN)?, or use the referenced check\n$/);
  });
}

scenario('unreadable: a target that may not be read any longer is let go, with the reason', async (t) => {
  // Without CAP_SYS_PTRACE, the memory of a process that has changed its user is nobody else's business.
  const out = await guest.shell(
    `rm -f /out/a /out/b /out/unreadable
root() { exec setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$@"; }
root becomes 65534 32 8 8 >/out/a & a=$!; root ${HOT} >/out/b & b=$!
until [ -s /out/a -a -s /out/b ]; do sleep 0.1; done
root pagepulse record --pid $a --pid $b --sample 5ms --aggr 100ms -o /out/unreadable 2>/out/said & recorder=$!
pauses() { kill -0 $recorder || { cat /out/said >&2; exit 1; }; sleep 0.2; }
snapshots() { grep -c '"type":"snapshot","target":[01],' /out/unreadable; }
until [ -e /out/unreadable ]; do pauses; done
until [ $(snapshots) -gt 40 ]; do pauses; done
kill -USR2 $a
until grep -q becomes /out/said; do pauses; done
before=$(snapshots)
until [ $(snapshots) -gt $((before + 20)) ]; do pauses; done
kill $recorder; wait $recorder
cat /out/unreadable`,
    60,
  );
  const lines: RecordLine[] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [a, b] = [0, 1].map((id) =>
    lines.filter((line): line is SnapshotLine => line.type === 'snapshot' && line.target === id),
  );
  t.true(a!.length > 10);
  t.true(b!.at(-1)!.startUs > a!.at(-1)!.endUs);
  t.is((lines.at(-1) as EndLine).reason, 'stopped');
  t.regex(
    guest.read('said'),
    /^pagepulse: .*becomes.*permission denied.*; root lacks a capability here: .*$/m,
  );
});

scenario('killed: a sampler thread that is killed is replaced, and what it missed is counted', async (t) => {
  const said = await guest.shell(
    `rm -f /out/k1 /out/k2; ${HOT} >/out/k1 & a=$!; ${HOT} >/out/k2 & b=$!
until [ -s /out/k1 -a -s /out/k2 ]; do sleep 0.1; done
node $DIST/test/lab/scenarios/killed-sampler.js $a $b`,
    90,
  );
  const { lost, lostTicks, snapshots } = JSON.parse(said) as Record<string, number> & {
    snapshots: number[];
  };
  t.log(`${lostTicks} ticks were missed; ${snapshots.join(' and ')} snapshots since`);
  t.is(lost, 1);
  t.true(lostTicks! > 0);
  t.true(snapshots.every((count) => count > 5));
});

scenario('garbage: a minute of ticks causes no major garbage collection', async (t) => {
  const attrs = { sampleUs: 5_000, aggrUs: 3_600e6 };
  const watching = { check: 'idle-page', targets: 1, attrs, warmUpSeconds: 15, seconds: 60 };
  const script = `node -e 'import(process.env.DIST + "/bench/process.js").then(({ measure }) =>
  console.log(JSON.stringify(measure(${JSON.stringify(watching)}))))'`;
  const cost = JSON.parse(await guest.shell(script, 90)) as ReturnType<typeof measure>;
  t.log(`${cost.ticks} ticks; ${cost.minorGcs} minor and ${cost.majorGcs} major garbage collections`);
  t.true(cost.ticks > 1_000);
  t.is(cost.majorGcs, 0);
});

scenario(
  'two recorders: the second warns that another uses the idle bitmap, and its record says so',
  async (t) => {
    const record = (name: string) =>
      `pagepulse record --force --pid $target --check idle-page -d 15s -o /out/${name}.ndjson 2>&1`;
    const said = await guest.shell(
      `sleep 120 & target=$!
${record('first')} >/dev/null & sleep 8
${record('second')}
kill $target; wait`,
      120,
    );
    t.regex(said, /process \d+ \(.*\) also uses the idle page bitmap/);
    const lines = guest.read('second.ndjson').trim().split('\n');
    const other = lines
      .map((line) => JSON.parse(line) as RecordLine)
      .find(({ type }) => type === 'otherWatcher');
    t.like(other, { targets: [] });
  },
);
