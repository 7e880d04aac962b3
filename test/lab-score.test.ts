import test from 'ava';
import type { RecordedRegion, SnapshotLine } from '../src/record/format.js';
import { score } from './lab/score.js';

const TRUTH = { start: 0x1000, end: 0x9000, hotStart: 0x3000, hotEnd: 0x5000 };
const snapshot = (...regions: RecordedRegion[]): SnapshotLine => ({
  type: 'snapshot',
  target: 0,
  startUs: 0,
  endUs: 1,
  maxNrAccesses: 20,
  regions,
});

test('the lab scores by bytes, inside the workload, over all snapshots', (t) => {
  const exact = snapshot(
    ['0', '3000', 0, 1],
    ['3000', '5000', 20, 1],
    ['5000', 'a000', 1, 1],
    ['b000', 'c000', 20, 1],
  );
  t.deepEqual(score([exact], TRUTH), { precision: 1, recall: 1, snapshots: 1 });
  // 2 of 4 pages called hot are; 2 of 2 hot ones are found
  const wide = snapshot(['2000', '6000', 2, 1]);
  t.deepEqual(score([wide], TRUTH), { precision: 0.5, recall: 1, snapshots: 1 });
  const blind = snapshot(['0', 'a000', 1, 1]);
  t.deepEqual(score([exact, blind], TRUTH), { precision: 1, recall: 0.5, snapshots: 2 });
});
