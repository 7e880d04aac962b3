import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Monitor, PagepulseError, type Snapshot } from '../../src/index.js';
import { ended, start } from '../helpers/processes.js';
import { hotCold, KEPT, MIB } from '../helpers/synthetic.js';

const NO_PID = 0x7fff_fff0;

test.serial('many targets are attached at once, in the order of the requests', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs: KEPT });
  const requests = Array.from({ length: 100 }, () => hotCold(8));
  const attached = await monitor.attachAll(requests);
  t.deepEqual(
    attached.map((each) => (each instanceof PagepulseError ? each.message : each.id)),
    requests.map((_, i) => i + 1),
  );
  t.is(monitor.targets.length, 101);
  const seen = new Set<number>();
  for await (const { target } of monitor) if (seen.add(target.id).size === 101) break;
  t.true(await monitor.detachAll(attached.map((each) => (each as { id: number }).id)));
  t.deepEqual(
    monitor.targets.map(({ id }) => id),
    [0],
  );
  t.false(await monitor.detachAll([1, 2]));
});

test.serial('busy targets are found among more idle targets than there are regions', async (t) => {
  const idle = hotCold(0, { phases: [{ ...hotCold().synthetic.phases[0]!, accesses: [] }] });
  const targets = Array.from({ length: 150 }, (_, i) => (i % 50 === 0 ? hotCold(32) : idle));
  const attrs = { ...KEPT, maxRegions: 300 };
  await using monitor = await Monitor.start({
    targets,
    attrs,
    clock: 'virtual',
    seed: 1,
    durationUs: 5e6,
  });
  const latest = new Map<number, Snapshot>();
  for await (const snapshot of monitor) latest.set(snapshot.target.id, snapshot);
  const sizes = [0, 50, 100].map((id) => latest.get(id)!.workingSetBytes(2) / MIB);
  t.true(
    sizes.every((size) => Math.abs(size / 32 - 1) < 0.1),
    sizes.join(' '),
  );
  const { regions, inForce } = (await monitor.ended).stats;
  t.true(regions <= 600, `${regions} regions`);
  t.like(inForce.attrs, { minRegions: 3, maxRegions: 600 });
});

test.serial('a target that cannot be opened is reported, and does not affect the others', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const attrs = { sampleUs: 20_000, aggrUs: 100_000 };
  await using monitor = await Monitor.start({
    targets: [{ pid: NO_PID }, { pid }],
    attrs,
    check: 'referenced',
    skipFailing: true,
  });
  const skipped: string[] = [];
  monitor.on('skipped', (request, { code }) => skipped.push(`${(request as { pid: number }).pid} ${code}`));
  await pause(10);
  const [gone, again] = await monitor.attachAll([{ pid: NO_PID - 1 }, { pid }]);
  t.is((gone as PagepulseError).code, 'NO_PROCESS');
  t.is((again as { pid: number }).pid, pid);
  t.deepEqual(skipped, [`${NO_PID} NO_PROCESS`, `${NO_PID - 1} NO_PROCESS`]);
  t.is(monitor.targets.length, 2);
});

test.serial('a monitor that waits for targets continues after the last one has ended', async (t) => {
  const attrs = { sampleUs: 20_000, aggrUs: 100_000 };
  await using monitor = await Monitor.start({ attrs, check: 'referenced', endAlone: false });
  const child = start(t, 'sleep', ['60']);
  const detached = new Promise((resolve) => monitor.once('detached', (_, reason) => resolve(reason)));
  await monitor.attach({ pid: child.pid });
  child.kill('SIGKILL');
  await ended(child);
  t.is(await detached, 'ended');
  const next = start(t, 'sleep', ['60']);
  await monitor.attach({ pid: next.pid });
  for await (const { target } of monitor) if (target.pid === next.pid) break;
  t.pass();
});

test.serial('a detached target leaves no descriptor open', async (t) => {
  const children = Array.from({ length: 30 }, () => start(t, 'sleep', ['60']));
  const attrs = { sampleUs: 20_000, aggrUs: 100_000 };
  await using monitor = await Monitor.start({
    targets: [{ pid: children[0]!.pid }],
    attrs,
    check: 'referenced',
  });
  const before = filesInProc();
  const attached = await monitor.attachAll(children.slice(1).map(({ pid }) => ({ pid })));
  t.is(filesInProc(), before + 29);
  await monitor.detachAll(attached.map((each) => (each as { id: number }).id));
  for (let i = 0; i < 100 && filesInProc() > before; i++) await pause(20);
  t.is(filesInProc(), before);
});

/** Descriptors of files of other processes that are open in this one. */
function filesInProc(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^\/proc\/(?!self|thread-self)\d+\/(clear_refs|pagemap)$/.test(
        readlinkSync(`/proc/self/fd/${fd}`),
      );
    } catch {
      return false; // that of the directory itself
    }
  }).length;
}
