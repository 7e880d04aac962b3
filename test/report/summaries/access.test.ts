import test from 'ava';
import fc from 'fast-check';
import {
  type AccessQuery,
  type AccessRegion,
  AccessSummary,
  selectRegions,
} from '../../../src/report/summaries/access.js';
import { MeanAccess } from '../../../src/report/summaries/mean-access.js';
import { PAGE, regionRows, snapshotOf } from '../../helpers/snapshots.js';
import { BY_HAND, processOf, reportOn } from './recordings.js';

const row = ({ startAddress, sizeBytes, accessShare, ageUs, mapping }: AccessRegion) => [
  startAddress.toString(16),
  sizeBytes / PAGE,
  accessShare,
  ageUs,
  mapping,
];

test('access shares are means weighted by time, page by page; ages are those of the end', async (t) => {
  const { regions } = await reportOn(t, BY_HAND, new AccessSummary());
  t.deepEqual(regions.map(row), [
    ['10000', 8, 1, 800_000, '[heap]'],
    ['18000', 8, 0.25, 200_000, '[heap]'],
    ['20000', 32, 0.05, 300_000, 'anonymous'],
    ['40000', 12, 0, 60_100_000, '/lib/libc.so.6 +1 more'],
  ]);
});

test('a moment is one snapshot of each process, as it was', async (t) => {
  const at = async (atUs: number) =>
    (await reportOn(t, BY_HAND, new AccessSummary(), { atUs })).regions.map(row);
  t.deepEqual(await at(50_000), [
    ['10000', 16, 1, 500_000, '[heap]'],
    ['20000', 32, 0.2, 0, 'anonymous'],
    ['40000', 12, 0, 60_000_000, '/lib/libc.so.6 +1 more'],
  ]);
  t.is((await at(Number.POSITIVE_INFINITY)).length, 4);
  t.deepEqual(await at(500_000), [], 'after the end there is nothing');
});

test('a stretch of time is what overlaps it', async (t) => {
  const { regions } = await reportOn(t, BY_HAND, new AccessSummary(), { fromUs: 100_000 });
  t.is(regions.find(({ startAddress }) => startAddress === 0x18000)!.accessShare, 0);
  const early = await reportOn(t, BY_HAND, new AccessSummary(), { toUs: 100_000 });
  t.is(early.regions.length, 3);
});

test('bytes by access share and by how long they were untouched are of what is mapped and can be accessed', async (t) => {
  const { byShare, untouched, hasMappings } = await reportOn(t, BY_HAND, new AccessSummary());
  t.true(hasMappings);
  t.deepEqual(
    byShare
      .filter(({ bytes }) => bytes > 0)
      .map(({ fromShare, toShare, bytes }) => [fromShare, toShare, bytes / PAGE]),
    [
      [0, 0, 8],
      [0, 0.1, 16],
      [0.2, 0.3, 8],
      [0.9, 1, 8],
    ],
  );
  const pagesFor = (forUs: number) => untouched.find((bin) => bin.forUs === forUs)!.bytes / PAGE;
  t.deepEqual([0, 1e6, 60e6, 120e6].map(pagesFor), [32, 8, 8, 0]);
});

test('without mappings whole regions count, and have no name', async (t) => {
  const { regions, byShare, hasMappings } = await reportOn(
    t,
    { ...BY_HAND, targets: [processOf(0)] },
    new AccessSummary(),
  );
  t.false(hasMappings);
  t.is(regions[0]!.mapping, null);
  t.is(byShare[0]!.bytes, 12 * PAGE);
});

test('regions are chosen by bounds and a name, and sorted by each column', async (t) => {
  const { regions } = await reportOn(t, BY_HAND, new AccessSummary());
  const chosen = (query: AccessQuery) =>
    selectRegions(regions, query).map(({ startAddress }) => startAddress.toString(16));
  t.deepEqual(chosen({ sort: 'age' }), ['40000', '10000', '20000', '18000']);
  t.deepEqual(chosen({ sort: 'size' }), ['20000', '40000', '10000', '18000']);
  t.deepEqual(chosen({ sort: 'access', reverse: true }), ['40000', '20000', '18000', '10000']);
  t.deepEqual(chosen({ sort: 'mapping' }), ['10000', '18000', '40000', '20000']);
  t.deepEqual(
    chosen({ sort: 'address', size: { from: 8 * PAGE, to: 12 * PAGE }, access: { from: 0, to: 0.25 } }),
    ['18000', '40000'],
  );
  t.deepEqual(chosen({ sort: 'address', age: { from: 300_000, to: 800_000 } }), ['10000', '20000']);
  t.deepEqual(chosen({ sort: 'address', address: { from: 0x18000, to: 0x20000 } }), ['18000', '20000']);
  t.deepEqual(chosen({ sort: 'address', mapping: /libc/ }), ['40000']);
});

/** Few pages, so that they can be written out. */
const smallRows = regionRows.map((rows) => {
  let page = 0;
  return rows.slice(0, 6).map(([start, end, nrAccesses, age]) => {
    const from = page + (start % 3);
    page = from + 1 + ((end - start) % 7);
    return [from, page, nrAccesses, age] as const;
  });
});

test('means are those of every page written out', (t) => {
  fc.assert(
    fc.property(fc.array(smallRows, { minLength: 1, maxLength: 8 }), (snapshots) => {
      const mean = new MeanAccess();
      const sums = new Map<number, [accessed: number, seen: number]>();
      for (const rows of snapshots) {
        mean.add(snapshotOf({ rows }));
        for (const [start, end, nrAccesses] of rows) {
          for (let page = start; page < end; page++) {
            const [accessed, seen] = sums.get(page) ?? [0, 0];
            sums.set(page, [accessed + nrAccesses / 20, seen + 1]);
          }
        }
      }
      const found = new Map<number, number>();
      for (const { startPage, endPage, share } of mean.regions()) {
        for (let page = startPage; page < endPage; page++) found.set(page, share);
      }
      t.is(found.size, sums.size);
      for (const [page, [accessed, seen]] of sums) {
        t.true(Math.abs(found.get(page)! - accessed / seen) < 1e-9);
        if (accessed === 0) t.is(found.get(page), 0);
      }
    }),
  );
});

test('of ten thousand snapshots a bounded number of ranges is kept, and what was never accessed stays apart', (t) => {
  const COLD_FROM = 50_000;
  const mean = new MeanAccess();
  for (let i = 0; i < 10_000; i++) {
    // All pages below a boundary that goes through all of them in no order: the share falls evenly from 1 to 0.
    const cut = 1 + ((i * 7_919) % (COLD_FROM - 1));
    mean.add(
      snapshotOf({
        rows: [
          [0, cut, 20, 0],
          [cut, COLD_FROM, 0, 0],
          [COLD_FROM, 2 * COLD_FROM, 0, 0],
        ],
      }),
    );
  }
  const regions = mean.regions();
  t.true(regions.length < 4_096);
  for (const { startPage, endPage, share } of regions) {
    if (share === 0) t.true(startPage > 0.99 * COLD_FROM);
    else t.true(endPage <= COLD_FROM && Math.abs(share - (1 - (startPage + endPage) / 2 / COLD_FROM)) < 0.05);
  }
});
