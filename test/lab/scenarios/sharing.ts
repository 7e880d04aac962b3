import type { Monitor as AMonitor, MonitorOptions } from '../../../src/index.js';
import { phasesOf, pidsOf } from '../score/truth.js';

/**
 * `sharing.js DIST TRUTH...`: watches the first pages of each truth with a sampler of its own, with the Pagepulse in DIST, and
 * prints for each target the share of samples that found its regions accessed, snapshot by snapshot.
 */
const PAGES = 16;
const [dist, ...truths] = process.argv.slice(2);
const { Monitor } = (await import(`${dist}/src/index.js`)) as { Monitor: typeof AMonitor };
const targets = truths.map((text) => {
  const truth = [JSON.parse(text)];
  const { start } = phasesOf(truth)[0]!.ranges[0]!;
  return { pid: pidsOf(truth)[0]!, ranges: [{ startAddress: start, endAddress: start + PAGES * 4_096 }] };
});
// Long enough for the reader to have come by twice, whatever the emulator is doing; and a region for every page, so that
// both targets ask about all of them in every tick.
const attrs = { sampleUs: 150_000, aggrUs: 1_500_000, minRegions: PAGES, maxRegions: 64 };
const options: MonitorOptions = {
  targets,
  attrs,
  workers: 'per-target',
  check: 'idle-page',
  seed: 1,
  durationUs: 20e6,
};
const monitor = await Monitor.start(options);
const shares: number[][] = targets.map(() => []);
for await (const { target, regions, maxNrAccesses } of monitor) {
  for (const { nrAccesses } of regions) shares[target.id]!.push(nrAccesses / maxNrAccesses);
}
console.log(JSON.stringify(shares));
