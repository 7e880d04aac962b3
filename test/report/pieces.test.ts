import test from 'ava';
import { piecesOf } from '../../src/report/pieces.js';
import { AccessSummary } from '../../src/report/summaries/access.js';
import { MappingsSummary } from '../../src/report/summaries/mappings.js';
import { PAGE, snapshotOf } from '../helpers/snapshots.js';

const mapping = (startPage: number, endPage: number, name: string, permissions = 'rw-p') => ({
  startPage,
  endPage,
  permissions,
  name,
  residentBytes: undefined,
});

/** Two areas far apart, a reservation between them, and a stack. */
const MAPPINGS = [
  mapping(100, 140, '[heap]'),
  mapping(140, 5_000, '', '---p'),
  mapping(1_000_000, 1_000_060, ''),
  mapping(9_000_000, 9_000_100, '[stack]'),
];

/** A hot region over the first two areas, and a cold one over the stack. */
const snapshot = snapshotOf({
  rows: [
    [100, 1_000_060, 20, 3],
    [9_000_000, 9_000_100, 0, 7],
  ],
  memory: { resident: [50, 100], mapped: [100, 100] },
});

test('a region that reaches over gaps is cut into its mapped parts, by their sizes', (t) => {
  const { startPages, endPages, nrAccesses, ages, residentPages, mappedPages } = piecesOf(snapshot, MAPPINGS);
  t.deepEqual([...startPages], [100, 1_000_000, 9_000_000]);
  t.deepEqual([...endPages], [140, 1_000_060, 9_000_100]);
  t.deepEqual([...nrAccesses], [20, 20, 0]);
  t.deepEqual([...ages], [3, 3, 7]);
  t.deepEqual([...residentPages!], [20, 30, 100]);
  t.is(mappedPages, undefined);
});

test('without mappings, and without gaps, regions stay as they are', (t) => {
  t.deepEqual([...piecesOf(snapshotOf({ rows: [[0, 9, 1, 0]] }), MAPPINGS).startPages], [0]);
  const unknown = snapshotOf({ rows: [[0, 9, 1, 0]], memory: { resident: [2], mapped: [4] } });
  t.deepEqual([...piecesOf(unknown, []).endPages], [9]);
});

test('a snapshot and its reports count what is mapped, never gaps', (t) => {
  t.is(snapshot.coveredBytes, 200 * PAGE);
  t.is(snapshot.regions[0]!.mappedBytes, 100 * PAGE);
  t.is(snapshot.workingSetBytes(), 50 * PAGE);
  const observation = { snapshot, mappings: MAPPINGS, residentBytes: undefined };
  const access = new AccessSummary();
  access.add(observation);
  const { regions } = access.result();
  t.deepEqual(
    regions.map(({ sizeBytes, residentBytes }) => [sizeBytes / PAGE, residentBytes! / PAGE]),
    [
      [40, 20],
      [60, 30],
      [100, 100],
    ],
  );
  const mappings = new MappingsSummary();
  mappings.add(observation);
  const { all } = mappings.result();
  t.is(all.unmappedBytes, 0);
  t.is(all.total.accessedBytes, 50 * PAGE);
});
