import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { Monitor } from '../../src/index.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { LiveSource } from '../../src/session/live.js';
import { Session } from '../../src/session/session.js';
import { start, startHotCold } from '../helpers/processes.js';
import { hotCold } from '../helpers/synthetic.js';

const ATTRS = { sampleUs: 10_000, aggrUs: 50_000 };

test('what is watched comes with its mappings and what of them is resident', async (t) => {
  const { pid, hot } = await startHotCold(t);
  const monitor = await Monitor.start({ targets: [{ pid }], attrs: ATTRS });
  t.teardown(() => monitor.stop());
  const source = new LiveSource(new Session(monitor));
  const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trim(); // `node`, and another one since Node 26
  t.is(source.header.name, `${comm} (${pid})`);
  for await (const { snapshot, mappings, residentBytes } of source.observations()) {
    t.is(snapshot.target.pid, pid);
    const startPage = hot.startAddress / pageSize();
    const mapping = mappings.find((each) => each.startPage <= startPage && startPage < each.endPage);
    t.is(mapping?.permissions, 'rw-p');
    t.true(mapping!.residentBytes! >= 64 * 2 ** 20);
    t.true(residentBytes! > mapping!.residentBytes!);
    break;
  }
  t.is((await monitor.ended).reason, 'stopped', 'who leaves stops the monitor');
  t.deepEqual(source.notes(), []);
});

test('it ends with the monitor, and several processes are one source', async (t) => {
  const children = [start(t, 'sleep', ['60']), start(t, 'sleep', ['60'])];
  await Promise.all(children.map((child) => once(child, 'spawn')));
  const monitor = await Monitor.start({ targets: children.map(({ pid }) => ({ pid })), attrs: ATTRS });
  const source = new LiveSource(new Session(monitor));
  t.is(source.header.name, '2 processes');
  const seen = new Set<number>();
  for await (const { snapshot, mappings } of source.observations()) {
    t.true(mappings.some(({ name }) => name.endsWith('/sleep')));
    seen.add(snapshot.target.pid);
    if (seen.size === 2) for (const child of children) child.kill('SIGKILL');
  }
  t.deepEqual(seen, new Set(children.map(({ pid }) => pid)));
  t.is((await monitor.ended).reason, 'targets ended');
});

test('what exists only in memory has no mappings to read', async (t) => {
  const monitor = await Monitor.start({ targets: [hotCold()], clock: 'virtual', durationUs: 1e6, seed: 1 });
  let observations = 0;
  for await (const { mappings, residentBytes } of new LiveSource(new Session(monitor)).observations()) {
    t.deepEqual([mappings.length, residentBytes], [0, undefined]);
    observations++;
  }
  t.is(observations, 10);
});
