import test from 'ava';
import { ENDED_MS, TopModel, TREND_LENGTH } from '../../../src/report/top/model.js';
import { shareOf } from '../../../src/report/top/rows.js';
import { PAGE, snapshotOf } from '../../helpers/snapshots.js';
import { busy, modelOf, rowsOf } from './rows.js';

const MIXED = [
  [0, 10, 20, 5], // always
  [10, 30, 10, 5], // half of the samples
  [30, 60, 1, 5], // once
  [60, 100, 0, 2_999], // not for 299.9 s
  [100, 200, 0, 3_000], // not for 300 s
] as const;

test('working set is what was accessed at all, hot what was in half of the samples', (t) => {
  const [row] = rowsOf({ rows: MIXED });
  t.is(row!.workingSetBytes, 60 * PAGE);
  t.is(row!.hotBytes, 30 * PAGE);
});

test('cold is what was not accessed for five minutes, once it has been watched for so long', (t) => {
  const model = new TopModel();
  model.add(snapshotOf({ rows: MIXED, endUs: 100_000 }));
  t.is(model.state(0).rows[0]!.coldBytes, undefined);
  model.add(snapshotOf({ rows: MIXED, endUs: 300_000_000 }));
  t.is(model.state(0).rows[0]!.coldBytes, 100 * PAGE);
  model.setFacts(4242, { residentBytes: 70 * PAGE, parentPid: 1, cgroup: undefined });
  t.is(model.state(0).rows[0]!.coldBytes, 70 * PAGE, 'no more than is resident');
});

test('its share is the working set over what is resident, and unknown until that was read', (t) => {
  t.is(shareOf(rowsOf(busy(1, 25))[0]!), undefined);
  t.is(shareOf(rowsOf(busy(1, 25, { facts: { residentBytes: 100 * PAGE } }))[0]!), 0.25);
});

test('a trend has the last snapshots, the latest last; rows that were handed out stay as they were', (t) => {
  const model = new TopModel();
  for (let i = 1; i <= TREND_LENGTH + 5; i++) model.add(snapshotOf({ rows: [[0, i, 20, 0]] }));
  const [row] = model.state(0).rows;
  t.is(row!.trend.length, TREND_LENGTH);
  t.is(row!.trend[0], 6 * PAGE);
  t.is(row!.trend.at(-1), (TREND_LENGTH + 5) * PAGE);
  model.add(snapshotOf({ rows: [[0, 1, 20, 0]] }));
  t.is(row!.trend.at(-1), (TREND_LENGTH + 5) * PAGE);
});

test('what has ended stays for some seconds, does not count, and leaves', (t) => {
  const model = modelOf(busy(1, 10, { facts: {} }), busy(2, 20, { facts: {} }));
  model.end(1, 1_000);
  const { rows, totals } = model.state(1_000 + ENDED_MS - 1);
  t.deepEqual(
    rows.map(({ pid, hasEnded }) => [pid, hasEnded]),
    [
      [1, true],
      [2, false],
    ],
  );
  t.like(totals, {
    processes: 1,
    workingSetBytes: 20 * PAGE,
    residentBytes: 100 * PAGE,
    isUpperBound: false,
  });
  t.deepEqual(
    model.state(1_000 + ENDED_MS).rows.map(({ pid }) => pid),
    [2],
  );
  t.false(model.has(1));
});

test('sums of several processes are bounds, unless it is known what they share', (t) => {
  const model = modelOf(busy(1, 10, { facts: {} }), busy(2, 20, { facts: {} }));
  t.like(model.state(0).totals, {
    residentBytes: 200 * PAGE,
    workingSetBytes: 30 * PAGE,
    isUpperBound: true,
  });
  model.sharing = {
    byTarget: new Map([[2, { sharedBytes: 5 * PAGE }]]),
    sums: { residentBytes: 150 * PAGE, workingSetBytes: 25 * PAGE },
  };
  const { rows, totals } = model.state(0);
  t.like(totals, { residentBytes: 150 * PAGE, workingSetBytes: 25 * PAGE, isUpperBound: false });
  t.deepEqual(
    rows.map(({ sharedBytes }) => sharedBytes),
    [undefined, 5 * PAGE],
  );
});

test('what is counted by mapping is the working set, and not hot; a survey, which knows whole mappings, changes nothing', (t) => {
  const memory = { resident: [50, 50], accessed: [20, 0] };
  const rows = [
    [0, 100, 1, 5],
    [100, 200, 0, 5],
  ] as const;
  const model = modelOf({ rows, memory, pid: 1, facts: {} }, { rows, memory, pid: 2, facts: {} });
  const [row] = model.state(0).rows;
  t.is(row!.workingSetBytes, 20 * PAGE);
  t.is(row!.hotBytes, undefined);
  t.like(model.state(0).totals, { workingSetBytes: 40 * PAGE, isWorkingSetUpperBound: true });
  const sumsOf = (workingSetBytes: number) => {
    model.sharing = { byTarget: new Map(), sums: { residentBytes: 150 * PAGE, workingSetBytes } };
    return model.state(0).totals;
  };
  t.like(sumsOf(90 * PAGE), {
    workingSetBytes: 40 * PAGE,
    isUpperBound: false,
    isWorkingSetUpperBound: true,
  });
  t.like(sumsOf(30 * PAGE), { workingSetBytes: 40 * PAGE, residentBytes: 150 * PAGE });
});

test('regions count what is resident of them, and nothing that cannot be seen', (t) => {
  const [row] = rowsOf({
    rows: [
      [0, 10_000, 20, 5],
      [10_000, 10_100, 0, 5],
    ],
    memory: { resident: [60, 40], unseen: [0, 40] },
    facts: { residentBytes: 100 * PAGE },
  });
  t.deepEqual([row!.workingSetBytes, row!.hotBytes, row!.unseenBytes], [60 * PAGE, 60 * PAGE, 40 * PAGE]);
  t.is(shareOf(row!), 0.6);
  const shrunk = rowsOf(busy(1, 100, { memory: { resident: [100] }, facts: { residentBytes: 50 * PAGE } }));
  t.is(shareOf(shrunk[0]!), 1, 'it has shrunk since the snapshot');
});

test('of a process whose memory samples hardly ever meet, nothing is known but what is resident', (t) => {
  const sparse = { rows: [[2 ** 32, 2 ** 33, 0, 9]], memory: { resident: [0] }, pid: 1 } as const;
  for (const given of [
    { ...sparse, residentBytes: 100 * PAGE },
    { ...sparse, facts: { residentBytes: 100 * PAGE } },
  ]) {
    const { rows, totals } = modelOf(given, busy(2, 20, { facts: {} })).state(0);
    t.like(rows[0], { residentBytes: 100 * PAGE, workingSetBytes: undefined, hotBytes: undefined });
    t.regex(rows[0]!.unknown!, /is resident, so samples rarely hit memory$/);
    t.like(totals, { processes: 2, unknown: 1, workingSetBytes: 20 * PAGE });
    t.is(modelOf(given).state(0).totals.workingSetBytes, undefined);
  }
});

test('the cost is shared out by regions', (t) => {
  const rows = rowsOf(
    { rows: [[0, 9, 1, 0]], pid: 1 },
    {
      rows: [
        [0, 1, 1, 0],
        [1, 2, 1, 0],
        [2, 3, 1, 0],
      ],
      pid: 2,
    },
  );
  t.is(rows[0]!.costPercent, 1.24 / 4);
  t.is(rows[1]!.costPercent, (1.24 * 3) / 4);
});
