import test from 'ava';
import { shareRows } from '../../../src/report/heatmap/heat-map.js';
import { addressTicks, timeTicks } from '../../../src/report/heatmap/layout.js';
import { Profile } from '../../../src/report/heatmap/profile.js';
import { chooseRanges } from '../../../src/report/heatmap/ranges.js';
import { MIB_PAGES, mappingOf, TIB_PAGES } from './examples.js';

/** [startPage, endPage, share] in order; what lies between was not watched. */
function totalOf(...parts: readonly (readonly [number, number, number])[]) {
  const total = new Profile();
  for (const [start, end, share] of parts) total.add(start, end, 1_000, 1_000, 1_000 * share, 0);
  return total;
}

const shownOf = (...args: Parameters<typeof chooseRanges>) =>
  chooseRanges(...args).shown.map(({ startPage, endPage }) => [startPage, endPage]);

test('ranges terabytes apart are three', (t) => {
  const total = totalOf(
    [TIB_PAGES, TIB_PAGES + 64, 0.5],
    [20 * TIB_PAGES, 20 * TIB_PAGES + 64, 0],
    [30 * TIB_PAGES, 30 * TIB_PAGES + 64, 0.1],
  );
  t.deepEqual(shownOf(total, [], 'all'), [
    [TIB_PAGES, TIB_PAGES + 64],
    [20 * TIB_PAGES, 20 * TIB_PAGES + 64],
    [30 * TIB_PAGES, 30 * TIB_PAGES + 64],
  ]);
});

test('a gap that is small beside what it lies between stays', (t) => {
  t.deepEqual(shownOf(totalOf([0, 100, 0], [120, 300, 1]), [], 'all'), [[0, 300]]);
  t.deepEqual(shownOf(totalOf([0, 100, 0], [200, 300, 1]), [], 'all'), [
    [0, 100],
    [200, 300],
  ]);
});

test('the hottest are 64 MiB within a terabyte that is accessed once in a while, and a page of the stack', (t) => {
  const hot = 100 * MIB_PAGES;
  const stack = 3 * TIB_PAGES;
  const total = totalOf(
    [0, hot, 0.001],
    [hot, hot + 64 * MIB_PAGES, 1],
    [hot + 64 * MIB_PAGES, TIB_PAGES, 0.001],
    [stack, stack + 1, 1],
  );
  const margin = 4 * MIB_PAGES;
  t.deepEqual(shownOf(total, [], 'hottest'), [
    [hot - margin, hot + 64 * MIB_PAGES + margin],
    [stack, stack + 1],
  ]);
});

test('where nothing was accessed, the hottest is all', (t) => {
  t.deepEqual(shownOf(totalOf([5, 100, 0]), [], 'hottest'), [[5, 100]]);
});

test('what is not mapped is cut out of all, where mappings are known', (t) => {
  const total = totalOf([0, 10 * TIB_PAGES, 0.2]);
  const mappings = [
    mappingOf(1_000, 2_000, 'a'),
    mappingOf(2_000, 3_000, 'b'),
    mappingOf(9 * TIB_PAGES, 9 * TIB_PAGES + 500, 'c'),
  ];
  t.deepEqual(shownOf(total, mappings, 'all'), [
    [1_000, 3_000],
    [9 * TIB_PAGES, 9 * TIB_PAGES + 500],
  ]);
});

test('of more than six ranges those with most accesses are shown, the others told', (t) => {
  const parts = Array.from({ length: 9 }, (_, i) => [i * 1e6, i * 1e6 + 100, (i + 1) / 10] as const);
  const { shown, leftOut } = chooseRanges(totalOf(...parts), [], 'all');
  t.deepEqual(
    shown.map(({ startPage }) => startPage / 1e6),
    [3, 4, 5, 6, 7, 8],
  );
  t.deepEqual(
    leftOut.map(({ startPage }) => startPage / 1e6),
    [0, 1, 2],
  );
});

test('rows go to ranges by their sizes, and to the smallest some', (t) => {
  const sizes = (...pages: number[]) => pages.map((endPage) => ({ startPage: 0, endPage }));
  t.deepEqual(shareRows(sizes(100, 300), 40, 5), [10, 30]);
  t.deepEqual(shareRows(sizes(1, 1_000, 1), 40, 5), [5, 30, 5]);
  t.deepEqual(shareRows(sizes(1, 1, 1), 2, 1), [1, 1, 1]);
});

test('ticks are at round times and addresses', (t) => {
  t.deepEqual(timeTicks(0, 40e6, 8), [0, 5e6, 10e6, 15e6, 20e6, 25e6, 30e6, 35e6, 40e6]);
  t.deepEqual(
    timeTicks(61e6, 200e6, 5).map((us) => us / 60e6),
    [1.5, 2, 2.5, 3],
  );
  t.deepEqual(
    addressTicks(0x7f12_a0a0_0000, 0x7f12_a3a0_0000, 4).map((bytes) => bytes.toString(16)),
    ['7f12a1000000', '7f12a2000000', '7f12a3000000'],
  );
});
