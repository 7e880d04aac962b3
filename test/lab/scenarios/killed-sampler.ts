import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { Monitor } from '../../../src/index.js';

// `killed-sampler.js PID...`: kills the thread of the last sampler, and prints how the monitor went on.

/** Snapshots of each target that show that it is watched again. */
const ENOUGH = 10;
const PATIENCE_SECONDS = 60;

const threads: Worker[] = [];
process.on('worker', (thread) => threads.push(thread));
const targets = process.argv.slice(2).map((pid) => ({ pid: Number(pid) }));
const attrs = { sampleUs: 5_000, aggrUs: 100_000 };
const monitor = await Monitor.start({ targets, attrs, check: 'idle-page', workers: 'per-target' });
const lost = once(monitor, 'samplerLost');
const counts = targets.map(() => 0);
let isLost = false;
const reading = (async () => {
  for await (const { target } of monitor) if (isLost) counts[target.id]!++;
})();
await pause(8_000);
await threads.at(-1)!.terminate();
await lost;
isLost = true;
// A thread takes its time to start on the emulator, the more beside other load.
for (let s = 0; s < PATIENCE_SECONDS && counts.some((count) => count <= ENOUGH); s++) await pause(1_000);
const { lostSamplers, lostTicks } = await monitor.stop();
await reading;
console.log(JSON.stringify({ lost: lostSamplers, lostTicks, snapshots: counts }));
