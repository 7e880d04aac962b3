import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { OtherWatcher } from '../../src/core/target.js';
import { OtherWatchers } from '../../src/engine/other-watchers.js';
import { Monitor } from '../../src/index.js';
import { start } from '../helpers/processes.js';

const OPTIONS = { check: 'referenced', attrs: { aggrUs: 500_000 } } as const;

async function firstTold(monitor: Monitor): Promise<OtherWatcher> {
  const [other] = (await once(monitor, 'otherWatcher')) as [OtherWatcher];
  return other;
}

test.serial('another process that may clear the accessed bits of a target is named', async (t) => {
  const target = start(t, 'sleep', ['60']);
  const other = start(t, 'sh', ['-c', `exec 3>/proc/${target.pid}/clear_refs; echo ready; exec sleep 60`]);
  await once(other.stdout!, 'data');
  await using monitor = await Monitor.start({ targets: [{ pid: target.pid }], ...OPTIONS });
  const { atUs, comm, ...told } = await firstTold(monitor);
  t.deepEqual(told, { pid: other.pid, targets: [target.pid] });
  t.regex(comm, /^(sh|sleep)$/);
  t.true(atUs >= 0 && atUs < 60e6, `${atUs}`);
});

test.serial(
  'another monitor in this process is named, and so is a target that is watched twice',
  async (t) => {
    const [{ pid }, { pid: twice }] = [start(t, 'sleep', ['60']), start(t, 'sleep', ['60'])];
    await using _first = await Monitor.start({ targets: [{ pid }], ...OPTIONS });
    await using second = await Monitor.start({
      targets: [{ pid }, { pid: twice }, { pid: twice }],
      ...OPTIONS,
    });
    t.like(await firstTold(second), { pid: process.pid, targets: [twice, pid] });
  },
);

test.serial('a program that clears the accessed bits of other processes is not reported', async (t) => {
  const [{ pid }, { pid: stranger }] = [start(t, 'sleep', ['60']), start(t, 'sleep', ['60'])];
  const other = start(t, 'sh', ['-c', `exec 3>/proc/${stranger}/clear_refs; echo ready; exec sleep 60`]);
  await once(other.stdout!, 'data');
  await using monitor = await Monitor.start({ targets: [{ pid }], ...OPTIONS });
  const told: OtherWatcher[] = [];
  monitor.on('otherWatcher', (each) => told.push(each));
  let snapshots = 0;
  for await (const _ of monitor) if (++snapshots === 3) break;
  t.deepEqual(told, []);
});

test.serial('a program with the idle bitmap open is named, whatever the targets', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bitmap = join(folder, 'bitmap');
  writeFileSync(bitmap, '');
  const other = start(t, 'sh', ['-c', `exec 3<${bitmap}; echo ready; exec sleep 60`]);
  await once(other.stdout!, 'data');
  const { pid, targets } = await new Promise<Omit<OtherWatcher, 'atUs'>>((resolve) => {
    const watchers = new OtherWatchers('idle bitmap', () => [], resolve, bitmap);
    t.teardown(() => watchers.stop());
  });
  t.deepEqual({ pid, targets }, { pid: other.pid, targets: [] });
});
