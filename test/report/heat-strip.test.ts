import test from 'ava';
import fc from 'fast-check';
import { denseStrip, heatStrip, rangesOf } from '../../src/report/heat-strip.js';
import { columnsFrom, regionRows } from '../helpers/snapshots.js';

const cellCounts = fc.integer({ min: 1, max: 200 });

test('a cell shows the mean of its pages, weighted by size', (t) => {
  // Pages 0-9 always accessed, 10-39 never: cells of 20 pages are half and not at all hot.
  const columns = columnsFrom([
    [0, 10, 20, 0],
    [10, 40, 0, 0],
  ]);
  t.deepEqual([...heatStrip(columns, 20, 0, 40, 2)], [0.5, 0]);
  t.deepEqual([...heatStrip(columns, 20, 0, 40, 4)], [1, 0, 0, 0]);
  t.deepEqual([...heatStrip(columns, 20, 0, 40, 1)], [0.25]);
});

test('a page is drawn over many cells where there are more cells than pages', (t) => {
  const columns = columnsFrom([
    [7, 8, 10, 0],
    [8, 9, 20, 0],
  ]);
  t.deepEqual([...heatStrip(columns, 20, 7, 9, 6)], [0.5, 0.5, 0.5, 1, 1, 1]);
});

test('a cell without a region is NaN, and one with half a region is as hot as that half', (t) => {
  const columns = columnsFrom([
    [0, 10, 20, 0],
    [25, 30, 10, 0],
  ]);
  t.deepEqual([...heatStrip(columns, 20, 0, 40, 4)], [1, Number.NaN, 0.5, Number.NaN]);
});

test('shares lie between 0 and 1, and are there exactly where regions are', (t) => {
  fc.assert(
    fc.property(
      regionRows,
      cellCounts,
      fc.nat(2 ** 20),
      fc.integer({ min: 1, max: 2 ** 31 }),
      (rows, cells, start, size) => {
        const strip = heatStrip(columnsFrom(rows), 20, start, start + size, cells);
        const isCovered = rows.some(([from, to]) => from < start + size && to > start);
        return (
          strip.length === cells &&
          strip.every((share) => Number.isNaN(share) || (share >= 0 && share <= 1)) &&
          strip.some((share) => !Number.isNaN(share)) === isCovered
        );
      },
    ),
  );
  t.pass();
});

test('however many cells there are, together they hold all accesses of the range', (t) => {
  fc.assert(
    fc.property(regionRows, cellCounts, (rows, cells) => {
      const columns = columnsFrom(rows);
      for (const { startPage, endPage } of rangesOf(columns)) {
        const pagesPerCell = (endPage - startPage) / cells;
        const drawn = heatStrip(columns, 20, startPage, endPage, cells).reduce(
          (sum, share) => sum + share * pagesPerCell,
          0,
        );
        const there = rows
          .filter(([from]) => from >= startPage && from < endPage)
          .reduce((sum, [from, to, nrAccesses]) => sum + (to - from) * (nrAccesses / 20), 0);
        if (Math.abs(drawn - there) > 1e-6 * (endPage - startPage)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('a range is a run of regions that touch', (t) => {
  const columns = columnsFrom([
    [1, 2, 0, 0],
    [2, 5, 0, 0],
    [6, 7, 0, 0],
    [9, 12, 0, 0],
    [12, 13, 0, 0],
  ]);
  t.deepEqual(rangesOf(columns), [
    { startPage: 1, endPage: 5 },
    { startPage: 6, endPage: 7 },
    { startPage: 9, endPage: 13 },
  ]);
  t.deepEqual(rangesOf(columnsFrom([])), []);
});

test('resident memory is laid end to end: no cell is blank, and each mapping is as long as what is resident of it', (t) => {
  const columns = {
    ...columnsFrom([
      [0, 100, 1, 0],
      [1_000, 9_000, 0, 0],
      [20_000, 20_100, 1, 0],
    ]),
    residentPages: Float64Array.of(50, 100, 50),
    accessedPages: Float64Array.of(50, 0, 25),
  };
  t.deepEqual([...denseStrip(columns, 1, 4)], [1, 0, 0, 0.5]);
  t.deepEqual([...denseStrip(columns, 1, 2)], [0.5, 0.25]);
});
