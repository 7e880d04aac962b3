import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { environHolds, readCmdline } from '../../src/kernel/arguments.js';
import { readCgroupText } from '../../src/kernel/cgroup.js';
import { ClearRefs } from '../../src/kernel/clear-refs.js';
import { HoldingRanges, MappedRanges, readMappings } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { NOT_PRESENT, Pagemap } from '../../src/kernel/pagemap.js';
import { readRollup, Smaps } from '../../src/kernel/smaps.js';
import { isAlive, readWatchable, StatFields } from '../../src/kernel/stat.js';
import { readEffectiveUid, readResidentBytes } from '../../src/kernel/status.js';
import { framesSupport } from '../../src/kernel/support.js';
import { surveySharing } from '../../src/processes/sharing/survey.js';
import { startThreaded } from '../helpers/memory-programs.js';

// A process whose main thread has ended while another goes on: its own files in /proc are those of a zombie.

const MIB = 2 ** 20;

test('all that is read of a process stays what it was when its main thread ends', async (t) => {
  const program = await startThreaded(t);
  if (!program) return;
  const { pid, hotPage } = program;
  const fields = new StatFields();
  const read = () => {
    const { comm, startTime, parentPid, isKernelThread } = readWatchable(pid);
    t.true(fields.read(pid));
    const { hasEnded, imageKey } = fields;
    const [mapped, holding, smaps] = [new MappedRanges(), new HoldingRanges(), new Smaps()];
    const pagemap = new Pagemap(pid);
    const isPresent = pagemap.frameOf(hotPage) !== NOT_PRESENT;
    pagemap.close();
    return {
      ...{ comm, startTime, parentPid, isKernelThread, hasEnded, imageKey, isPresent },
      isAlive: isAlive(pid, startTime),
      hasRollup: readRollup(pid).rssBytes >= 48 * MIB,
      cmdline: readCmdline(pid),
      cgroup: readCgroupText(pid),
      uid: readEffectiveUid(pid),
      hasEnviron: environHolds(pid, 'PATH='),
      mapped: mapped.read(pid) > 0,
      holding: holding.read(pid) > 0,
      maps: readMappings(pid).some(({ startPage, endPage }) => startPage <= hotPage && hotPage < endPage),
      smaps: smaps.read(pid) > 0,
      hasResident: (readResidentBytes(pid) ?? 0) >= 48 * MIB,
    };
  };
  const before = read();
  t.like(before, { isAlive: true, hasResident: true, hasEnviron: true, isPresent: true, maps: true });
  await program.endMainThread();
  t.is(readFileSync(`/proc/${pid}/maps`, 'utf8'), '');
  t.deepEqual(read(), before);
});

test('what it shares is surveyed', async (t) => {
  const program = await startThreaded(t);
  if (!program) return;
  const { pid, hotPage } = program;
  const workingSet = [hotPage, hotPage + (32 * MIB) / pageSize()];
  await program.endMainThread();
  for (const method of ['pss', ...(framesSupport().ok ? (['frames'] as const) : [])] as const) {
    const { targets } = await surveySharing([{ id: 1, pid, workingSet }], { method });
    t.true(targets[0]!.residentBytes >= 48 * MIB, `${method}: ${targets[0]?.residentBytes} bytes`);
    t.is(targets[0]!.workingSetBytes, 32 * MIB, method);
  }
});

for (const when of ['before', 'after'] as const) {
  test(`accessed bits are cleared by what was opened ${when} the main thread ended`, async (t) => {
    const program = await startThreaded(t);
    if (!program) return;
    const { pid, keptPage, hotPage } = program;
    if (when === 'after') await program.endMainThread();
    const clearRefs = new ClearRefs(pid);
    t.teardown(() => clearRefs.close());
    if (when === 'before') await program.endMainThread();
    t.true(clearRefs.clearAccessedBits());
    const smaps = new Smaps();
    const shareOf = (page: number) => {
      const starts = smaps.startPage.subarray(0, smaps.read(pid));
      const isOf = (start: number, i: number) => start <= page && page < smaps.endPage[i]!;
      const at = starts.findIndex(isOf);
      return smaps.referencedBytes[at]! / smaps.residentBytes[at]!;
    };
    while (shareOf(hotPage) < 0.5) await pause(50);
    t.true(shareOf(keptPage) < 0.5, `kept ${shareOf(keptPage)}`);
  });
}
