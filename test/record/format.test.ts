import { Readable } from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { Snapshot } from '../../src/core/snapshot.js';
import {
  attrsLine,
  endLine,
  type HeaderLine,
  headerLine,
  type SnapshotLine,
  snapshotLine,
  targetLine,
} from '../../src/record/format.js';
import { readRecord } from '../../src/record/reader.js';
import { snapshotOfLine } from '../../src/record/restore.js';
import { EXAMPLE, HEADER, linesOfRecord, STATS, snapshotOf, TARGET } from '../helpers/records.js';
import type { RegionRow } from '../helpers/snapshots.js';

test('lines have the documented format', (t) => {
  t.is(
    headerLine({ ...HEADER, seed: 7 }),
    '{"type":"header","version":1,"tool":"pagepulse 0.1.0","startedAt":"2026-01-31T12:00:00.000Z",' +
      '"startedMonotonicNs":"123456789","kernel":"6.12.1","pageSize":4096,"check":"idle-page","attrs":' +
      '{"sampleUs":5000,"aggrUs":100000,"updateUs":1000000,"minRegions":10,"maxRegions":1000},"seed":7}',
  );
  t.is(
    targetLine(TARGET),
    '{"type":"target","id":0,"pid":4242,"startTime":"987654","comm":"postgres","cmdline":["postgres","-D","data"]}',
  );
  t.is(
    snapshotLine(EXAMPLE),
    '{"type":"snapshot","target":0,"startUs":0,"endUs":100120,"maxNrAccesses":20,"regions":' +
      '[["55d0c0a00000","55d0c0a21000",20,3],["7f12a0000000","7f12b0000000",0,17]],' +
      '"cost":{"cpuPercent":1.235,"ticks":20}}',
  );
  t.is(
    endLine('stopped', STATS),
    '{"type":"end","reason":"stopped","stats":{"elapsedUs":100120,"ticks":20,"overruns":0,"samples":400,' +
      '"notSampled":3,"snapshots":1,"droppedSnapshots":0,"lostSamplers":0,"lostTicks":0,"regions":2,"inForce":{"attrs":' +
      '{"sampleUs":5000,"aggrUs":100000,"updateUs":1000000,"minRegions":10,"maxRegions":1000},"reason":"set"},' +
      '"cpuPercent":1.235,"meanLateUs":310}}',
  );
  t.is(
    attrsLine({ atUs: 100_120, attrs: DEFAULT_ATTRS, reason: 'budget' }),
    '{"type":"attrs","atUs":100120,"attrs":' +
      '{"sampleUs":5000,"aggrUs":100000,"updateUs":1000000,"minRegions":10,"maxRegions":1000},"reason":"budget"}',
  );
  t.true(
    attrsLine({ atUs: 1, attrs: DEFAULT_ATTRS, reason: 'budget', turns: 4 }).endsWith(
      '"reason":"budget","turns":4}',
    ),
  );
});

test('with evidence, regions have their samples, and the deviation and unlike pages unless they are 0', async (t) => {
  const { columns } = EXAMPLE;
  const evidence = {
    samples: Uint32Array.of(200, 1_234),
    deviations: Float32Array.of(0, 2.5),
    unlike: Float32Array.of(0, 0),
  };
  const snapshot = new Snapshot(EXAMPLE, { ...columns, ...evidence });
  const line = snapshotLine(snapshot);
  t.regex(line, /\["55d0c0a00000","55d0c0a21000",20,3,200\],\["7f12a0000000","7f12b0000000",0,17,1234,2.5\]/);
  t.deepEqual((await throughRecord(snapshot)).columns, snapshot.columns);
  const unlike = Float32Array.of(0.25, 12);
  const withUnlike = new Snapshot(EXAMPLE, { ...columns, ...evidence, unlike });
  t.regex(snapshotLine(withUnlike), /20,3,200,0,0.25\],.*,0,17,1234,2.5,12\]/);
  t.deepEqual((await throughRecord(withUnlike)).columns, withUnlike.columns);
  t.deepEqual((await throughRecord(withUnlike)).workingSet(), withUnlike.workingSet());
  // Whatever other programs add to a region is not evidence.
  const [header] = await linesOfRecord(readRecord(Readable.from([headerLine(HEADER)])));
  const other = JSON.parse(line.replace(',200]', ',"warm"]'));
  t.is(snapshotOfLine(other, header as HeaderLine, TARGET).columns.samples, undefined);
});

test('a restored snapshot has the attrs in force', async (t) => {
  const change = {
    atUs: 5,
    attrs: { ...DEFAULT_ATTRS, sampleUs: 10_000, aggrUs: 200_000 },
    reason: 'budget',
    turns: 4,
  } as const;
  const text = `${headerLine(HEADER)}\n${attrsLine(change)}\n${snapshotLine(EXAMPLE)}\n`;
  const [header, attrs, line] = await linesOfRecord(readRecord(Readable.from([text])));
  t.deepEqual(attrs, { type: 'attrs', ...change });
  const restored = (more: object) =>
    snapshotOfLine(line as SnapshotLine, { ...(header as HeaderLine), ...more }, TARGET).stats.inForce;
  t.deepEqual(restored({}), { attrs: DEFAULT_ATTRS, reason: 'set' });
  t.deepEqual(restored(change), { attrs: change.attrs, reason: 'budget', turns: 4 });
});

test('costs without a value on virtual time are left out, so that runs are reproducible', (t) => {
  const line = snapshotLine(snapshotOf([], { cpuPercent: null }));
  t.true(line.endsWith('"regions":[],"cost":{"ticks":20}}'));
  t.false(endLine('stopped', { ...STATS, cpuPercent: null }).includes('cpuPercent'));
});

/** In address order up to 2^47, the end of user addresses with four levels of page tables. */
const rows: fc.Arbitrary<RegionRow[]> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 35 }), { maxLength: 40 }),
    fc.infiniteStream(fc.tuple(fc.nat(20), fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1)))),
  )
  .map(([pages, counts]) => {
    const edges = pages.sort((a, b) => a - b);
    return edges.slice(1).map((end, i) => {
      const [nrAccesses, age] = counts.next().value!;
      return [edges[i]!, end, nrAccesses, age];
    });
  });

const count = fc.nat(1_000_000_000);

test('a snapshot survives writing and reading', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.record({
        ticks: count,
        overruns: count,
        droppedSnapshots: count,
        lostSamplers: count,
        lostTicks: count,
      }),
      fc.option(fc.integer({ min: 0, max: 6_400_000 }).map((thousandths) => thousandths / 1_000)),
      async (regions, counts, cpuPercent) => {
        const snapshot = snapshotOf(regions, { ...counts, cpuPercent });
        const restored = await throughRecord(snapshot);
        t.deepEqual(restored.columns, snapshot.columns);
        const { target, check, pageSize, startUs, endUs, maxNrAccesses, stats } = restored;
        t.deepEqual(
          { target, check, pageSize, startUs, endUs, maxNrAccesses },
          {
            target: TARGET,
            check: 'idle-page',
            pageSize: 4096,
            startUs: 0,
            endUs: 100_120,
            maxNrAccesses: 20,
          },
        );
        t.like(stats, { ...counts, cpuPercent, elapsedUs: 100_120 });
        t.is(restored.workingSetBytes(), snapshot.workingSetBytes());
      },
    ),
    { numRuns: 200 },
  );
});

test('command lines keep every character, including Unicode line separators', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\u2028b', '\n', '\r', '\u0085'))),
      async (cmdline) => {
        const text = `${headerLine(HEADER)}\n${targetLine({ ...TARGET, cmdline })}\n`;
        const [, target] = await linesOfRecord(readRecord(Readable.from([text])));
        t.like(target, { type: 'target', cmdline });
      },
    ),
    { numRuns: 200, examples: [[['a\u2028b\u2029c']]] },
  );
});

async function throughRecord(snapshot: Snapshot): Promise<Snapshot> {
  const text = `${headerLine(HEADER)}\n${targetLine(TARGET)}\n${snapshotLine(snapshot)}\n`;
  const [header, , line] = await linesOfRecord(readRecord(Readable.from([text])));
  return snapshotOfLine(line as SnapshotLine, header as HeaderLine, TARGET);
}
