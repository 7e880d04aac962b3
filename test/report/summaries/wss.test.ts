import test from 'ava';
import fc from 'fast-check';
import { sumOf, TimeSeries } from '../../../src/report/summaries/time-series.js';
import { WssSummary } from '../../../src/report/summaries/wss.js';
import { PAGE } from '../../helpers/snapshots.js';
import { BY_HAND, POSTGRES, processOf, reportOn, type SnapshotOf } from './recordings.js';

const ANY = { minAccessShare: 0 };

/** A snapshot in which so many pages are accessed. */
const accessed = (startUs: number, endUs: number, pages: number, target = 0): SnapshotOf => [
  startUs,
  endUs,
  [['10000', (0x10000 + pages * PAGE).toString(16), 1, 0]],
  target,
];

test('percentiles weight by time: what held for three quarters of it is the median, and p75', async (t) => {
  const { all, processes } = await reportOn(t, BY_HAND, new WssSummary(ANY));
  const { residentBytes } = processes[0]!;
  const bytes = processes[0]!.bytes!;
  t.deepEqual(bytes, all!.bytes);
  t.deepEqual([bytes.min, bytes.p50, bytes.p75], [8 * PAGE, 8 * PAGE, 8 * PAGE]);
  t.deepEqual([bytes.p95, bytes.max], [48 * PAGE, 48 * PAGE]);
  t.is(bytes.mean, ((48 * 1 + 8 * 3) / 4) * PAGE);
  t.is(residentBytes, 28 * PAGE);
});

test('a threshold leaves out what is accessed less often', async (t) => {
  const { processes } = await reportOn(t, BY_HAND, new WssSummary({ minAccessShare: 0.25 }));
  t.is(processes[0]!.bytes!.max, 16 * PAGE);
  const exact = await reportOn(t, BY_HAND, new WssSummary({ minAccessShare: 0.2 }));
  t.is(exact.processes[0]!.bytes!.max, 48 * PAGE, '4 of 20 are 20 %');
});

test('over time are means of steps', async (t) => {
  const { all } = await reportOn(t, BY_HAND, new WssSummary({ minAccessShare: 0, stepUs: 200_000 }));
  t.deepEqual(all!.overTime, { startUs: 0, stepUs: 200_000, values: [28 * PAGE, 8 * PAGE] });
});

test('the sum is that of the last known of each process that is there', async (t) => {
  const { all, processes } = await reportOn(
    t,
    {
      targets: [processOf(0, { residentBytes: PAGE }), processOf(1)],
      snapshots: [
        accessed(0, 100, 10),
        accessed(100, 200, 10),
        // One of the first process was dropped: its 10 pages go on until 300.
        accessed(100, 250, 5, 1),
        accessed(300, 400, 2),
      ],
    },
    new WssSummary({ minAccessShare: 0, stepUs: 50 }),
  );
  t.deepEqual(
    all!.overTime.values.map((bytes) => bytes! / PAGE),
    [10, 10, 15, 15, 15, 10, 2, 2],
  );
  t.deepEqual([all!.bytes!.min, all!.bytes!.p50, all!.bytes!.max], [2 * PAGE, 10 * PAGE, 15 * PAGE]);
  t.deepEqual([processes[1]!.startUs, processes[1]!.endUs], [100, 250]);
  t.deepEqual(
    [processes[0]!.residentBytes, processes[1]!.residentBytes, all!.residentBytes],
    [PAGE, null, null],
    'a sum in which one is missing is none',
  );
});

test('a time in which nobody is there counts for nothing', async (t) => {
  const { all } = await reportOn(
    t,
    {
      targets: [processOf(0), processOf(1)],
      snapshots: [accessed(0, 100, 10), accessed(200, 300, 4, 1)],
    },
    new WssSummary({ minAccessShare: 0, stepUs: 100 }),
  );
  t.deepEqual(all!.overTime.values, [10 * PAGE, null, 4 * PAGE]);
  t.is(all!.bytes!.min, 4 * PAGE);
});

test('no snapshot comes to nothing, and one that took no time to 0', async (t) => {
  t.is((await reportOn(t, { snapshots: [] }, new WssSummary(ANY))).all, null);
  const { all } = await reportOn(t, { snapshots: [accessed(5, 5, 3)] }, new WssSummary(ANY));
  t.is(all!.bytes!.max, 0);
});

const steps = fc.array(fc.record({ us: fc.integer({ min: 1, max: 9 }), value: fc.nat(5) }), { minLength: 1 });
const lives = fc.array(fc.record({ beginUs: fc.nat(20), steps }), { minLength: 1, maxLength: 20 });

test('percentiles of sums are those of every microsecond written out', (t) => {
  fc.assert(
    fc.property(lives, (all) => {
      const written = new Map<number, number>();
      const series = all.map(({ beginUs, steps }) => {
        const one = new TimeSeries();
        let atUs = beginUs;
        for (const { us, value } of steps) {
          one.add(atUs, atUs + us, value);
          for (let i = 0; i < us; i++, atUs++) written.set(atUs, (written.get(atUs) ?? 0) + value);
        }
        return one;
      });
      const sorted = [...written.values()].sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)]!;
      const before = series.map((one) => one.spread());
      const { min, p5, p25, p50, p75, p95, p99, max } = sumOf(series).spread()!;
      t.deepEqual(
        [min, p5, p25, p50, p75, p95, p99, max],
        [at(0), at(0.05), at(0.25), at(0.5), at(0.75), at(0.95), at(0.99), at(1)],
      );
      t.deepEqual(
        series.map((one) => one.spread()),
        before,
      );
    }),
  );
});

test('where the record tells how sure regions are, the mean has an interval', async (t) => {
  const snapshots: SnapshotOf[] = [
    [
      0,
      100_000,
      [
        ['10000', '20000', 20, 5, 100, 0],
        ['20000', '40000', 0, 5, 100, 3], // begins 3 pages from there, give or take
      ],
    ],
  ];
  const sure = await reportOn(t, { targets: [POSTGRES], snapshots }, new WssSummary(ANY));
  const reach = 1.96 * 3;
  const { lowBytes, highBytes } = sure.all!.interval!;
  t.true(Math.abs(lowBytes / PAGE - (16 - reach)) < 1e-9);
  t.true(Math.abs(highBytes / PAGE - (16 + reach)) < 1e-9);
  const { all, processes } = await reportOn(t, BY_HAND, new WssSummary(ANY));
  t.is(all!.interval, null);
  t.is(processes[0]!.interval, null);
});
