import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { ClearRefs } from '../../src/kernel/clear-refs.js';
import { KPageCount, KPageFlags } from '../../src/kernel/frames.js';
import { readMappings } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { NO_ADDRESS_SPACE, NOT_PRESENT, Pagemap } from '../../src/kernel/pagemap.js';
import { Smaps } from '../../src/kernel/smaps.js';
import { hugePagePages, idlePageSupport, referencedSupport } from '../../src/kernel/support.js';
import { ended, start, startHotCold } from '../helpers/processes.js';

const isRoot = process.getuid?.() === 0;

test('a page that was written has a frame, one beyond the mappings has none', (t) => {
  const stack = readMappings(process.pid).find(({ name }) => name === '[stack]')!;
  const pagemap = new Pagemap(process.pid);
  t.teardown(() => pagemap.close());
  const frame = pagemap.frameOf(stack.endPage - 1);
  t.true(isRoot ? frame > 0 : frame === 0, `frame ${frame}`);
  t.is(pagemap.frameOf(1), NOT_PRESENT);
});

test('the frame of a written page is mapped once, and speaks for itself or for its huge page', (t) => {
  if (!isRoot) return t.pass('needs root');
  const stack = readMappings(process.pid).find(({ name }) => name === '[stack]')!;
  const pagemap = new Pagemap(process.pid);
  const counts = new KPageCount();
  const flags = new KPageFlags(hugePagePages());
  t.teardown(() => {
    for (const file of [pagemap, counts, flags]) file.close();
  });
  const frame = pagemap.frameOf(stack.endPage - 1);
  t.is(counts.mapCountOf(frame), 1);
  const idleFrame = flags.idleFrameOf(frame);
  // A page may wait in a processor's batch before it is on a reclaim list.
  t.true(idleFrame === -1 || (idleFrame <= frame && frame - idleFrame < 1_024), `${idleFrame} for ${frame}`);
});

test('after the end of a process its page table reads as gone', async (t) => {
  const child = start(t, 'sleep', ['30']);
  const pagemap = new Pagemap(child.pid);
  t.teardown(() => pagemap.close());
  child.kill('SIGKILL');
  await ended(child);
  t.is(pagemap.frameOf(0x1000), NO_ADDRESS_SPACE);
  t.like(
    t.throws(() => new Pagemap(child.pid)),
    { code: 'NO_PROCESS' },
  );
});

test('smaps is read mapping by mapping, other sums left aside', (t) => {
  const text = Buffer.from(
    [
      '55d0c0a00000-55d0c0a04000 rw-p 00000000 00:00 0                          [heap]',
      'Size:                 16 kB',
      'Rss:                  12 kB',
      'Referenced:            4 kB',
      'AnonHugePages:         0 kB',
      'VmFlags: rd wr mr mw me ac ',
      '7f0000000000-7f0000001000 ---p 00000000 00:00 0 ',
      'Size:                  4 kB',
      'Referenced:            0 kB',
      '',
    ].join('\n'),
  );
  const smaps = new Smaps();
  t.is(smaps.parse([text]), 2);
  t.is(smaps.startPage[0], 0x55d0c0a00);
  t.is(smaps.endPage[0], 0x55d0c0a04);
  t.deepEqual([...smaps.residentBytes.subarray(0, 2)], [12_288, 0]);
  t.deepEqual([...smaps.referencedBytes.subarray(0, 2)], [4_096, 0]);
  t.deepEqual([...smaps.isAccessible.subarray(0, 2)], [1, 0]);
});

test("hugetlb is resident, though smaps counts it in no Rss, and the kernel half of addresses is nobody's memory", (t) => {
  const text = Buffer.from(
    [
      '7f0000000000-7f0002000000 rw-p 00000000 00:0f 42 /anon_hugepage (deleted)',
      'Rss:                   0 kB',
      'Referenced:            0 kB',
      'Shared_Hugetlb:     2048 kB',
      'Private_Hugetlb:   30720 kB',
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]',
      'Rss:                   4 kB',
      '',
    ].join('\n'),
  );
  const smaps = new Smaps();
  t.is(smaps.parse([text]), 1);
  t.is(smaps.residentBytes[0], 32 * 2 ** 20);
  t.is(smaps.hugetlbBytes[0], 32 * 2 ** 20);
});

test('what was accessed since the accessed bits were cleared is referenced, and nothing else', async (t) => {
  const { pid, hot, cold } = await startHotCold(t);
  const clearRefs = new ClearRefs(pid);
  t.teardown(() => clearRefs.close());
  t.true(clearRefs.clearAccessedBits());
  // Some virtual machines take 7 us for the first access to each page now.
  await pause(1_000);
  const smaps = new Smaps();
  const count = smaps.read(pid);
  const shareOf = (address: number) => {
    const page = address / pageSize();
    const at = smaps.startPage
      .subarray(0, count)
      .findIndex((start, i) => start <= page && page < smaps.endPage[i]!);
    return smaps.referencedBytes[at]! / smaps.residentBytes[at]!;
  };
  t.true(shareOf(hot.startAddress) > 0.9, `hot ${shareOf(hot.startAddress)}`);
  t.true(shareOf(cold.startAddress) < 0.1, `cold ${shareOf(cold.startAddress)}`);
});

test('clearing the accessed bits of a process that has ended says so', async (t) => {
  const child = start(t, 'sleep', ['30']);
  const clearRefs = new ClearRefs(child.pid);
  t.teardown(() => clearRefs.close());
  child.kill('SIGKILL');
  await ended(child);
  t.false(clearRefs.clearAccessedBits());
});

test('what this machine lacks comes with a reason and a step', (t) => {
  for (const support of [idlePageSupport(), referencedSupport()]) {
    if (support.ok) t.pass();
    else t.true(support.reason.length > 10 && support.help.length > 5);
  }
});
