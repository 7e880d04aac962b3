import test from 'ava';
import { SharingSurvey } from '../../../src/index.js';
import { Schedule } from '../../../src/processes/sharing/survey.js';

test('the first survey is due at once, a cheap one every 5 s, and a dear one as its cost allows', (t) => {
  const schedule = new Schedule({ maxCpuPercent: 0.2 });
  t.is(schedule.dueInMs(0), 0);
  schedule.ended(1_000, 2); // 2 ms are 0.2 % of 1 s
  t.is(schedule.dueInMs(1_000), 5_000);
  schedule.ended(10_000, 100); // 100 ms are 0.2 % of 50 s
  t.is(schedule.dueInMs(20_000), 40_000);
  t.is(schedule.dueInMs(60_000), 0);
});

test('a pace that cannot be kept is refused', (t) => {
  for (const pace of [{ maxCpuPercent: 0 }, { minIntervalMs: -1 }, { maxCpuPercent: Number.NaN }]) {
    t.like(
      t.throws(() => new SharingSurvey(pace)),
      { code: 'ATTRS' },
    );
  }
});
