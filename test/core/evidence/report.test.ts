import test from 'ava';
import { Reporter } from '../../../src/core/evidence/report.js';
import { Rows } from '../../../src/core/evidence/rows.js';
import { RegionTable } from '../../../src/core/region-table.js';

test('a mapping that has just come, and is hardly known, does not blur what lies beyond its neighbour', (t) => {
  const rows = new Rows();
  for (const [start, end, hits, trials] of [
    [0, 25_000, 0, 2],
    [50_000, 51_000, 0, 300],
    [51_000, 53_000, 80, 200],
    [53_000, 54_000, 0, 300],
  ] as const)
    rows.push(start, end, hits, trials, 0, 0, 20);
  const table = RegionTable.forLimits(3, 100, 32);
  table.maxNrAccesses = 20;
  new Reporter().report(rows, table, 1e6, 3);
  t.deepEqual([...table.nrAccesses.subarray(0, table.count)], [0, 0, 8, 0]);
  t.deepEqual([...table.evidence!.trials.subarray(0, table.count)], [2, 600, 200, 600]);
});

test('ground that lies on both sides of something else has one rate', (t) => {
  const rows = new Rows();
  rows.push(0, 30_000, 4, 100, 0, 0, 20);
  rows.push(30_000, 31_000, 200, 200, 0, 0, 20);
  rows.push(31_000, 41_000, 6, 100, 0, 0, 20);
  const table = RegionTable.forLimits(3, 100, 32);
  table.maxNrAccesses = 100;
  new Reporter().report(rows, table, 1e6, 3);
  t.deepEqual([...table.nrAccesses.subarray(0, table.count)], [5, 100, 5]);
});
