import test from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { RegionTable } from '../../src/core/region-table.js';
import { fillFirst } from '../../src/engine/target.js';

test('a reused table keeps nothing of its former target', (t) => {
  const fresh = RegionTable.forLimits(10, 100, 32);
  const used = RegionTable.forLimits(10, 100, 32);
  // Arbitrary old contents of the columns.
  new Float64Array(used.evidence!.hits.buffer, used.evidence!.hits.byteOffset).fill(7);
  used.tick = 13;
  used.round = 99;
  used.spent = 5;
  used.mostSamples = 6;
  used.cellPages = 80;
  for (const table of [fresh, used]) fillFirst(table, DEFAULT_ATTRS, Float64Array.of(1_000, 9_000), 10);
  t.is(used.count, fresh.count);
  for (const header of [
    'tick',
    'round',
    'spent',
    'mostSamples',
    'cellPages',
    'status',
    'maxNrAccesses',
    'rangeCount',
  ] as const)
    t.is(used[header], fresh[header], header);
  const columnsOf = ({
    evidence,
    startPage,
    endPage,
    nrAccesses,
    lastNrAccesses,
    age,
    count,
    capacity,
  }: RegionTable) => {
    // With cells of 0 pages, the cells are cleared before use.
    const { cellHits: _, cellTrials: __, ...rows } = evidence!;
    return Object.entries({ ...rows, startPage, endPage, nrAccesses, lastNrAccesses, age }).map(
      ([name, column]) =>
        typeof column === 'number' ? column : [name, column.slice(0, (count * column.length) / capacity)],
    );
  };
  t.deepEqual(columnsOf(used), columnsOf(fresh));
});
