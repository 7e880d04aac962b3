import test from 'ava';
import fc from 'fast-check';
import { DeliveredRows, deliverRegions } from '../../src/core/delivered.js';
import { RegionTable } from '../../src/core/region-table.js';

type Row = readonly [start: number, end: number, resident: number, accessed: number];

function rowsOf(rows: readonly Row[]): DeliveredRows {
  const delivered = new DeliveredRows();
  for (const [start, end, resident, accessed] of rows) delivered.add(start, end, resident, 0, accessed);
  return delivered;
}

function tableOf(maxRegions = 1_000): RegionTable {
  const table = RegionTable.forLimits(3, maxRegions, 0, true);
  table.ageStep = 1;
  return table;
}

function read({ count, startPage, endPage, age, nrAccesses, delivered }: RegionTable) {
  return Array.from({ length: count }, (_, i) => ({
    pages: [startPage[i], endPage[i]],
    accessed: delivered!.accessedPages[i],
    resident: delivered!.residentPages[i],
    age: age[i],
    nrAccesses: nrAccesses[i],
  }));
}

test('regions are delivered as found, and those of about the same heat grow older', (t) => {
  const table = tableOf();
  deliverRegions(
    table,
    rowsOf([
      [10, 20, 10, 5],
      [20, 40, 20, 0],
      [90, 99, 0, 0],
    ]),
    true,
  );
  deliverRegions(
    table,
    rowsOf([
      [10, 20, 10, 6],
      [20, 40, 20, 1],
      [90, 99, 0, 0],
    ]),
    true,
  );
  t.deepEqual(read(table), [
    { pages: [10, 20], accessed: 6, resident: 10, age: 1, nrAccesses: 1 },
    { pages: [20, 40], accessed: 1, resident: 20, age: 0, nrAccesses: 1 },
    { pages: [90, 99], accessed: 0, resident: 0, age: 1, nrAccesses: 0 },
  ]);
  // A read within an interval does not change ages. After a pause, more than one interval has passed.
  deliverRegions(table, rowsOf([[10, 20, 10, 6]]), false);
  t.is(table.age[0], 1);
  table.ageStep = 4;
  deliverRegions(table, rowsOf([[10, 20, 10, 6]]), true);
  t.is(table.age[0], 5);
});

test('with too many regions, similar touching neighbours are delivered as one', (t) => {
  const table = tableOf(9);
  const rows: Row[] = Array.from({ length: 20 }, (_, i) => [i, i + 1, 1, i === 7 ? 1 : 0]);
  deliverRegions(table, rowsOf(rows), true);
  t.true(table.count <= table.deliveredLimit);
  const hot = read(table).filter(({ accessed }) => accessed! > 0);
  t.deepEqual(
    hot.map(({ pages }) => pages),
    [[7, 8]],
  );
});

test('joining regions keeps sums and order', (t) => {
  const row = fc.record({
    gap: fc.integer({ min: 0, max: 5_000 }),
    size: fc.integer({ min: 1, max: 1_000 }),
    heat: fc.constantFrom(0, 0.1, 0.5, 1),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 200 }), (found) => {
      let end = 0;
      const rows = found.map(({ gap, size, heat }): Row => {
        const start = end + gap;
        end = start + size;
        return [start, end, size, Math.floor(size * heat)];
      });
      const table = tableOf(20);
      deliverRegions(table, rowsOf(rows), true);
      const regions = read(table);
      t.true(regions.length <= table.deliveredLimit);
      for (const at of [2, 3] as const) {
        const sum = rows.reduce((total, each) => total + each[at], 0);
        const delivered = regions.reduce(
          (total, { resident, accessed }) => total + (at === 2 ? resident! : accessed!),
          0,
        );
        t.is(delivered, sum);
      }
      for (let i = 1; i < regions.length; i++) t.true(regions[i]!.pages[0]! >= regions[i - 1]!.pages[1]!);
    }),
  );
});

test('exactly the given ranges are covered, and cut regions count as uniform', (t) => {
  const rows = rowsOf([
    [10, 20, 10, 5],
    [30, 40, 4, 4],
  ]);
  rows.clipTo(Float64Array.from([15, 35, 50, 60]));
  const table = tableOf();
  deliverRegions(table, rows, true);
  t.deepEqual(
    read(table).map(({ pages, resident, accessed }) => [...pages, resident, accessed]),
    [
      [15, 20, 5, 2.5],
      [20, 30, 0, 0],
      [30, 35, 2, 2],
      [50, 60, 0, 0],
    ],
  );
});
