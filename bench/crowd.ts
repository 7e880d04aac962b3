import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, type MonitorOptions, type Snapshot, type TargetRequest } from '../src/index.js';
import type { Crowd, CrowdCost } from './scale.js';

/**
 * A process that watches a crowd, what its argument says (scale.ts), most of it idle, and prints what that cost. Real
 * processes sleep, or pass over the memory that they have; synthetic ones have a truth to be compared with.
 */
const { check, targets, busy, workers, attrs, settleSeconds, seconds } = JSON.parse(
  process.argv[2]!,
) as Crowd;
const MIB = 2 ** 20;
const HOT_MIB = 32;
const BUSY_PROGRAM = `const b = Buffer.alloc(${HOT_MIB} << 20, 1); setInterval(() => b.fill(2), 100);`;

function synthetic(i: number): TargetRequest {
  const startAddress = 2 ** 32 * (i + 1);
  const mappings = [{ startAddress, sizeBytes: 256 * MIB }];
  const hot = { startAddress: startAddress + 100 * MIB, sizeBytes: HOT_MIB * MIB, share: 1 };
  return { synthetic: { phases: [{ lastsUs: 1e9, mappings, accesses: i < busy ? [hot] : [] }] } };
}

const children =
  check === 'synthetic'
    ? []
    : Array.from({ length: targets }, (_, i) =>
        i < busy
          ? spawn(process.execPath, ['-e', BUSY_PROGRAM], { stdio: 'ignore' })
          : spawn('sleep', ['3600'], { stdio: 'ignore' }),
      );
const requests =
  check === 'synthetic'
    ? Array.from({ length: targets }, (_, i) => synthetic(i))
    : children.map(({ pid }) => ({ pid: pid! }));
await pause(1_000);

const options: MonitorOptions = { check, endAlone: false, costOf: 'process', ...(attrs && { attrs }) };
const monitor = await Monitor.start({ ...options, ...(workers && { workers }) });
const latest = new Map<number, Snapshot>();
const startedMs = performance.now();
let answeredMs: number | null = null;
void (async () => {
  for await (const snapshot of monitor) {
    latest.set(snapshot.target.id, snapshot);
    if (latest.size === targets) answeredMs ??= performance.now() - startedMs;
  }
})();
const attached = await monitor.attachAll(requests);
const attachMs = performance.now() - startedMs;
await pause(settleSeconds * 1_000);

const before = { ...process.cpuUsage(), stats: await monitor.stats(), atMs: performance.now() };
await pause(seconds * 1_000);
const { user, system } = process.cpuUsage();
const elapsedUs = (performance.now() - before.atMs) * 1_000;
const stats = await monitor.stats();
const errors = attached.slice(0, busy).flatMap((target) => {
  const snapshot = 'id' in target ? latest.get(target.id) : undefined;
  return snapshot ? [Math.abs(snapshot.workingSetBytes() / (HOT_MIB * MIB) - 1)] : [];
});
const cost: CrowdCost = {
  cpuPercent: (100 * (user + system - before.user - before.system)) / elapsedUs,
  residentMib: process.memoryUsage().rss / MIB,
  attachMs,
  answeredMs,
  ticks: stats.ticks - before.stats.ticks,
  overruns: stats.overruns - before.stats.overruns,
  meanLateMs: stats.meanLateUs! / 1e3,
  maxLateMs: stats.maxLateUs! / 1e3,
  sampleMs: stats.inForce.attrs.sampleUs / 1_000,
  regions: stats.regions,
  workingSetErrors: check === 'synthetic' ? errors : [],
};
writeSync(1, `${JSON.stringify(cost)}\n`);
for (const child of children) child.kill('SIGKILL');
await monitor.stop();
