import { setTimeout as pause } from 'node:timers/promises';
import { cpuUsOf } from '../src/core/stats.js';
import { Monitor } from '../src/index.js';

// Watches a process by default, and prints a line a minute: its own resident memory, and what watching has cost in that
// minute. Arguments: PID, minutes.

const [pid, minutes] = process.argv.slice(2).map(Number);
const monitor = await Monitor.start({ targets: [{ pid: pid! }] });
void (async () => {
  for await (const _ of monitor);
})();
console.log('minute, resident MiB, % of a core, us a sample, sampling interval in ms');
let before = await monitor.stats();
for (let minute = 1; minute <= minutes!; minute++) {
  await pause(60_000);
  const now = await monitor.stats();
  const cpuUs = cpuUsOf(now) - cpuUsOf(before);
  const figures = [
    process.memoryUsage().rss / 2 ** 20,
    (100 * cpuUs) / (now.elapsedUs - before.elapsedUs),
    cpuUs / (now.samples - before.samples),
    now.inForce.attrs.sampleUs / 1_000,
  ];
  console.log([minute, ...figures.map((figure) => figure.toFixed(2))].join(', '));
  before = now;
}
await monitor.stop();
