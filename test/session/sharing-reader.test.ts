import test from 'ava';
import { accessedRanges } from '../../src/session/sharing-reader.js';
import { snapshotOf } from '../helpers/snapshots.js';

test('a survey takes the regions that were accessed, and of what is counted those with any accessed page', (t) => {
  const rows = [
    [0, 10, 20, 1],
    [10, 20, 0, 1],
    [30, 40, 20, 1],
  ] as const;
  t.deepEqual(accessedRanges(snapshotOf({ rows })), [0, 10, 30, 40]);
  const memory = { resident: [5, 5, 5], accessed: [3, 0, 0] };
  t.deepEqual(accessedRanges(snapshotOf({ rows, memory })), [0, 10]);
});

test('it takes nothing of a process of which nothing is known', (t) => {
  const rows = [[0, 2 ** 32, 20, 1]] as const;
  t.deepEqual(accessedRanges(snapshotOf({ rows, memory: { resident: [0] }, residentBytes: 4_096 })), []);
});
