import test from 'ava';
import type { EndLine, RecordLine, SnapshotLine, TargetLine } from '../../src/record/format.js';
import { inGuest, openLab } from './guest.js';

const linesOf = (text: string): RecordLine[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const truthOf = (text: string, at = 0) => {
  const { pid, start, end } = JSON.parse(text.trimEnd().split('\n')[at]!);
  return { pid: Number(pid), start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) };
};
const snapshotsOf = (lines: RecordLine[], pid: number) => {
  const target = lines.find((line): line is TargetLine => line.type === 'target' && line.pid === pid)!;
  return lines.filter((line): line is SnapshotLine => line.type === 'snapshot' && line.target === target.id);
};

/** The largest share of samples that found something accessed inside [start, end). */
function hottest(
  { regions, maxNrAccesses }: SnapshotLine,
  { start, end }: { start: number; end: number },
): number {
  const inside = regions.filter(
    ([from, to]) => Number.parseInt(from, 16) < end && Number.parseInt(to, 16) > start,
  );
  return Math.max(0, ...inside.map(([, , nrAccesses]) => nrAccesses / maxNrAccesses));
}

test('one target exits while another goes on', async (t) => {
  const lab = openLab(t);
  const result = await inGuest(
    lab,
    `workload hot 1 >/out/stays & stays=$!; ready /out/stays
workload hot 1 >/out/leaves & leaves=$!; ready /out/leaves
(seen; sleep 3; kill $leaves) &
pagepulse record --pid $stays --pid $leaves -o /out/record --duration 26s\n`,
    120,
  );
  const lines = linesOf(result('record'));
  const stays = snapshotsOf(lines, truthOf(result('stays')).pid);
  const leaves = snapshotsOf(lines, truthOf(result('leaves')).pid);
  t.log(`last snapshots at ${stays.at(-1)!.endUs} and ${leaves.at(-1)!.endUs} us`);
  t.true(leaves.length > 5);
  t.true(stays.at(-1)!.endUs > 25e6);
  t.true(leaves.at(-1)!.endUs < 20e6);
  t.is((lines.at(-1) as EndLine).reason, 'duration');
});

test('a target that executes another program is watched on in its new memory', async (t) => {
  const lab = openLab(t);
  const result = await inGuest(
    lab,
    `workload exec 32 >/out/truth & pid=$!; ready /out/truth
pagepulse record --pid $pid -o /out/record --duration 26s\n`,
    90,
  );
  const lines = linesOf(result('record'));
  const after = truthOf(result('truth'), 1);
  const snapshots = snapshotsOf(lines, after.pid);
  t.is(lines.filter(({ type }) => type === 'target').length, 1);
  const late = snapshots.filter(({ endUs }) => endUs > 20e6);
  t.true(late.length > 5);
  const found = late.filter((snapshot) => hottest(snapshot, after) > 0.5).length;
  t.log(`${found} of ${late.length} snapshots show the new program's hot memory`);
  // Its old memory would show in none; where the emulator is slow, a few ticks stand for a whole interval.
  t.true(found / late.length > 0.5);
});

test('a process that gets the number of one that ended is not taken for it', async (t) => {
  const lab = openLab(t);
  const result = await inGuest(
    lab,
    `echo 450 >/proc/sys/kernel/pid_max
# Numbers are given out in a circle, of which the first 300 are left out from the second time on.
for _ in $(seq 400); do true & wait $!; [ $! -lt 305 ] || break; done
workload hot 1 >/out/first & first=$!; ready /out/first
pagepulse record --pid $first -o /out/record --duration 40s & record=$!
seen; kill $first; wait $first || true
# The number before comes just before it.
for _ in $(seq 1000); do true & wait $!; [ $! != $((first - 1)) ] || break; done
workload hot 1 >/out/second & second=$!
ready /out/second
echo $first $second >/out/pids
wait $record\n`,
    120,
  );
  const [first, second] = result('pids').trim().split(' ');
  t.is(second, first, 'the number was not used again');
  const lines = linesOf(result('record'));
  t.is(lines.filter(({ type }) => type === 'target').length, 1);
  t.is((lines.at(-1) as EndLine).reason, 'targets ended');
});

test('hugetlb pages and zero pages are never accessed: they cannot be sampled', async (t) => {
  const lab = openLab(t);
  const result = await inGuest(
    lab,
    `echo 4 >/proc/sys/vm/nr_hugepages
workload hugetlb >/out/hugetlb & huge=$!; ready /out/hugetlb
workload zero 32 >/out/zero & zero=$!; ready /out/zero
pagepulse record --pid $huge --pid $zero -o /out/record --duration 12s\n`,
    90,
  );
  const lines = linesOf(result('record'));
  for (const name of ['hugetlb', 'zero']) {
    const truth = truthOf(result(name));
    const snapshots = snapshotsOf(lines, truth.pid);
    t.true(snapshots.length > 20);
    for (const { regions } of snapshots) {
      const inside = regions.filter(([from, to]) => {
        return Number.parseInt(from, 16) >= truth.start && Number.parseInt(to, 16) <= truth.end;
      });
      for (const [from, , nrAccesses] of inside) t.is(nrAccesses, 0, `${name} at ${from}`);
    }
  }
  const { stats } = lines.at(-1) as EndLine;
  t.log(`${stats.notSampled} of ${stats.samples} samples could not be told`);
  t.true(stats.notSampled! > 0);
});
