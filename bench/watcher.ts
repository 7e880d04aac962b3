import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, type TargetRequest } from '../src/index.js';
import type { Watching } from './process.js';

/**
 * A process that does nothing but watch, what its argument says (process.ts). Nobody reads the snapshots but the first:
 * what is measured is the watching. Prints `begin` and `end` around the time measured, then what it counted. The calls in
 * the warm-up give the coordinator's thread, which does not return to its event loop otherwise, the turns to let V8 tidy
 * up.
 */
const { check, targets, ticksAlone, warmUpSeconds, seconds } = JSON.parse(process.argv[2]!) as Watching;
const MIB = 2 ** 20;

function synthetic(i: number): TargetRequest {
  const startAddress = 2 ** 32 * (i + 1);
  const mappings = [{ startAddress, sizeBytes: 256 * MIB }];
  const accesses = [{ startAddress: startAddress + 100 * MIB, sizeBytes: 32 * MIB, share: 1 }];
  return { synthetic: { phases: [{ lastsUs: 1e9, mappings, accesses }] } };
}

const children = check === 'synthetic' ? [] : Array.from({ length: targets }, () => spawn('sleep', ['600']));
const requests =
  check === 'synthetic'
    ? Array.from({ length: targets }, (_, i) => synthetic(i))
    : children.map(({ pid }) => ({ pid: pid! }));
const attrs = { sampleUs: 5_000, aggrUs: ticksAlone ? 3_600e6 : 100_000 };
const monitor = await Monitor.start({ targets: requests, check, attrs, queueLimit: 1 });
for (let i = 0; i < warmUpSeconds; i++) {
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
