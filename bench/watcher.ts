import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, type TargetRequest } from '../src/index.js';

/**
 * A process that does nothing but watch: `watcher.js synthetic|ticks|referenced TARGETS SECONDS`, where `ticks` is the
 * synthetic check without an aggregation in the time measured. Nobody reads the snapshots but the first: what is
 * measured is the watching. Prints `begin` and `end` around the time measured. The warm-up is
 * long enough for V8 to tidy up what the start left behind, and the calls in it give the coordinator's thread, which
 * does not return to its event loop otherwise, the turns to do so.
 */
const WARM_UP_SECONDS = 30;

const [what, targets, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const MIB = 2 ** 20;

function synthetic(i: number): TargetRequest {
  const startAddress = 2 ** 32 * (i + 1);
  const mappings = [{ startAddress, sizeBytes: 256 * MIB }];
  const accesses = [{ startAddress: startAddress + 100 * MIB, sizeBytes: 32 * MIB, share: 1 }];
  return { synthetic: { phases: [{ lastsUs: 1e9, mappings, accesses }] } };
}

const children = what === 'referenced' ? Array.from({ length: targets }, () => spawn('sleep', ['600'])) : [];
const requests =
  children.length > 0
    ? children.map(({ pid }) => ({ pid: pid! }))
    : Array.from({ length: targets }, (_, i) => synthetic(i));
const attrs = what === 'ticks' ? { aggrUs: 3_600e6 } : {};
const monitor = await Monitor.start({ targets: requests, attrs, queueLimit: 1 });
for (let i = 0; i < WARM_UP_SECONDS; i++) {
  await pause(1_000);
  await monitor.stats();
}
const before = { ...process.cpuUsage(), stats: await monitor.stats(), atMs: performance.now() };
writeSync(1, 'begin\n');
await pause(seconds * 1_000);
writeSync(1, 'end\n');
const { user, system } = process.cpuUsage();
const elapsedUs = (performance.now() - before.atMs) * 1_000;
const stats = await monitor.stats();
const cost = {
  cpuPercent: (100 * (user + system - before.user - before.system)) / elapsedUs,
  residentMib: process.memoryUsage().rss / MIB,
  ticks: stats.ticks - before.stats.ticks,
  overruns: stats.overruns - before.stats.overruns,
};
writeSync(1, `${JSON.stringify(cost)}\n`);
for (const child of children) child.kill('SIGKILL');
await monitor.stop();
