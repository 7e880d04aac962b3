import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type SharingResult, SharingSurvey, type SharingTarget, surveySharing } from '../../../src/index.js';
import { pageSize } from '../../../src/kernel/page-size.js';
import { readRollup } from '../../../src/kernel/smaps.js';
import { framesSupport } from '../../../src/kernel/support.js';
import { startProgram } from '../../helpers/memory-programs.js';
import { ended, start } from '../../helpers/processes.js';

const MIB = 2 ** 20;
const method = framesSupport().ok ? 'frames' : 'pss';

const targetsOf = (pids: readonly number[], workingSet: number[] = []): SharingTarget[] =>
  pids.map((pid, id) => ({ id, pid, workingSet }));

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;

function isBetween(t: ExecutionContext, bytes: number, lowMib: number, highMib: number, what: string): void {
  t.true(bytes >= lowMib * MIB && bytes <= highMib * MIB, `${what}: ${mib(bytes)}`);
}

/** What a family of processes shares beside the memory under test: Python, its libraries, what each has of its own. */
const SMALL = 40;

for (const how of ['frames', 'pss'] as const) {
  const isThere = how === 'pss' || method === 'frames';

  test(`${how}: memory that two children share with their parent counts once, until one writes to it`, async (t) => {
    if (!isThere) return t.pass('needs root');
    const program = await startProgram(
      t,
      `m = own(64); write(m, 64); a = child(lambda: write(m, 16)); b = child(); tell(a, b, at(m))
import atexit; atexit.register(lambda: [os.kill(p, 9) for p in (a, b)])`,
    );
    if (!program) return;
    const [a, b, page] = program.told as [number, number, number];
    t.teardown(() => {
      for (const pid of [a, b]) process.kill(pid, 'SIGKILL');
    });
    const targets = targetsOf([program.pid, a, b], [page, page + (64 * MIB) / pageSize()]);
    const before = await surveySharing(targets, { method: how });
    t.is(before.method, how);
    t.is(before.targets.length, 3);
    for (const found of before.targets) {
      isBetween(t, found.sharedBytes, 64, 64 + SMALL, 'shared by each');
      t.is(found.workingSetBytes, 64 * MIB);
      t.is(found.leftOutBytes, 0);
    }
    isBetween(t, before.residentBytes, 64, 64 + SMALL, 'together');
    // By shares, the working set is taken to be shared as all of the process is.
    isBetween(
      t,
      before.workingSetBytes,
      how === 'frames' ? 64 : 60,
      how === 'frames' ? 64 : 90,
      'working sets',
    );

    process.kill(a, 'SIGUSR1');
    await program.more();
    const after = await surveySharing(targets, { method: how });
    // By shares, it is less and more again as others map the same libraries or end.
    const most = how === 'frames' ? 17 : 20;
    isBetween(t, after.residentBytes - before.residentBytes, 15, most, 'more after 16 MiB were written');
    const less = before.targets[1]!.sharedBytes - after.targets[1]!.sharedBytes;
    isBetween(t, less, 15.5, 17, 'what the writer shares less');
  });
}

test('a file that three processes map counts once', async (t) => {
  const path = join(tmpdir(), `pagepulse-shared-${process.pid}`);
  writeFileSync(path, Buffer.alloc(32 * MIB, 1));
  t.teardown(() => rmSync(path));
  const script = `f = open(${JSON.stringify(path)}, 'r+b'); m = mmap.mmap(f.fileno(), 0); read(m, 32); tell(at(m))`;
  const programs = await Promise.all([1, 2, 3].map(() => startProgram(t, script)));
  if (programs.includes(undefined)) return;
  const targets = programs.map((program, id) => {
    const [page] = program!.told as [number];
    return { id, pid: program!.pid, workingSet: [page, page + (32 * MIB) / pageSize()] };
  });
  const { residentBytes, workingSetBytes, targets: found } = await surveySharing(targets);
  for (const one of found) isBetween(t, one.sharedBytes, 32, 32 + SMALL, 'shared by each');
  isBetween(t, residentBytes, 32, 32 + 3 * SMALL, 'together');
  if (method === 'frames') isBetween(t, workingSetBytes, 32, 32, 'working sets together');
});

test('memory that is mapped twice by one process is not shared with another', async (t) => {
  if (method !== 'frames') return t.pass('needs root');
  const program = await startProgram(
    t,
    `f = os.memfd_create('twice'); os.ftruncate(f, 8 * MIB)
m, n = mmap.mmap(f, 0), mmap.mmap(f, 0); write(m, 8); read(n, 8); tell(at(m))`,
  );
  if (!program) return;
  const { targets, residentBytes } = await surveySharing(targetsOf([program.pid]));
  t.is(targets[0]!.sharedBytes, 0);
  isBetween(t, targets[0]!.residentBytes - residentBytes, 8, 8.5, 'what it maps again');
});

/** Whether the kernel gives memory that is only read pages of its own: it can be told to have no zero page. */
const hasNoZeroPage = (pid: number) => readRollup(pid).rssBytes >= 64 * MIB;

test('memory that was only read, and so lies in the zero page, is nobodys', async (t) => {
  if (method !== 'frames') return t.pass('needs root');
  const program = await startProgram(t, 'm = own(64); read(m, 64); tell(at(m))');
  if (!program) return;
  if (hasNoZeroPage(program.pid)) return t.pass('this kernel has no zero page');
  const [page] = program.told as [number];
  const targets = targetsOf([program.pid], [page, page + (64 * MIB) / pageSize()]);
  const { residentBytes, targets: found } = await surveySharing(targets);
  isBetween(t, residentBytes, 1, SMALL, 'all');
  t.is(found[0]!.workingSetBytes, 0);
});

test('the huge zero page is nobodys either', async (t) => {
  if (method !== 'frames') return t.pass('needs root');
  const program = await startProgram(
    t,
    `m = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); m.madvise(mmap.MADV_HUGEPAGE)
read(m, 64); tell(at(m))`,
  );
  if (!program) return;
  if (hasNoZeroPage(program.pid)) return t.pass('this kernel has no zero page');
  const [page] = program.told as [number];
  const targets = targetsOf([program.pid], [page, page + (64 * MIB) / pageSize()]);
  t.is((await surveySharing(targets)).targets[0]!.workingSetBytes, 0);
});

test('what is resident agrees with the kernel, and two that share nothing but libraries share those', async (t) => {
  const sleeps = [start(t, 'sleep', ['60']), start(t, 'sleep', ['60'])];
  // Until they are past their exec.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { targets, residentBytes } = await surveySharing(targetsOf(sleeps.map(({ pid }) => pid)));
  for (const { pid, residentBytes: resident, sharedBytes } of targets) {
    // The kernel counts the pages of [vdso] that were touched.
    const more = readRollup(pid).rssBytes - resident;
    if (method === 'frames') t.true(more >= 0 && more <= 4 * pageSize(), `${more} bytes more in Rss`);
    t.true(sharedBytes > 0.3 * MIB && sharedBytes < resident, mib(sharedBytes));
  }
  const each = targets.reduce((sum, target) => sum + target.residentBytes, 0);
  t.true(residentBytes < each, `${mib(residentBytes)} of ${mib(each)}`);
});

test('a terabyte with nothing in it is not looked through, and said to be left out', async (t) => {
  const program = await startProgram(
    t,
    `m = own(1); write(m, 1)
r = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000); tell(at(m), at(r))`,
  );
  if (!program) return;
  const [page, huge] = program.told as [number, number];
  const workingSet = [page, page + MIB / pageSize(), huge, huge + 2 ** 40 / pageSize()].sort((a, b) => a - b);
  const { targets, cpuMs } = await surveySharing(targetsOf([program.pid], workingSet));
  t.log(`${cpuMs.toFixed(1)} ms`);
  isBetween(t, targets[0]!.leftOutBytes, 0.95 * 2 ** 20, 2 ** 20, 'left out');
  t.is(targets[0]!.workingSetBytes, MIB);
});

test('processes that have ended, or are others by now, are named and in no sum', async (t) => {
  const gone = start(t, 'sleep', ['60']);
  const there = start(t, 'sleep', ['60']);
  gone.kill('SIGKILL');
  await ended(gone);
  const targets = [
    { id: 7, pid: gone.pid, workingSet: [] },
    { id: 8, pid: there.pid, startTime: '1', workingSet: [] },
  ];
  const found = await surveySharing(targets);
  t.deepEqual(found.ended, [7, 8]);
  t.deepEqual([found.targets.length, found.residentBytes, found.unknown.length], [0, 0, 0]);
});

test("another user's process is unknown", async (t) => {
  if (process.getuid?.() === 0) return t.pass('root may read all');
  t.deepEqual((await surveySharing([{ id: 3, pid: 1, workingSet: [] }])).unknown, [3]);
});

test('a working set that is not in order is refused, and the next survey is made all the same', async (t) => {
  const survey = new SharingSurvey({ minIntervalMs: 60_000 });
  t.teardown(() => survey.close());
  t.is(survey.dueInMs, 0);
  for (const workingSet of [[1], [5, 4], [1, 3, 2, 4]]) {
    await t.throwsAsync(survey.survey(targetsOf([process.pid], workingSet)), { code: 'ATTRS' });
  }
  const results: SharingResult[] = await Promise.all([
    survey.survey(targetsOf([process.pid])),
    survey.survey(targetsOf([process.pid])),
  ]);
  for (const { targets } of results) t.true(targets[0]!.residentBytes > 10 * MIB);
  t.true(survey.dueInMs > 50_000);
  await survey.close();
  await t.throwsAsync(survey.survey([]), { code: 'STOPPED' });
});

test('the event loop has its turn while a survey is made', async (t) => {
  const program = await startProgram(t, 'm = own(256); write(m, 256); tell(at(m))');
  if (!program) return;
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  t.teardown(() => clearInterval(timer));
  const many = Array.from({ length: 20 }, () => program.pid);
  await surveySharing(targetsOf(many));
  t.true(turns > 1, `${turns} turns`);
});
