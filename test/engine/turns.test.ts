import { once } from 'node:events';
import test from 'ava';
import { type AttrsChange, Monitor, type MonitorOptions } from '../../src/index.js';
import { start } from '../helpers/processes.js';

/** What is told of intervals first, of a monitor of so many processes whose ticks are known to be dear. */
async function toldFirst(options: MonitorOptions): Promise<{ change: AttrsChange; turns: unknown }> {
  await using monitor = await Monitor.start({ ...options, check: 'referenced' });
  const [change] = (await once(monitor, 'attrs')) as [AttrsChange];
  const { inForce } = await monitor.stats();
  return { change, turns: inForce.turns };
}

test('where a tick of all is known to break the budget, targets take turns from the start, and it is told', async (t) => {
  const targets = Array.from({ length: 4 }, () => ({ pid: start(t, 'sleep', ['60']).pid }));
  // 100 us in 10 s; the kernel needs some 100 us for each of them.
  const { change, turns } = await toldFirst({ targets, maxCpuPercent: 0.001 });
  t.is(change.atUs, 0);
  t.is(change.reason, 'budget');
  t.is(change.turns, 4);
  t.is(turns, 4);
});

test('one target takes no turns, whatever it costs', async (t) => {
  const targets = [{ pid: start(t, 'sleep', ['60']).pid }];
  const { change, turns } = await toldFirst({ targets, maxCpuPercent: 0.0001 });
  t.is(change.reason, 'budget');
  t.false('turns' in change);
  t.is(turns, undefined);
});
