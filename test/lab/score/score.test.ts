import test from 'ava';
import type { RecordedRegion, SnapshotLine } from '../../../src/record/format.js';
import { lagsMs, meanOf, score, shareOf } from './score.js';
import { phasesOf, pidsOf } from './truth.js';

const range = (start: number, end: number, kind: string) => ({
  start: start.toString(16),
  end: end.toString(16),
  kind,
});
const line = (atUs: number, ...ranges: unknown[]) => ({ pid: 7, atNs: String(atUs * 1e3), phase: 0, ranges });
const snapshot = (startUs: number, endUs: number, ...regions: RecordedRegion[]): SnapshotLine => ({
  type: 'snapshot',
  target: 0,
  startUs,
  endUs,
  maxNrAccesses: 20,
  regions,
});

/** Pages 1 and 2 cold, 3 and 4 hot, 5 to 8 cold. */
const TRUTH = [
  line(0, range(0x1000, 0x3000, 'cold'), range(0x3000, 0x5000, 'hot'), range(0x5000, 0x9000, 'cold')),
];

test('what is said is scored by bytes, inside the ranges that the truth names', (t) => {
  const phases = phasesOf(TRUTH);
  const exact = snapshot(0, 1, ['0', '3000', 0, 1], ['3000', '5000', 20, 1], ['b000', 'c000', 20, 1]);
  t.deepEqual(score([exact], phases), { precision: 1, recall: 1, workingSetError: 0, snapshots: 1 });
  // 2 of 4 pages said to be hot are, and all hot ones are found
  const wide = snapshot(0, 1, ['2000', '6000', 2, 1]);
  t.deepEqual(score([wide], phases), { precision: 0.5, recall: 1, workingSetError: 1, snapshots: 1 });
  const blind = snapshot(0, 1, ['0', 'a000', 1, 1]);
  t.deepEqual(score([exact, blind], phases), {
    precision: 1,
    recall: 0.5,
    workingSetError: 0.5,
    snapshots: 2,
  });
  t.is(meanOf([score([exact], phases), score([wide], phases)]).precision, 0.75);
});

test('a snapshot is scored against the phase that it lies in, once that has settled', (t) => {
  const lines = [...TRUTH, line(1_000, range(0x1000, 0x3000, 'hot'), range(0x3000, 0x9000, 'cold'))];
  const phases = phasesOf(lines);
  const old = (startUs: number, endUs: number) => snapshot(startUs, endUs, ['3000', '5000', 20, 1]);
  t.is(score([old(0, 900)], phases).recall, 1);
  t.is(score([old(1_000, 1_100)], phases).recall, 0);
  t.is(score([old(900, 1_100), old(1_000, 1_100)], phases, 50).snapshots, 0);
  const late = snapshot(1_200, 1_300, ['1000', '3000', 20, 1]);
  t.deepEqual(lagsMs([old(0, 900), old(1_000, 1_200), late], phases), [0.3]);
  t.deepEqual(lagsMs([old(0, 900)], phases), [Number.POSITIVE_INFINITY]);
  t.deepEqual(pidsOf(lines), [7]);
  // What the workload does between two phases, it says nothing of.
  const ended = phasesOf([TRUTH[0], { pid: 7, atNs: String(500 * 1_000), phaseEnds: 0 }, lines.at(-1)]);
  t.deepEqual(
    ended.map(({ untilUs }) => untilUs),
    [500, Number.POSITIVE_INFINITY],
  );
  t.is(score([old(400, 600), old(600, 900)], ended).snapshots, 0);
});

test('the share of a range is the mean over its bytes and the snapshots', (t) => {
  const ranges = { start: 0x1000, end: 0x5000, kind: 'warm' as const };
  const snapshots = [
    snapshot(0, 1, ['0', '2000', 20, 0], ['2000', '9000', 10, 0]),
    snapshot(1, 2, ['0', '9000', 5, 0]),
  ];
  t.is(shareOf(snapshots, ranges), (1 * 1 + 3 * 0.5 + 4 * 0.25) / 8);
});
