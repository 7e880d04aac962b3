import { writeFileSync } from 'node:fs';
import type { Monitor as AMonitor, MonitorOptions } from '../../../src/index.js';

/**
 * `sharing.js DIST RESULT TRUTH...`: watches the mapping of each truth with a sampler of its own, with the Pagepulse in
 * DIST, and writes for each target the share of samples that found its regions accessed, snapshot by snapshot.
 */
const [dist, resultPath, ...truths] = process.argv.slice(2);
const { Monitor } = (await import(`${dist}/src/index.js`)) as { Monitor: typeof AMonitor };
const targets = truths.map((text) => {
  const { pid, start, end } = JSON.parse(text);
  return {
    pid,
    ranges: [{ startAddress: Number.parseInt(start, 16), endAddress: Number.parseInt(end, 16) }],
  };
});
// Long enough for the reader to have come by twice, whatever the emulator is doing; and a region for every page, so that
// both targets ask about all of them in every tick.
const attrs = { sampleUs: 150_000, aggrUs: 1_500_000, minRegions: 16, maxRegions: 64 };
const options: MonitorOptions = {
  targets,
  attrs,
  workers: 'per-target',
  check: 'idle-page',
  seed: 1,
  durationUs: 25e6,
};
const monitor = await Monitor.start(options);
const shares: number[][] = targets.map(() => []);
for await (const { target, regions, maxNrAccesses } of monitor) {
  for (const { nrAccesses } of regions) shares[target.id]!.push(nrAccesses / maxNrAccesses);
}
writeFileSync(resultPath!, JSON.stringify(shares));
