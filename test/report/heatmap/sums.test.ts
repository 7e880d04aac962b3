import test from 'ava';
import fc from 'fast-check';
import { cellsOf, equalSpans, spansOf } from '../../../src/report/heatmap/heat-map.js';
import { Profile, RunningSum } from '../../../src/report/heatmap/profile.js';
import { gather } from '../../../src/report/heatmap/sums.js';
import { type RegionRow, snapshotOf } from '../../helpers/snapshots.js';
import { mapOf, mappingOf, snapshotsOf, sourceOf } from './examples.js';

/** Regions of pages 0 to 40, with holes. */
const rows: fc.Arbitrary<RegionRow[]> = fc
  .array(
    fc.record({ gap: fc.nat(3), size: fc.integer({ min: 1, max: 9 }), nr: fc.nat(20), age: fc.nat(5) }),
    {
      maxLength: 6,
    },
  )
  .map((parts) => {
    let page = 0;
    return parts.map(({ gap, size, nr, age }) => {
      const start = page + gap;
      page = start + size;
      return [start, page, nr, age] as const;
    });
  });

test('a cell is the mean over its pages and its time, as far as they were watched', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rows, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 8 }),
      async (snapshots, columns) => {
        const [sums] = await gather(sourceOf(snapshotsOf(snapshots)));
        const spans = equalSpans({ startUs: 0, endUs: snapshots.length * 100_000 }, columns);
        const { shares, agesUs, rowEdges } = cellsOf(sums!, { startPage: 0, endPage: 50 }, 7, spans);
        spans.forEach(({ startUs, endUs }, column) => {
          for (let row = 0; row < 7; row++) {
            let [watched, accessed, aged] = [0, 0, 0];
            snapshots.forEach((regions, i) => {
              const us = Math.min(endUs, (i + 1) * 100_000) - Math.max(startUs, i * 100_000);
              for (const [start, end, nr, age] of regions) {
                const pages = Math.min(end, rowEdges[row + 1]!) - Math.max(start, rowEdges[row]!);
                if (us <= 0 || pages <= 0) continue;
                watched += us * pages;
                accessed += (us * pages * nr) / 20;
                aged += us * pages * age * 100_000;
              }
            });
            const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
            if (watched < 1e-3) continue; // a border of two spans, by rounding
            t.true(isNear(shares[column * 7 + row]!, accessed / watched));
            t.true(isNear(agesUs[column * 7 + row]!, aged / watched));
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('a running sum has of each page what was added, and nothing of the sum before', (t) => {
  const sum = new RunningSum(Number.POSITIVE_INFINITY);
  const profile = new Profile();
  fc.assert(
    fc.property(fc.array(rows, { minLength: 1, maxLength: 20 }), (all) => {
      const expected = new Float64Array(100);
      for (const regions of all) {
        profile.setToSnapshot(snapshotsOf([regions])[0]!.columns, 20, 1_000, 1);
        sum.add(profile);
        for (const [start, end, nr] of regions)
          for (let page = start; page < end; page++) expected[page]! += nr * 50;
      }
      const total = sum.take();
      const seen = new Float64Array(100);
      for (let i = 0; i < total.length; i++) seen.fill(total.accessedUs(i), total.edge(i), total.edge(i + 1));
      t.true(expected.every((us, page) => Math.abs(us - seen[page]!) < 1e-6));
    }),
  );
});

test('what nobody watched is empty, not cold', async (t) => {
  const snapshots = snapshotsOf([[[0, 10, 0, 0]], [], [[0, 10, 0, 2]]]);
  const [sums] = await gather(sourceOf(snapshots));
  const spans = equalSpans({ startUs: 0, endUs: 300_000 }, 3);
  const { shares } = cellsOf(sums!, { startPage: 0, endPage: 20 }, 2, spans);
  t.deepEqual([...shares], [0, Number.NaN, Number.NaN, Number.NaN, 0, Number.NaN]);
});

function sumOfPages(profile: Profile): number {
  let sum = 0;
  for (let i = 0; i < profile.length; i++)
    sum += profile.accessedUs(i) * (profile.edge(i + 1) - profile.edge(i));
  return sum;
}

test('a long recording of regions that never stay takes no more than its limits, and keeps its sum and its course', async (t) => {
  // A window of 100 pages goes up by a page in each snapshot; the others are cut anew every time.
  const snapshots = 2_000;
  const all = Array.from({ length: snapshots }, (_, i): RegionRow[] => [
    [0, i, 0, 1],
    [i, i + 100, 20, 0],
    ...Array.from(
      { length: 20 },
      (_, k): RegionRow => [
        i + 100 + 100 * k + (k > 0 ? (i * 7) % 50 : 0),
        i + 200 + 100 * k + ((i * 7) % 50),
        0,
        1,
      ],
    ),
  ]);
  const limits = { slices: 64, pieces: 64, allPieces: 4_096 };
  const [sums] = await gather(sourceOf(snapshotsOf(all)), { limits });
  t.true(sums!.slices.length <= 64 && sums!.slices.length > 16);
  t.true(sums!.slices.every(({ profile }) => profile.length <= 64));
  t.is(sums!.slices.at(-1)!.endUs, snapshots * 100_000);
  const expected = snapshots * 100 * 100_000;
  t.true(Math.abs(sumOfPages(sums!.total()) - expected) < 1e-6 * expected);

  const spans = equalSpans({ startUs: 0, endUs: snapshots * 100_000 }, 4);
  const { shares } = cellsOf(sums!, { startPage: 0, endPage: snapshots }, 4, spans);
  for (let column = 0; column < 4; column++) {
    const ofColumn = [...shares.slice(4 * column, 4 * column + 4)];
    t.is(ofColumn.indexOf(Math.max(...ofColumn)), column, 'the window is in the row of its time');
  }
});

test('many processes share the limit, and each keeps its time', async (t) => {
  const targets = 40;
  const each = Array.from({ length: targets }, (_, pid) =>
    snapshotsOf(
      Array.from({ length: 30 }, (_, i): RegionRow[] =>
        Array.from({ length: 20 }, (_, k) => [100 * k + i, 100 * k + 100, (k * 7 + i) % 20, 0] as const),
      ),
      pid + 1,
    ),
  );
  const byTime = Array.from({ length: 30 }, (_, i) => each.map((snapshots) => snapshots[i]!)).flat();
  const sums = await gather(sourceOf(byTime), { limits: { slices: 64, pieces: 64, allPieces: 40_000 } });
  t.is(sums.length, targets);
  t.true(sums.reduce((sum, { pieces }) => sum + pieces, 0) <= 40_000);
  t.true(sums.every(({ slices }) => slices[0]!.startUs === 0 && slices.at(-1)!.endUs === 3_000_000));
});

test('what is made coarser keeps its sums, and a slope stays one', (t) => {
  const steps = 256;
  const slope = new Profile();
  for (let i = 0; i < steps; i++) slope.add(10 * i, 10 * i + 10, 1, 1, i / steps, 0);
  const coarse = slope.copy();
  coarse.coarsen(32);
  t.true(coarse.length <= 32);
  t.true(Math.abs(sumOfPages(coarse) - sumOfPages(slope)) < 1e-6);
  for (let i = 0; i < coarse.length; i++) {
    const middle = (coarse.edge(i) + coarse.edge(i + 1)) / 2;
    t.true(Math.abs(coarse.accessedUs(i) - middle / (10 * steps)) < 0.1);
  }
});

test('a part of the time is cut out of the snapshots at its ends', async (t) => {
  const source = sourceOf(snapshotsOf([[[0, 10, 20, 0]], [[0, 10, 10, 0]], [[0, 10, 0, 0]]]));
  const [sums] = await gather(source, { window: { startUs: 50_000, endUs: 150_000 } });
  t.deepEqual(
    sums!.slices.map(({ startUs, endUs }) => [startUs, endUs]),
    [
      [50_000, 100_000],
      [100_000, 150_000],
    ],
  );
  const { shares } = cellsOf(sums!, { startPage: 0, endPage: 10 }, 1, [{ startUs: 0, endUs: 300_000 }]);
  t.is(shares[0], 0.75);
});

test('what is counted by mapping has the heat of its resident pages, and as many accesses as were counted', async (t) => {
  const counted = (accessed: number) =>
    snapshotOf({
      rows: [
        [0, 1_000, 1, 0],
        [1_000, 2_000, 0, 0],
      ],
      endUs: 100_000 * (1 + accessed),
      memory: { resident: [10, 0], accessed: [accessed, 0] },
    });
  const map = await mapOf(sourceOf([counted(5), counted(10)]));
  t.true(map.isFlat);
  const [{ sums, ranges }] = map.panels as [(typeof map.panels)[number]];
  const { shares } = cellsOf(sums, ranges[0]!, 2, spansOf(sums, 2));
  t.deepEqual([...shares], [0.5, 0, 1, 0]);
  t.is(Math.round(sums.accessed), 100_000 * (5 + 10), 'in page-microseconds');
});

test('gaps and reserved addresses are not called watched', async (t) => {
  const mappings = [
    mappingOf(0, 100, 'a'),
    mappingOf(150, 200, 'b'),
    { ...mappingOf(200, 1_000, ''), permissions: '---p' },
  ];
  const map = await mapOf(sourceOf(snapshotsOf([[[0, 1_000, 20, 0]]]), mappings));
  t.is(map.panels[0]!.watchedBytes, 150 * 4_096);
});

test('a process of which nothing is known is in no panel, and is named with the reason', async (t) => {
  const sparse = snapshotOf({
    rows: [[2 ** 32, 2 ** 33, 0, 0]],
    pid: 7,
    comm: 'sparse',
    memory: { resident: [0] },
    residentBytes: 2 ** 25,
  });
  const map = await mapOf(sourceOf([sparse, ...snapshotsOf([[[0, 10, 20, 0]]])]));
  t.deepEqual(
    map.panels.map(({ sums }) => sums.target.comm),
    ['app'],
  );
  t.like(map.unknown[0], { pid: 7, comm: 'sparse' });
  t.regex(map.unknown[0]!.why, /^0\.0002 % of the 16 TiB watched is resident/);
});
