import test from 'ava';
import { Work } from '../../src/engine/work.js';

/** Longer than any test may take: a pause that nothing ends is found out. */
const LONG_MS = 600_000;

test('without work there is no pause', async (t) => {
  const work = new Work();
  await work.pause(LONG_MS);
  t.false(work.isPending);
});

test('a pause ends with what is worked on, and a call counts until its answer has been posted', async (t) => {
  const work = new Work();
  let answer: (value: number) => void = () => {};
  const called = work.call(() => new Promise<number>((resolve) => (answer = resolve)));
  const paused = work.pause(LONG_MS);
  t.true(work.isPending);
  answer(7);
  t.is(await called, 7);
  t.true(work.isPending);
  await paused;
  t.false(work.isPending);
});

test('a pause ends for a step, which is done once and gives its result', async (t) => {
  const work = new Work();
  work.inBackground(
    (async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      t.is(await work.inControl(async () => 'parked'), 'parked');
      const failed = work.inControl(() => Promise.reject(new Error('no room')));
      await t.throwsAsync(failed, { message: 'no room' });
    })(),
  );
  for (let steps = 0; steps < 2; steps++) {
    await work.pause(LONG_MS);
    t.true(work.hasSteps);
    await work.doSteps();
  }
  await work.pause(LONG_MS);
  t.false(work.isPending);
});

test('a pause ends after its time', async (t) => {
  const work = new Work();
  let end: () => void = () => {};
  work.inBackground(new Promise((resolve) => (end = resolve)));
  await work.pause(20);
  t.true(work.isPending);
  end();
});
