import { MessageChannel } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import * as Comlink from 'comlink';
import { carryErrors } from '../../src/engine/comlink-errors.js';
import { PagepulseError } from '../../src/index.js';

interface Thrower {
  raise(): void;
}

/** What arrives on the other side of a call that throws this. */
async function received(t: ExecutionContext, thrown: unknown): Promise<unknown> {
  carryErrors();
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  Comlink.expose(
    {
      raise() {
        throw thrown;
      },
    },
    port1 as never,
  );
  const remote = Comlink.wrap<Thrower>(port2 as never);
  try {
    await remote.raise();
  } catch (error) {
    return error;
  }
  return t.fail('nothing was thrown');
}

test('an error of Pagepulse keeps its code, its message and its cause', async (t) => {
  const cause = new Error('EACCES: permission denied');
  const error = await received(t, new PagepulseError('PERMISSION', 'run as root', { cause }));
  t.true(error instanceof PagepulseError);
  const { code, message, cause: itsCause } = error as PagepulseError;
  t.deepEqual([code, message], ['PERMISSION', 'run as root']);
  t.is((itsCause as Error).message, cause.message);
});

test('other errors arrive as Comlink has them: the program may use it for its own', async (t) => {
  const error = await received(t, new TypeError('not ours'));
  t.false(error instanceof PagepulseError);
  t.like(error, { name: 'TypeError', message: 'not ours' });
  t.is(await received(t, 'a text'), 'a text');
});
