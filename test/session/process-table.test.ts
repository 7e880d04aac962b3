import test from 'ava';
import { Monitor } from '../../src/index.js';
import { ProcessTable } from '../../src/session/process-table.js';
import { Session } from '../../src/session/session.js';
import { hotCold } from '../helpers/synthetic.js';

test('a process has a row from its arrival on, figures from its first snapshot on, and a mark when it ends', async (t) => {
  const monitor = await Monitor.start({ targets: [hotCold(32, { endsUs: 1e6 })], clock: 'virtual' });
  const session = new Session(monitor);
  let changes = 0;
  const table = new ProcessTable(session, () => changes++);
  t.teardown(() => table.close());
  const rows = () =>
    table.state().rows.map(({ name, snapshot, hasEnded }) => [name, snapshot !== undefined, hasEnded]);
  const seen: unknown[] = [];
  for await (const event of session) {
    table.take(event);
    seen.push([event.type, ...rows()[0]!]);
  }
  t.deepEqual(seen[0], ['attached', 'hotcold', false, false]);
  t.deepEqual(seen[1], ['snapshot', 'hotcold', true, false]);
  t.deepEqual(rows(), [['hotcold', true, true]]);
  const ofRows = seen.filter((each) => (each as string[])[0] !== 'tuned');
  t.is(changes, ofRows.length);
  t.is(table.state().latest?.check, 'synthetic');
});
