import test from 'ava';
import { allot } from '../../../src/core/evidence/plan.js';
import { Rows } from '../../../src/core/evidence/rows.js';

test('a row that deserves as many samples as it has room for gets these, however the search is spread', (t) => {
  const rows = new Rows();
  // Hit as often as not, and known for long: between cold ground that is asked about as densely as it is.
  rows.push(0, 100_000, 0, 200, 0, 0, 0);
  rows.push(100_000, 106_000, 100, 200, 0, 0, 0);
  rows.push(106_000, 200_000, 0, 200, 0, 0, 0);
  const each = 20;
  for (const samples of [300, 500, 700]) {
    allot(rows, { regions: 1_000, samples, each, search: 1 });
    const planned = [...rows.planned.subarray(0, rows.count)];
    t.is(planned[1], each, `of ${samples} samples: ${planned}`);
    t.true(planned.reduce((sum, count) => sum + count, 0) <= samples, `${planned}`);
  }
});
