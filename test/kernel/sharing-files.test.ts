import test from 'ava';
import { parseEndFrame } from '../../src/kernel/frames.js';
import { HoldingRanges } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { parseRollup } from '../../src/kernel/smaps.js';

const hex = (page: number) => (page * pageSize()).toString(16);
const line = (start: number, end: number, permissions: string, name = '') =>
  `${hex(start)}-${hex(end)} ${permissions} 00000000 00:00 0      ${name}\n`;

function rangesIn(text: string): number[] {
  const ranges = new HoldingRanges();
  const bytes = Buffer.from(text);
  return [...ranges.pairs.subarray(0, ranges.parse([bytes]))];
}

test('reservations and what the kernel maps into every process hold nothing', (t) => {
  const text = [
    line(1_000, 1_010, 'rw-p', '[heap]'),
    line(50_000, 90_000, '---p'),
    line(90_000, 90_010, 'r--p', '/usr/lib/[vdso].so'),
    line(90_010, 90_014, 'r--p', '[vvar]'),
    line(90_014, 90_016, 'r-xp', '[vdso]'),
    line(90_016, 90_020, 'rw-p', '[stack]'),
    'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\n',
  ];
  t.deepEqual(rangesIn(text.join('')), [1_000, 1_010, 90_000, 90_010, 90_016, 90_020]);
});

test('ranges with a small gap between them are one', (t) => {
  const text = [
    line(1_000, 1_010, 'r--p'),
    line(1_010, 1_020, '---p'),
    line(1_020, 1_030, 'rw-s'),
    line(1_286, 1_290, 'rw-p'),
    line(1_547, 1_550, 'rw-p'),
  ];
  t.deepEqual(rangesIn(text.join('')), [1_000, 1_290, 1_547, 1_550]);
});

test('a large range stays by itself, so that small neighbours can be read without it', (t) => {
  const text = line(1_000, 1_010, 'rw-p') + line(1_010, 90_000, 'rw-p') + line(90_000, 90_010, 'rw-p');
  t.deepEqual(rangesIn(text), [1_000, 1_010, 1_010, 90_000, 90_000, 90_010]);
});

test('the end of the memory is that of the highest zone that spans something, but for devices', (t) => {
  const zone = (name: string, spanned: number, start: number) =>
    `Node 0, zone   ${name}\n  pages free     3\n        spanned  ${spanned}\n        present  1\n  start_pfn:           ${start}\n`;
  const text = zone('DMA', 4_095, 1) + zone('Normal', 1_000, 4_096) + zone('Movable', 0, 9_999);
  t.is(parseEndFrame(text), 5_096);
  t.is(parseEndFrame(text + zone('Device', 8, 2 ** 34)), 5_096);
});

test('a rollup is summed up in bytes', (t) => {
  const text =
    '55d0c0a00000-7ffe68ef9000 ---p 00000000 00:00 0    [rollup]\nRss:     12 kB\nPss:      5 kB\nPss_Dirty: 1 kB\n' +
    'Shared_Clean:   6 kB\nShared_Dirty:   2 kB\n';
  t.deepEqual(parseRollup(text), { rssBytes: 12_288, pssBytes: 5_120, sharedBytes: 8_192 });
  t.deepEqual(
    parseRollup(`${text}Shared_Hugetlb:  2048 kB\nPrivate_Hugetlb:  4096 kB\n`),
    { rssBytes: 12_288 + 6_144 * 1_024, pssBytes: 5_120 + 4_096 * 1_024, sharedBytes: 8_192 + 2_048 * 1_024 },
    'hugetlb is in no other sum',
  );
});
