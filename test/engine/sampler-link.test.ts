import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { NoAnswer, SamplerLink } from '../../src/engine/sampler-link.js';
import { SharedState } from '../../src/engine/shared-state.js';

test('a call to a silent thread times out, and the error says why that may be', async (t) => {
  const { port1, port2 } = new MessageChannel();
  const link = new SamplerLink(SharedState.create(1), 0);
  link.shared.slots.reserve(0);
  link.connect(port1);
  const error = await t.throwsAsync(
    link.call((api) => api.cpuFile(), 100),
    { instanceOf: NoAnswer, code: 'THREADS' },
  );
  t.regex(error!.message, /^a sampler thread did not answer for 0\.1 s: the machine may be overloaded/);
  link.close();
  port2.close();
});

test('a call to a thread that has ended fails at once', async (t) => {
  const { port1, port2 } = new MessageChannel();
  const link = new SamplerLink(SharedState.create(1), 0);
  link.shared.slots.reserve(0);
  link.shared.ended(0);
  link.connect(port1);
  await t.throwsAsync(
    link.call((api) => api.cpuFile()),
    { code: 'THREADS', message: 'a sampler thread ended unexpectedly; attach the target again' },
  );
  link.close();
  port2.close();
});
