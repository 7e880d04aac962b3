import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import type { AttrsReason } from '../../src/core/stats.js';
import { DEFAULT_GOAL } from '../../src/core/tuning.js';
import {
  overlapOf,
  Settling,
  tunedFlags,
  tuningHeading,
  tuningReason,
  tuningRow,
} from '../../src/report/tuning.js';
import { columnsFrom, regionRows } from '../helpers/snapshots.js';

const attrsAt = (sampleUs: number) => ({ ...DEFAULT_ATTRS, sampleUs, aggrUs: 20 * sampleUs });

function stepAt(sampleUs: number, score: number, reason: AttrsReason = 'auto') {
  const step = { atUs: 0, score, sampleUs, wantedSampleUs: sampleUs };
  return { step, inForce: { attrs: attrsAt(sampleUs), reason }, costPercent: 0.913, overlap: 0.876 };
}

test('pictures agree by the pages that both show accessed', (t) => {
  const before = columnsFrom([
    [0, 10, 5, 0],
    [10, 30, 0, 0],
    [30, 40, 1, 0],
  ]);
  const now = columnsFrom([
    [0, 20, 20, 0],
    [20, 35, 0, 0],
    [35, 40, 2, 0],
  ]);
  // 15 pages are hot in both, 20 before, 25 now
  t.is(overlapOf([[before, now]]), 15 / (20 + 25 - 15));
  const other = columnsFrom([[0, 10, 1, 0]]);
  t.is(
    overlapOf([
      [before, now],
      [other, other],
    ]),
    25 / 40,
  );
});

test('where accesses are counted by mapping, agreement is of the counted bytes', (t) => {
  const picture = (accessed: number) => ({
    ...columnsFrom([[0, 100, 1, 0]]),
    residentPages: Float64Array.of(40),
    accessedPages: Float64Array.of(accessed),
  });
  t.is(overlapOf([[picture(20), picture(20)]]), 1);
  t.is(overlapOf([[picture(20), picture(10)]]), 0.5);
});

test('a picture agrees with itself, and any two from both sides alike', (t) => {
  fc.assert(
    fc.property(regionRows, regionRows, (a, b) => {
      t.is(overlapOf([[columnsFrom(a), columnsFrom(a)]]), 1);
      const share = overlapOf([[columnsFrom(a), columnsFrom(b)]]);
      t.is(overlapOf([[columnsFrom(b), columnsFrom(a)]]), share);
      t.true(share >= 0 && share <= 1);
    }),
  );
});

test('a step is a row of the table', (t) => {
  t.is(tuningHeading(), 'step    sample  aggregation   score     cost  agreement      next');
  t.is(
    tuningRow(3, stepAt(40_000, 0.5)),
    '   3     40 ms       800 ms    0.50   0.91 %       88 %     40 ms',
  );
});

test('the options keep what was found, in round numbers', (t) => {
  t.is(tunedFlags(attrsAt(40_000), DEFAULT_ATTRS), '--sample 40ms --aggr 800ms');
  t.is(tunedFlags(attrsAt(7_321), DEFAULT_ATTRS), '--sample 7.32ms --aggr 146.4ms');
  t.is(tunedFlags(attrsAt(10_000_000), DEFAULT_ATTRS), '--sample 10s --aggr 200s');
  const held = { ...attrsAt(500_000), maxRegions: 320, updateUs: 2_000_000 };
  t.is(tunedFlags(held, DEFAULT_ATTRS), '--sample 500ms --aggr 10s --update 2s --max-regions 320');
});

test('the reason is what keeps the intervals where they are', (t) => {
  const reason = (...of: Parameters<typeof stepAt>) => tuningReason(stepAt(...of), DEFAULT_GOAL);
  t.is(
    reason(40_000, 1.03),
    'at 40 ms, 4.1 % of all possible accesses are observed, the target is 4 %, for 0.91 % of a core',
  );
  t.regex(reason(5_000, 3), /^the process is busy: even at the shortest allowed interval, 5 ms, 12 % /);
  t.regex(
    reason(10_000_000, 0.1),
    /^the process is idle: even at the longest allowed interval, 10 s, 0.4 % /,
  );
  t.regex(reason(40_000, 3, 'budget'), /^the budget allows no less than 40 ms: 12 % /);
});

/** Steps of so many sampling intervals, three aggregation intervals each, the last of which stays in force. */
function settling(...sampleUs: number[]): { settling: Settling; nowUs: number } {
  const settling = new Settling(sampleUs[0]!);
  let nowUs = 0;
  sampleUs.forEach((us, i) => {
    nowUs += 60 * us;
    const next = sampleUs[i + 1] ?? us;
    settling.add({ atUs: nowUs, score: 1, sampleUs: us, wantedSampleUs: next }, next);
  });
  return { settling, nowUs };
}

test('it has settled when it has stayed for a while', (t) => {
  const settled = (...sampleUs: number[]) => {
    const { settling: steps, nowUs } = settling(...sampleUs);
    return steps.isSettled(DEFAULT_GOAL, nowUs);
  };
  t.false(settled(100_000, 200_000, 400_000));
  t.false(settled(100_000, 200_000));
  t.true(settled(100_000, 200_000, 200_000));
  t.true(settled(100_000, 200_000, 210_000, 195_000));
  t.true(settled(5_000_000, 10_000_000), 'at a bound, one step is enough');
  t.false(settled(5_000, 5_000, 5_000), 'after 900 ms nobody knows what it costs');
  t.true(settled(...Array.from({ length: 25 }, () => 5_000)));
  t.is(settling(100_000, 200_000, 200_000, 200_000).settling.moves, 1);
});
