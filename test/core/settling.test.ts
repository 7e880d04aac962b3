import test from 'ava';
import { Settling } from '../../src/core/settling.js';
import { tableOf } from '../helpers/tables.js';

/** Intervals until it settles, with these accessed pages in each interval; the last value repeats. */
function settlesAfter(accessed: readonly number[]): number {
  const settling = new Settling(false);
  for (let i = 0; ; i++) {
    if (!settling.isSettling) return i;
    const pages = accessed[Math.min(i, accessed.length - 1)]!;
    settling.add(
      tableOf([
        [0, pages + 1, pages > 0 ? 20 : 0],
        [pages + 1, 1_000_000, 0],
      ]),
    );
  }
}

test('the working set settles after five equal intervals, and after ten at the earliest', (t) => {
  t.is(settlesAfter([500]), 10);
  t.is(settlesAfter([0]), 10);
  t.is(settlesAfter([1_290, 1_164, 1_164, 861, 434, 434, 322]), 11);
  t.is(settlesAfter([770, 690, 480, 290, 290, 210, 150, 150, 110, 110, 100, 90, 80]), 17);
});

test('a working set that shrinks and grows again is not settled while it grows', (t) => {
  // A Java program that got no processor for a while: it had settled at 60 of 525 MiB.
  const lost = [300, 270, 162, 113, 68, 29, 29, 63, 57, 0, 0, 240, 192, 115, 1, 1, 233, 91, 80, 80];
  const found = [80, 72, 72, 72, 72, 63, 62, 62, 60];
  const after = settlesAfter([...lost, ...found].map((mib) => mib * 256));
  t.true(after > 20, `${after}`);
});

test('a working set that goes up and down settles by its mean, and after 60 intervals in any case', (t) => {
  t.is(settlesAfter(Array.from({ length: 100 }, (_, i) => (i % 5 === 0 ? 3_000 : 1_000))), 10);
  t.is(settlesAfter(Array.from({ length: 100 }, (_, i) => 2 ** (i / 2))), 60);
});

test('exact regions need no settling', (t) => {
  t.false(new Settling(true).isSettling);
});
