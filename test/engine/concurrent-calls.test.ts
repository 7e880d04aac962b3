import test from 'ava';
import { Monitor, type TargetInfo } from '../../src/index.js';
import { hotCold } from '../helpers/synthetic.js';

/** Long: all calls fit between two ticks, so the next tick cannot wake a call that hangs. */
const LONG = { sampleUs: 100_000, aggrUs: 2_000_000 };
const CALLS = 50;

for (const workers of [1, 2, 'per-target'] as const) {
  test.serial(`${CALLS} concurrent calls of all kinds are answered, workers: ${workers}`, async (t) => {
    await using monitor = await Monitor.start({ attrs: LONG, check: 'synthetic', endAlone: false, workers });
    const attached: TargetInfo[] = [];
    const kinds = [
      async () => attached.push(await monitor.attach(hotCold(8))),
      async () => attached.push(...((await monitor.attachAll([hotCold(8), hotCold(16)])) as TargetInfo[])),
      () => monitor.stats(),
      () => monitor.setAttrs({ maxRegions: 1_000 + attached.length * 100 }),
      () => monitor.detach(attached.shift()?.id ?? -1),
    ];
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: CALLS }, (_, i) => kinds[i % kinds.length]!()));
    }
    const idsOf = (targets: readonly TargetInfo[]) => targets.map(({ id }) => id).sort((a, b) => a - b);
    t.deepEqual(idsOf(monitor.targets), idsOf(attached));
    t.is((await monitor.stop()).lostSamplers, 0);
  });
}
