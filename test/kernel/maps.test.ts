import test from 'ava';
import {
  AccessibleRanges,
  HoldingRanges,
  MappedRanges,
  parseMappings,
  readMappings,
} from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { Smaps } from '../../src/kernel/smaps.js';

const TEXT = `55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r--p 00000000 fe:00 12                         /lib/a name (deleted)
7f0000001000-7f0000003000 rw-p 00000000 00:00 0 
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

test('a line of maps is a mapping with its pages, rights and name', (t) => {
  const mappings = parseMappings(Buffer.from(TEXT));
  t.deepEqual(mappings[0], {
    startPage: 0x55d0c0a00000 / pageSize(),
    endPage: 0x55d0c0a21000 / pageSize(),
    permissions: 'rw-p',
    name: '[heap]',
  });
  t.is(mappings[1]!.name, '/lib/a name (deleted)');
  t.is(mappings[2]!.name, '');
});

test('[vsyscall] is no memory of the process', (t) => {
  t.is(parseMappings(Buffer.from(TEXT)).length, 4);
});

test('mapped ranges are the same in pages, with touching mappings joined', (t) => {
  const ranges = new MappedRanges();
  const bytes = Buffer.from(TEXT);
  const count = ranges.parse([bytes]);
  t.deepEqual(
    [...ranges.pairs.subarray(0, count)],
    [0x55d0c0a00000, 0x55d0c0a21000, 0x7f0000000000, 0x7f0000003000, 0x7ffc00000000, 0x7ffc00021000].map(
      (address) => address / pageSize(),
    ),
  );
});

test('accessible ranges leave out reservations, the pages of the kernel and devices', (t) => {
  const lines = [
    '10000-20000 rw-p 00000000 00:00 0                          [heap]',
    '20000-30000 ---p 00000000 00:00 0 ',
    '30000-40000 r--p 00000000 fe:00 12                         /lib/a',
    '40000-50000 r-xp 00010000 fe:00 12                         /lib/a',
    '60000-70000 rw-s 00000000 00:06 99                         /dev/dri/card0',
    '70000-80000 rw-s 00000000 00:01 99                         /dev/zero (deleted)',
    '80000-90000 rw-s 00000000 00:19 99                         /dev/shm/pool',
    'a0000-b0000 r--p 00000000 00:00 0                          [vvar]',
    'b0000-c0000 r--p 00000000 00:00 0                          [vvar_vclock]',
    'c0000-d0000 r-xp 00000000 00:00 0                          [vdso]',
    'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]',
  ];
  const ranges = new AccessibleRanges();
  const count = ranges.parse([Buffer.from(`${lines.join('\n')}\n`)]);
  t.deepEqual(
    [...ranges.pairs.subarray(0, count)].map((page) => (page * pageSize()).toString(16)),
    ['10000', '20000', '30000', '50000', '70000', '90000', 'c0000', 'd0000'],
  );
});

test('addresses that only five levels of page tables reach are exact for every reader', (t) => {
  const [start, end] = [0xfef_ffff_f001, 0xff0_0000_4001]; // in pages of 4 KiB
  const text = `${start.toString(16)}000-${end.toString(16)}000 rw-p 00000000 00:00 0 \n`;
  t.true(start * 4_096 > 2 ** 53);
  const bytes = Buffer.from(text);
  const [mapped, holding, smaps] = [new MappedRanges(), new HoldingRanges(), new Smaps()];
  const pages = [start, end].map((page) => (page * 4_096) / pageSize());
  t.like(parseMappings(bytes)[0], { startPage: pages[0], endPage: pages[1] });
  t.is(mapped.parse([bytes]), 2);
  t.deepEqual([...mapped.pairs.subarray(0, 2)], pages);
  t.is(holding.parse([bytes]), 2);
  t.deepEqual([...holding.pairs.subarray(0, 2)], pages);
  t.is(smaps.parse([bytes]), 1);
  t.deepEqual([smaps.startPage[0], smaps.endPage[0]], pages);
});

test('20,000 mappings are read', (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => {
    const start = 0x10_0000 + i * 2;
    return `${start.toString(16)}000-${(start + 1).toString(16)}000 rw-p 00000000 00:00 0 \n`;
  });
  const bytes = Buffer.from(lines.join(''));
  t.is(new MappedRanges().parse([bytes]), 40_000);
});

test('both readers agree on this process, which is mapped at its own code and data', (t) => {
  const ranges = new MappedRanges();
  const count = ranges.read(process.pid);
  const mappings = readMappings(process.pid);
  t.true(mappings.some(({ name }) => name === '[stack]'));
  t.is(ranges.pairs[0], mappings[0]!.startPage);
  t.is(ranges.pairs[count - 1], mappings.at(-1)!.endPage);
});

test('a process that is not there is an error that says so', (t) => {
  for (const read of [() => readMappings(2 ** 22 + 5), () => new MappedRanges().read(2 ** 22 + 5)]) {
    t.like(t.throws(read), { code: 'NO_PROCESS' });
  }
});
