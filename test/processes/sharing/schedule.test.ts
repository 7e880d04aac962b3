import test from 'ava';
import { SharingSurvey } from '../../../src/index.js';
import { msUntilNext } from '../../../src/processes/sharing/survey.js';

test('a cheap survey is due again after 5 s, an expensive one when its cost allows', (t) => {
  t.is(msUntilNext(2, { maxCpuPercent: 0.2 }), 5_000); // 2 ms are 0.2 % of 1 s
  t.is(msUntilNext(100, { maxCpuPercent: 0.2 }), 50_000);
  t.is(msUntilNext(100, {}), 50_000);
  t.is(msUntilNext(2, { minIntervalMs: 1_000 }), 1_000);
});

test('a pace that cannot be kept is refused', (t) => {
  for (const pace of [{ maxCpuPercent: 0 }, { minIntervalMs: -1 }, { maxCpuPercent: Number.NaN }]) {
    t.like(
      t.throws(() => new SharingSurvey(pace)),
      { code: 'ATTRS' },
    );
  }
});
