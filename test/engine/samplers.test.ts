import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import type { SamplerLink } from '../../src/engine/sampler-link.js';
import { targetToMove } from '../../src/engine/samplers.js';
import type { Target } from '../../src/engine/target.js';
import { Monitor, type Snapshot } from '../../src/index.js';
import { hotCold, KEPT, MIB } from '../helpers/synthetic.js';

const links = Array.from({ length: 4 }, (_, slot) => ({ slot }) as SamplerLink);

/** Targets with these numbers of regions, one list per sampler. */
function targetsOf(regions: readonly (readonly number[])[]): Target[] {
  return regions.flatMap((its, i) => its.map((count) => ({ link: links[i]!, table: { count } }) as Target));
}

const regionsOf = (targets: readonly Target[], link: SamplerLink) =>
  targets.reduce((sum, target) => sum + (target.link === link ? target.table.count : 0), 0);

test('the target moves that balances the busiest sampler best', (t) => {
  const targets = targetsOf([[100, 20, 60], [30]]);
  t.is(targetToMove(targets, links.slice(0, 2), false), targets[2]);
});

test('nothing moves if it would not help: one large target, or samplers in balance', (t) => {
  t.is(targetToMove(targetsOf([[500], [10]]), links.slice(0, 2), false), undefined);
  t.is(targetToMove(targetsOf([[50, 60], [90]]), links.slice(0, 2), false), undefined);
  t.is(targetToMove([], links.slice(0, 2), false), undefined);
  t.is(targetToMove([], [], true), undefined);
});

test('a sampler that could be started counts as one without regions', (t) => {
  const targets = targetsOf([[50, 50]]);
  t.is(targetToMove(targets, links.slice(0, 1), false), undefined);
  t.is(targetToMove(targets, links.slice(0, 1), true), targets[0]);
});

test('moves end, and none gives a sampler more regions than the busiest one had', (t) => {
  const regions = fc.array(fc.array(fc.integer({ min: 3, max: 300 }), { maxLength: 12 }), {
    minLength: 2,
    maxLength: 4,
  });
  const check = fc.check(
    fc.property(regions, (loads) => {
      const samplers = links.slice(0, loads.length);
      const targets = targetsOf(loads).map((target) => ({ ...target }) as Target);
      const largest = () => Math.max(...samplers.map((link) => regionsOf(targets, link)));
      for (let moves = 0; ; moves++) {
        const target = targetToMove(targets, samplers, false);
        if (!target) return moves <= targets.length;
        const before = largest();
        target.link = samplers.reduce((a, b) => (regionsOf(targets, b) < regionsOf(targets, a) ? b : a));
        if (largest() > before || moves > 100) return false;
      }
    }),
  );
  t.false(check.failed, fc.defaultReportMessage(check));
});

test.serial('targets left on one sampler are divided again, and remain watched', async (t) => {
  await using monitor = await Monitor.start({
    targets: [hotCold(), hotCold(), hotCold(), hotCold()],
    attrs: { ...KEPT, minRegions: 60 },
    workers: 2,
  });
  const latest = new Map<number, Snapshot>();
  void (async () => {
    for await (const snapshot of monitor) latest.set(snapshot.target.id, snapshot);
  })();
  const samplers = async () => (await monitor.stats()).threads.length - 1;
  await pause(1_000);
  t.is(await samplers(), 2);
  await monitor.detachAll([1, 3]);
  await pause(100);
  t.is(await samplers(), 1, 'a sampler without targets ends');
  while ((await samplers()) === 1) await pause(100);
  await pause(1_000); // the thread starts before its target is open
  latest.clear();
  while (latest.size < 2) await pause(100);
  for (const snapshot of latest.values()) {
    const { columns, maxNrAccesses } = snapshot;
    const error = Math.abs(snapshot.workingSetBytes(2) / (32 * MIB) - 1);
    t.true(error < 0.1, `off by ${error}`);
    t.true(
      columns.nrAccesses.every((nrAccesses) => nrAccesses <= maxNrAccesses),
      'only one sampler counts a target',
    );
  }
  t.is((await monitor.stats()).lostSamplers, 0);
});
