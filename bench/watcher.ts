import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor, type Snapshot, type TargetRequest } from '../src/index.js';
import type { ProcessCost, Watching } from './process.js';

// A process that does nothing but watch what its argument says (process.ts). Prints `begin` and `end` around the measured
// time, then its cost as JSON. Busy targets keep writing 32 MiB.

const {
  check,
  targets,
  busy = 0,
  attrs,
  workers,
  reads = false,
  warmUpSeconds,
  seconds,
} = JSON.parse(process.argv[2]!) as Watching;
const MIB = 2 ** 20;
const HOT_MIB = 32;
const BUSY_PROGRAM = `const b = Buffer.alloc(${HOT_MIB} << 20, 1); setInterval(() => b.fill(2), 100);`;

const isSynthetic = check === 'synthetic';
const children = Array.from({ length: isSynthetic ? 0 : targets }, (_, i) =>
  i < busy
    ? spawn(process.execPath, ['-e', BUSY_PROGRAM], { stdio: 'ignore' })
    : spawn('sleep', ['3600'], { stdio: 'ignore' }),
);
const requests: TargetRequest[] = isSynthetic
  ? Array.from({ length: targets }, (_, i) => synthetic(i))
  : children.map(({ pid }) => ({ pid: pid! }));
await pause(1_000);

const monitor = await Monitor.start({
  check,
  endAlone: false,
  costOf: 'process',
  ...(attrs && { attrs }),
  ...(workers && { workers }),
  ...(!reads && { queueLimit: 1 }),
});
const latest = new Map<number, Snapshot>();
const startedMs = performance.now();
let answeredMs: number | null = null;
if (reads) void read();
const attached = await monitor.attachAll(requests);
const attachMs = performance.now() - startedMs;
for (let i = 0; i < warmUpSeconds; i++) {
  await pause(1_000);
  // Lets the coordinator return to its event loop, where V8 tidies up.
  if (!reads) await monitor.stats();
}

const before = { ...process.cpuUsage(), stats: await monitor.stats(), atMs: performance.now() };
writeSync(1, 'begin\n');
await pause(seconds * 1_000);
writeSync(1, 'end\n');
const { user, system } = process.cpuUsage();
const elapsedUs = (performance.now() - before.atMs) * 1_000;
const stats = await monitor.stats();
const errors = attached.slice(0, busy).flatMap((target) => {
  const snapshot = 'id' in target ? latest.get(target.id) : undefined;
  return snapshot ? [Math.abs(snapshot.workingSetBytes() / (HOT_MIB * MIB) - 1)] : [];
});
const cost: Omit<ProcessCost, 'minorGcs' | 'majorGcs' | 'mainGcs'> = {
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
  // Node itself makes the working set of a real process larger than what its program writes.
  workingSetErrors: isSynthetic ? errors : [],
};
writeSync(1, `${JSON.stringify(cost)}\n`);
for (const child of children) child.kill('SIGKILL');
await monitor.stop();

function synthetic(i: number): TargetRequest {
  const startAddress = 2 ** 32 * (i + 1);
  const mappings = [{ startAddress, sizeBytes: 256 * MIB }];
  const hot = { startAddress: startAddress + 100 * MIB, sizeBytes: HOT_MIB * MIB, share: 1 };
  return { synthetic: { phases: [{ lastsUs: 1e9, mappings, accesses: i < busy ? [hot] : [] }] } };
}

async function read(): Promise<void> {
  for await (const snapshot of monitor) {
    latest.set(snapshot.target.id, snapshot);
    if (latest.size === targets) answeredMs ??= performance.now() - startedMs;
  }
}
