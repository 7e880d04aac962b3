import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Gate, monotonicMs, Phase } from '../../src/engine/gate.js';

/** Far away: who is woken by the time alone makes the test run into its timeout. */
const HOUR_MS = 3_600_000;

/** Runs a line of code with `gate` in another thread, and gives it time to block. */
async function blocked(gate: Gate, code: string): Promise<Worker> {
  const url = JSON.stringify(new URL('../../src/engine/gate.js', import.meta.url));
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     import(${url}).then(({ Gate }) => {
       const gate = new Gate(workerData);
       parentPort.postMessage('ready');
       ${code};
       parentPort.postMessage('woken');
     });`,
    { eval: true, workerData: gate.buffer },
  );
  await once(worker, 'message');
  await pause(200);
  return worker;
}

test('a sampler that sleeps until a tick is due wakes when the phase is broken off', async (t) => {
  const gate = Gate.create(1);
  gate.setDue(HOUR_MS * 1_000, monotonicMs() + HOUR_MS, HOUR_MS * 1_000);
  gate.begin(Phase.TICK, 1, 1, 1);
  const worker = await blocked(gate, 'gate.awaitDue()');
  const woken = once(worker, 'message');
  gate.breakOff();
  t.deepEqual(await woken, ['woken']);
  t.true(gate.isBroken);
});

test('a sampler that waits for a phase wakes when it is given up', async (t) => {
  const gate = Gate.create(1);
  gate.reserve(0);
  gate.admit(0);
  const worker = await blocked(gate, 'gate.awaitPhase(0, gate.epoch)');
  const woken = once(worker, 'message');
  gate.revoke(0);
  t.deepEqual(await woken, ['woken']);
});

test('a sampler that answers calls goes on with that when another one is given up', async (t) => {
  const gate = Gate.create(2);
  for (const slot of [0, 1]) {
    gate.reserve(slot);
    gate.admit(slot);
  }
  let isOver = false;
  const waiting = gate.awaitPhaseAnswering(0, gate.epoch).then(() => {
    isOver = true;
  });
  gate.revoke(1);
  await pause(100);
  t.false(isOver);
  gate.begin(Phase.CHECK, 1, 0, 0);
  await waiting;
  t.true(isOver);
});
