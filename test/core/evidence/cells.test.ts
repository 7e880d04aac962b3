import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { runOnce } from '../../../bench/accuracy/run.js';
import { Cells, Memory } from '../../../src/core/evidence/learn.js';
import { moveBoundaries } from '../../../src/core/evidence/merge.js';
import { findPart } from '../../../src/core/evidence/plan.js';
import { unlikePages } from '../../../src/core/evidence/report.js';
import { Rows } from '../../../src/core/evidence/rows.js';
import { RegionTable } from '../../../src/core/region-table.js';

const CELL = 1_000;

/** Cells with these hits, each of `trials` samples; pages start at 0. */
function cellsOf(hits: readonly number[], trials: number): Cells {
  const table = RegionTable.forLimits(1, Math.max(20, hits.length), 32);
  table.cellPages = CELL;
  table.evidence!.cellHits.set(hits);
  table.evidence!.cellTrials.fill(trials, 0, hits.length);
  const cells = new Cells();
  cells.load(table);
  return cells;
}

/** Cells at each rate, one part after the other, hit as often as expected. */
function expected(trials: number, ...parts: readonly (readonly [count: number, rate: number])[]): Cells {
  return cellsOf(
    parts.flatMap(([count, rate]) => new Array<number>(count).fill(rate * trials)),
    trials,
  );
}

test('a part that is hit one time in five, on ground that is hit one time in twenty, is found where it is', (t) => {
  const cells = expected(40, [50, 0.05], [8, 0.2], [42, 0.05]);
  const rows = new Rows();
  rows.push(0, 100 * CELL, 13, 200, 0, 0, 0);
  t.deepEqual(findPart(cells, rows, 0, 0), [50 * CELL, 58 * CELL]);
  t.is(findPart(expected(40, [100, 0.05]), rows, 0, 0), undefined);
});

test('pages unlike the rest of a row: many if nothing is known, none if all is, and never more than the row has', (t) => {
  const pages = (cells: Cells) => unlikePages(cells, 0, 100, 1_000) / CELL;
  const [unknown, little, much] = [0.01, 40, 1_000].map((n) => pages(expected(n, [100, 0.05])));
  t.true(unknown! > 3 && unknown! < 20, `${unknown}`);
  t.true(little! < unknown! && much! < 0.01, `${little}, ${much}`);
  // Too little to be sure of a part, enough to expect one.
  const hidden = pages(expected(15, [50, 0.05], [4, 0.2], [46, 0.05]));
  t.true(hidden > 2 && hidden < 8, `${hidden}`);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { minLength: 4, maxLength: 50 }), (hits) => {
        const unlike = unlikePages(cellsOf(hits, 60), 0, hits.length, 50) / CELL;
        return unlike >= 0 && unlike <= hits.length + 1e-9;
      }),
    ),
  );
});

test('a boundary between rates close to each other moves to where cells place it, with how far off it may be', (t) => {
  const cells = expected(60, [40, 0.05], [20, 0.2], [40, 0.05]);
  const rows = new Rows();
  rows.push(0, 37 * CELL, 10, 200, 0, 0, 0);
  rows.push(37 * CELL, 63 * CELL, 40, 200, 0, 0, 0);
  rows.push(63 * CELL, 100 * CELL, 10, 200, 0, 0, 0);
  moveBoundaries(rows, cells);
  t.true(Math.abs(rows.start[1]! - 40 * CELL) < 0.6 * CELL, `${rows.start[1]}`);
  t.true(Math.abs(rows.end[1]! - 60 * CELL) < 0.6 * CELL, `${rows.end[1]}`);
  t.deepEqual([rows.end[0], rows.end[1]], [rows.start[1], rows.start[2]]);
  t.true(rows.blur[1]! > 0.1 * CELL && rows.blur[1]! < CELL, `${rows.blur[1]}`);
});

test('a boundary between rates far from each other stays: a few answers know it better', (t) => {
  const cells = expected(60, [40, 0.05], [60, 1]);
  const rows = new Rows();
  rows.push(0, 39.5 * CELL, 10, 200, 0, 0, 0);
  rows.push(39.5 * CELL, 100 * CELL, 200, 200, 0, 0, 0);
  moveBoundaries(rows, cells);
  t.is(rows.start[1], 39.5 * CELL);
});

test('of warm ranges in 1 GiB, the interval holds the truth in 90 to 99 of 100 snapshots, and is narrow', (t) => {
  const seeds = [11, 12, 13, 14];
  const results = seeds.map((seed) =>
    runOnce({
      pattern: 'warm',
      totalBytes: 2 ** 30,
      adaptation: 'evidence',
      samplesPerAggregation: 900,
      seed,
      aggregations: 300,
    }),
  );
  const mean = (of: (result: (typeof results)[number]) => number) =>
    results.reduce((sum, result) => sum + of(result), 0) / results.length;
  const coverage = mean((result) => result.coverage!);
  const width = mean((result) => result.width!);
  t.true(coverage > 0.9 && coverage < 0.99, `coverage ${coverage}`);
  t.true(width < 0.12, `width ${width}`);
});

test('cells remember as long as a target keeps its number of pages, whatever that is, and then nothing', (t) => {
  const holds = fc.property(fc.integer({ min: 100, max: 2 ** 40 }), (pages) => {
    const table = RegionTable.forLimits(1, 1_000, 32);
    table.count = 1;
    table.setFresh(0, 0, pages);
    const [cells, memory] = [new Cells(), new Memory()];
    const heldAfter = () => {
      memory.read(table);
      cells.read(table, memory);
      return cells.trials(0, table.capacity);
    };
    table.evidence!.cellTrials.fill(7);
    assert.equal(heldAfter(), 0, 'of whatever the table held before');
    table.evidence!.cellTrials.fill(7);
    assert.ok(heldAfter() > 6 * table.capacity, `of ${pages} pages`);
    table.endPage[0]! += 1;
    assert.equal(heldAfter(), 0, 'of other mappings');
  });
  t.notThrows(() => fc.assert(holds));
});
