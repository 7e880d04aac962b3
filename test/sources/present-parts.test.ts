import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { type Mapping, readMappings } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { Pagemap } from '../../src/kernel/pagemap.js';
import { ProcessSpace } from '../../src/sources/process-space.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Whether this kernel and this build find present parts of a mapping; otherwise whole mappings are left out. */
function findsParts(): boolean {
  const pagemap = new Pagemap(process.pid);
  try {
    return pagemap.presentIn(0x1000, 0x2000, 512, new Float64Array(16)) !== undefined;
  } finally {
    pagemap.close();
  }
}

/** Bytes of a mapping that regions would lie over. */
function coveredBytes(space: ProcessSpace, { startPage, endPage }: Mapping): number {
  const { ranges } = space.read();
  let pages = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    pages += Math.max(0, Math.min(ranges[i + 1]!, endPage) - Math.max(ranges[i]!, startPage));
  }
  return pages * pageSize();
}

/** V8 maps the memory of large buffers, and the kernel gives it pages when they are written. Neighbours may be one mapping. */
function mappingOf(bytes: number): Mapping {
  return readMappings(process.pid).find(
    ({ startPage, endPage, permissions }) =>
      (endPage - startPage) * pageSize() >= bytes && permissions.startsWith('rw'),
  )!;
}

test('what is used is covered; of memory that was never touched nothing is, until it is touched', async (t) => {
  const used = Buffer.alloc(512 * MIB, 1);
  const space = new ProcessSpace({ pid: process.pid }, 'mapped');
  t.true(coveredBytes(space, mappingOf(512 * MIB)) >= 512 * MIB);
  const large = new Uint8Array(3 * GIB);
  const mapping = mappingOf(3 * GIB);
  const untouched = coveredBytes(space, mapping);
  // It is one mapping, and its first page is in use by the allocator.
  if (!findsParts()) return t.true(untouched >= 3 * GIB);
  t.true(untouched < 600 * MIB, `${untouched / MIB} MiB`);
  for (let i = 1; i < 12; i++) large[i * 256 * MIB] = 1;
  const deadline = performance.now() + 30_000;
  let found = 0;
  while (found < 16 * MIB && performance.now() < deadline) {
    await pause(50); // a look takes 0.2 % of a core at most
    found = coveredBytes(space, mapping) - untouched;
  }
  const parts = found / (2 * MIB);
  t.true(parts >= 11 && parts <= 14, `${parts} parts of 2 MiB`);
  return t.is(large[256 * MIB]! + used[0]!, 2);
});
