import test from 'ava';
import { pagesOf } from '../../src/processes/process-request.js';

const PAGE = 4_096;
const range = (startAddress: number, endAddress: number) => ({ startAddress, endAddress });

test('ranges are widened to whole pages, and may come in any order', (t) => {
  t.deepEqual([...pagesOf([range(5 * PAGE, 6 * PAGE), range(1, PAGE + 1)], PAGE)], [0, 2, 5, 6]);
  t.deepEqual([...pagesOf([range(0, PAGE), range(PAGE, 2 * PAGE)], PAGE)], [0, 1, 1, 2], 'touching');
});

test('page-aligned addresses are exact up to where they end', (t) => {
  for (const end of [2 ** 53, 2 ** 57, 2 ** 64]) {
    for (const bytes of [4_096, 16_384, 65_536]) {
      t.deepEqual([...pagesOf([range(end - bytes, end)], bytes)], [end / bytes - 1, end / bytes]);
    }
  }
});

for (const [what, ranges, message] of [
  ['none', [], /cannot watch 0 ranges: .* 1 to 100; give one/],
  [
    'too many in order',
    Array.from({ length: 101 }, (_, i) => range(i * PAGE, (i + 1) * PAGE)),
    /cannot watch 101 ranges: a process is watched in 1 to 100; drop some/,
  ],
  ['an empty one', [range(0, PAGE), range(0x7000, 0x7000)], /the range 7000-7000: it is empty/],
  ['a reversed one', [range(0x8000, 0x7000)], /the range 8000-7000: it is empty/],
  [
    'overlapping ones',
    [range(0x9000, 0xa000), range(0x1000, 0x3000), range(0x2000, 0x4000)],
    /the range 2000-4000: it overlaps 1000-3000/,
  ],
  [
    'two in one page',
    [range(0x1000, 0x1800), range(0x1800, 0x2000)],
    /the range 1800-2000: it overlaps 1000-1800, in whole pages of 4096 bytes/,
  ],
  ['a negative one', [range(-PAGE, PAGE)], /it is out of bounds; give addresses from 0 to 2\^64/],
  ['no number', [range(Number.NaN, PAGE)], /it is out of bounds; give addresses from 0 to 2\^64/],
  ['one beyond all addresses', [range(0, 2 ** 65)], /it is out of bounds; give addresses from 0 to 2\^64/],
] as const) {
  test(`${what}: the error says which and why`, (t) => {
    t.throws(() => pagesOf(ranges, PAGE), { code: 'ATTRS', message });
  });
}
