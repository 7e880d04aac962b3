import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { Monitor } from '../../../src/index.js';
import type { SnapshotLine } from '../../../src/record/format.js';
import type { Compared, CompareRequest, WatchCost } from '../machine/protocol.js';
import { watchWithDamon } from './damon.js';
import { watchByScanning } from './full-scan.js';
import { watchWithPagepulse } from './watch.js';
import { Workload } from './workload.js';

interface Seen {
  readonly snapshots: readonly SnapshotLine[];
  readonly cost?: WatchCost;
}

/** Until a monitor of its own has been compiled, which the emulator makes slow, and keeps to its budget. */
const SETTLE_MS = 40_000;

/** A workload watched by one method, and how fast it was meanwhile. */
export async function compare(request: CompareRequest): Promise<Compared> {
  const { start, aloneSeconds = 4 } = request;
  const workload = await Workload.start(start);
  try {
    const marks = [await workload.rounds()];
    const mark = async () => marks.push(await workload.rounds());
    await pause(aloneSeconds * 1_000);
    await mark();
    const settled = async () => void marks.splice(-1, 1, await workload.rounds());
    const seen = await use(request, workload.pids[0]!, settled);
    await mark();
    await pause(aloneSeconds * 1_000);
    await mark();
    const [before, meanwhile, after] = marks.slice(1).map(({ rounds, atMs }, i) => {
      const since = marks[i]!;
      return (rounds - since.rounds) / (atMs - since.atMs);
    });
    const slowdown = 1 - meanwhile! / ((before! + after!) / 2);
    return { truth: workload.lines, slowdown, ...seen };
  } finally {
    await workload.end();
  }
}

/** @param settled called where what is measured begins later than the watching */
async function use(
  { method, seconds, busyPercent }: CompareRequest,
  pid: number,
  settled: () => Promise<void>,
): Promise<Seen> {
  switch (method) {
    case 'Pagepulse':
      return watchWithPagepulse(pid, seconds);
    case 'Pagepulse by default': {
      await using monitor = await Monitor.start({ targets: [{ pid }], check: 'idle-page', queueLimit: 1 });
      await pause(SETTLE_MS);
      await settled();
      await pause(seconds * 1_000);
      await monitor.stop();
      return { snapshots: [] };
    }
    case 'DAMON':
      return watchWithDamon(pid, seconds);
    case 'full scan':
      return watchByScanning(pid, seconds);
    case 'busy loop': {
      const busy = spawn('busy', [String(busyPercent)], { stdio: 'ignore' });
      await pause(seconds * 1_000);
      busy.kill('SIGKILL');
      return { snapshots: [] };
    }
  }
}
