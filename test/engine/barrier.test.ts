import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { monotonicMs } from '../../src/engine/clock.js';
import { LAST_EPOCH, Phase } from '../../src/engine/phases.js';
import { SharedState } from '../../src/engine/shared-state.js';

/** Far away: a thread that only the time wakes makes the test time out. */
const HOUR_MS = 3_600_000;

/** Shared state with samplers that take part in the phases after the first. */
function stateWith(samplers: number): SharedState {
  const state = SharedState.create(samplers);
  state.begin(Phase.CONTROL, 0, 0, 0);
  for (let slot = 0; slot < samplers; slot++) {
    state.slots.reserve(slot);
    state.slots.admit(slot, state.phases.epoch);
  }
  return state;
}

/** Runs code with `phases`, `slots` and `barrier` in another thread, and gives it time to block. Posts its result. */
async function blocked(state: SharedState, code: string): Promise<Worker> {
  const url = JSON.stringify(new URL('../../src/engine/shared-state.js', import.meta.url));
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     import(${url}).then(({ SharedState }) => {
       const { phases, slots, barrier } = new SharedState(workerData);
       parentPort.postMessage('ready');
       parentPort.postMessage({ answer: (() => { ${code} })() });
     });`,
    { eval: true, workerData: state.buffer },
  );
  await once(worker, 'message');
  await pause(200);
  return worker;
}

async function answerOf(worker: Worker): Promise<unknown> {
  const [{ answer }] = await once(worker, 'message');
  return answer;
}

test('a sampler that sleeps until a tick is due wakes when the phase is aborted', async (t) => {
  const state = stateWith(1);
  state.barrier.setDue(HOUR_MS * 1_000, monotonicMs() + HOUR_MS, HOUR_MS * 1_000);
  state.begin(Phase.TICK, 1, 1, 1);
  const answer = answerOf(await blocked(state, 'barrier.awaitDue(); return phases.isBroken;'));
  state.breakOff();
  t.true(await answer);
});

test('a sampler that waits for a phase wakes when it is revoked, and cannot finish', async (t) => {
  const state = stateWith(1);
  const worker = await blocked(
    state,
    'const last = phases.epoch; phases.await(0, last); return slots.finish(0, last, last + 1);',
  );
  const answer = answerOf(worker);
  state.revoke(0);
  t.false(await answer);
});

test('a sampler that answers calls continues when another one is revoked', async (t) => {
  const state = stateWith(2);
  let isOver = false;
  const waiting = state.phases.awaitAnswering(0, state.phases.epoch).then(() => {
    isOver = true;
  });
  state.revoke(1);
  await pause(100);
  t.false(isOver);
  state.begin(Phase.CHECK, 1, 0, 0);
  await waiting;
  t.true(isOver);
});

test('no sampler prepares before all have checked, and all continue together', async (t) => {
  const state = stateWith(2);
  state.barrier.setDue(0, undefined, 5_000);
  state.begin(Phase.TICK, 2, 1, 1);
  const first = await blocked(state, 'return [barrier.awaitChecked(), barrier.awaitPrepared(true)];');
  const answer = answerOf(first);
  let hasGoneOn = false;
  void answer.then(() => {
    hasGoneOn = true;
  });
  await pause(100);
  t.false(hasGoneOn);
  t.true(state.barrier.awaitChecked());
  t.false(state.barrier.awaitPrepared(true), 'the phase was for one tick');
  t.deepEqual(await answer, [true, false]);
  t.deepEqual([state.barrier.ticks, state.barrier.intervals, state.barrier.dueUs], [1, 1, 5_000]);
});

test('an abort releases samplers that wait for a lost one', async (t) => {
  for (const step of ['awaitChecked()', 'awaitPrepared(true)']) {
    const state = stateWith(2);
    state.begin(Phase.TICK, 2, 1, 1);
    const answer = answerOf(await blocked(state, `return barrier.${step};`));
    state.breakOff();
    t.false(await answer, step);
    state.begin(Phase.CHECK, 1, 0, 0);
    t.false(state.phases.isBroken, 'the next phase is whole');
  }
});

test('late ticks are skipped, and count as intervals', (t) => {
  const state = stateWith(1);
  const { barrier } = state;
  barrier.setDue(0, monotonicMs() - 35, 10_000);
  state.begin(Phase.TICK, 1, 100, 100);
  t.true(barrier.awaitChecked());
  t.true(barrier.awaitPrepared(true));
  t.is(barrier.ticks, 1);
  t.true(barrier.intervals >= 4, `${barrier.intervals} intervals`);
  t.is(barrier.dueUs, barrier.intervals * 10_000, 'the next tick is on the grid');
  t.true(barrier.maxLateUs >= 35_000);
});

test('a phase ends with its last interval, however few ticks were made', (t) => {
  const state = stateWith(1);
  state.barrier.setDue(0, undefined, 5_000);
  state.begin(Phase.PREPARE_AND_TICK, 1, 2, 100);
  t.true(state.barrier.awaitPrepared(false), 'the marking before the first tick does not count as a tick');
  for (const goesOn of [true, false]) {
    t.true(state.barrier.awaitChecked());
    t.is(state.barrier.awaitPrepared(true), goesOn);
  }
  t.deepEqual([state.barrier.ticks, state.barrier.intervals], [2, 2]);
});

test('phase numbers wrap around, and never equal the mark of a slot', (t) => {
  const state = stateWith(1);
  const { phases, slots } = state;
  phases.words[0] = LAST_EPOCH - 1;
  let last = LAST_EPOCH - 1;
  slots.finished[0] = last;
  for (const expected of [LAST_EPOCH, 1, 2]) {
    state.begin(Phase.CHECK, 1, 0, 0);
    t.is(phases.epoch, expected);
    t.false(phases.isDone(0));
    t.is(phases.await(0, last), expected);
    t.true(slots.finish(0, last, expected));
    t.true(phases.awaitDone(0, 0));
    last = expected;
  }
});

test('a slot becomes free only after its thread has ended', (t) => {
  const state = stateWith(1);
  const free = () => state.slots.firstFree(() => false);
  t.is(free(), undefined);
  state.revoke(0);
  t.is(free(), undefined, 'revoked, but its thread may still write');
  state.ended(0);
  t.is(free(), 0);
  t.false(state.phases.awaitDone(0, HOUR_MS), 'the wait for it ends at once');
});
