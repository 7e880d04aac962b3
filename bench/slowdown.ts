import { setTimeout as pause } from 'node:timers/promises';
import { Monitor } from '../src/index.js';
import { Workload } from '../test/lab/agent/workload.js';
import { type Spread, spreadOf } from './report.js';

const PAIRS = 9;
const SECONDS = 6;
/** Until the intervals have settled. */
const SETTLE_MS = 24_000;

/** How many fewer rounds a second a process makes while it is watched by default, in percent: runs alternate. */
export async function slowdown(hotcold: string): Promise<Spread> {
  const workload = await Workload.start(`${hotcold} 256 100 32`);
  const rate = async () => {
    const from = await workload.rounds();
    await pause(SECONDS * 1_000);
    const to = await workload.rounds();
    return (to.rounds - from.rounds) / (to.atMs - from.atMs);
  };
  try {
    const slower: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const alone = [await rate()];
      const monitor = await Monitor.start({ targets: [{ pid: workload.pids[0]! }], queueLimit: 1 });
      await pause(pair === 0 ? SETTLE_MS : SETTLE_MS / 3);
      const watched = await rate();
      await monitor.stop();
      alone.push(await rate());
      slower.push(100 * (1 - watched / ((alone[0]! + alone[1]!) / 2)));
    }
    return spreadOf(slower);
  } finally {
    await workload.end();
  }
}
