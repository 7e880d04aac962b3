import test from 'ava';
import fc from 'fast-check';
import {
  bestLogLikelihood,
  difference,
  isSettledAs,
  mostGain,
} from '../../../src/core/evidence/significance.js';
import { estimateWorkingSet } from '../../../src/core/working-set.js';

test('likelihoods: one hit of two is as likely as it can be at a rate of a half', (t) => {
  t.true(Math.abs(bestLogLikelihood(1, 2) - 2 * Math.log(0.5)) < 1e-12);
  t.is(bestLogLikelihood(0, 7), 0);
  t.is(bestLogLikelihood(7, 7), 0);
  // 20 hits of 20 beside none of 20: one rate of a half for all would make them 2 ** 40 times less likely.
  t.true(Math.abs(difference(20, 20, 0, 20) - 40 * Math.log(2)) < 1e-3);
});

test('the table of logarithms is as good as logarithms', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 3_000, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, p) => {
          const [hits, misses] = [n * p, n * (1 - p)];
          const log = (x: number) => (x > 0 ? x * Math.log(x) : 0);
          const exact = hits > 0 && misses > 0 ? log(hits) + log(misses) - log(n) : 0;
          return Math.abs(bestLogLikelihood(hits, n) - exact) < 0.06;
        },
      ),
    ),
  );
});

test('no run of answers gains more than their groups leave room for, and some gain as much', (t) => {
  // Of runs that begin and end with the rarer answer.
  const gain = (isHit: readonly boolean[], rarer: boolean) => {
    const hits = isHit.filter((hit) => hit).length;
    let best = 0;
    for (let a = 0; a < isHit.length; a++) {
      for (let b = a + 1; b <= isHit.length; b++) {
        if (isHit[a] !== rarer || isHit[b - 1] !== rarer) continue;
        const within = isHit.slice(a, b).filter((hit) => hit).length;
        best = Math.max(best, difference(within, b - a, hits - within, isHit.length - (b - a)));
      }
    }
    return best;
  };
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 20 }), (answers) => {
        const hits = answers.filter((hit) => hit).length;
        const rarer = 2 * hits <= answers.length;
        const groups = answers.filter((hit, i) => hit === rarer && answers[i - 1] !== rarer).length;
        if (groups === 0) return true;
        return (
          gain(answers, rarer) <=
          mostGain(rarer ? hits : answers.length - hits, answers.length, groups) + 1e-3
        );
      }),
    ),
  );
  const together = [...'0001111000'].map((answer) => answer === '1');
  t.true(Math.abs(gain(together, true) - mostGain(4, 10, 1)) < 1e-3);
});

test('cold ground is settled by 20 misses, a rate of 0.05 not by 2 hits of 20', (t) => {
  t.true(isSettledAs(0.001, 0, 20, 2));
  t.false(isSettledAs(0.001, 0, 10, 2));
  t.false(isSettledAs(0.05, 2, 20, 2));
  t.true(isSettledAs(0.05, 2, 60, 2));
});

test('the working set: its boundaries make its interval, and so do regions that may be on either side', (t) => {
  const columns = (nrAccesses: number[], samples: number[], deviations: number[]) => ({
    startPages: Float64Array.of(0, 1_000, 2_000),
    endPages: Float64Array.of(1_000, 2_000, 10_000),
    nrAccesses: Uint32Array.from(nrAccesses),
    ages: new Uint32Array(3),
    samples: Uint32Array.from(samples),
    deviations: Float32Array.from(deviations),
  });
  // Two boundaries, off by 3 and 4 pages: 5 together, and 1.96 of these in 95 of 100 cases.
  t.deepEqual(estimateWorkingSet(columns([0, 20, 0], [500, 500, 500], [0, 3, 4]), 2, 20), {
    pages: 1_000,
    low: 1_000 - 9.8,
    high: 1_000 + 9.8,
  });
  // A boundary between regions that both count does not matter.
  const both = estimateWorkingSet(columns([20, 10, 0], [500, 500, 500], [0, 3, 0]), 2, 20);
  t.deepEqual(both, { pages: 2_000, low: 2_000, high: 2_000 });
  // 2 of 20 with 20 samples may as well be 1 of 20: its pages may not count.
  const { low, high } = estimateWorkingSet(columns([0, 20, 2], [500, 500, 20], [0, 0, 0]), 2, 20);
  t.true(low <= 1_000 && high >= 9_000);
  // What may be unlike the rest of a region can only be missing where that does not count, and only be too much where it does.
  const unlike = Float32Array.of(0, 5, 10);
  t.deepEqual(estimateWorkingSet({ ...columns([0, 20, 0], [500, 500, 500], [0, 0, 0]), unlike }, 2, 20), {
    pages: 1_000,
    low: 1_000 - 9.8,
    high: 1_000 + 19.6,
  });
});
