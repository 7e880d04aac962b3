import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { observe } from '../../../bench/observe.js';
import type { SnapshotLine } from '../../../src/record/format.js';
import type { Compared, CompareRequest, WatchCost } from '../machine/protocol.js';
import { watchWithDamon } from './damon.js';
import { watchByScanning } from './full-scan.js';
import { lineOf, watchWithPagepulse } from './watch.js';
import { Workload } from './workload.js';

interface Seen {
  readonly snapshots: readonly SnapshotLine[];
  readonly cost?: WatchCost;
}

/** How long the workload is left alone before and after, to see how fast it is then. */
const ALONE_MS = 4_000;

/** A workload watched by one method, and how fast it was meanwhile. */
export async function compare(request: CompareRequest): Promise<Compared> {
  const workload = await Workload.start(request.start);
  try {
    const marks = [await workload.rounds()];
    const mark = async () => marks.push(await workload.rounds());
    await pause(ALONE_MS);
    await mark();
    const seen = await use(request, workload.pids[0]!);
    await mark();
    await pause(ALONE_MS);
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

async function use({ method, seconds, busyPercent }: CompareRequest, pid: number): Promise<Seen> {
  switch (method) {
    case 'Pagepulse':
      return watchWithPagepulse(pid, seconds);
    case 'Pagepulse by default': {
      const { snapshots, startedUs } = await observe({ targets: [{ pid }], check: 'idle-page' }, seconds);
      return { snapshots: snapshots[0]!.map((snapshot) => lineOf(snapshot, startedUs)) };
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
