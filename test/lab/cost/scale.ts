import { meanPercent } from '../../../bench/observe.js';
import { markdown } from '../../../bench/report.js';
import { CROWD_HEAD, crowdCells } from '../../../bench/scale.js';
import type { Guest } from '../machine/guest.js';
import { score } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

/**
 * By default, and with a budget some twenty times as large: what 2 % of a processor buy takes the emulator about so much,
 * and with less there is hardly a snapshot of a crowd in the time that is watched.
 */
const CROWDS: readonly [count: number, maxCpuPercent: number][] = [
  ...[1, 10, 100, 500].map((count) => [count, 2] as [number, number]),
  ...[100, 500].map((count) => [count, 40] as [number, number]),
];
const BUSY = 5;
const BUSY_COMMAND = 'hotcold 32 12 4';
/** Until V8 has compiled everything, which the emulator makes slow, and the controller has followed. */
const SETTLE_US = 90e6;
const SECONDS = 150;

/** What it costs to watch a crowd, five of it busy, and by how much the working sets of these are off. */
export async function scale(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  for (const [count, maxCpuPercent] of CROWDS) {
    const busy = Math.min(BUSY, count);
    const crowd = count > busy ? [`sleepers ${count - busy}`] : [];
    const { points, snapshots, truths, startMs } = await guest.observe({
      start: [...Array.from({ length: busy }, () => BUSY_COMMAND), ...crowd],
      options: { maxCpuPercent },
      seconds: SECONDS,
    });
    const scores = snapshots.slice(0, busy).map((its, i) => score(its.slice(-5), phasesOf(truths[i]!)));
    const first = points.find(({ atUs }) => atUs >= SETTLE_US)!;
    const last = points.at(-1)!;
    rows.push([
      String(count),
      `${maxCpuPercent} %`,
      `${meanPercent(points, SETTLE_US).toFixed(2)} %`,
      `${startMs.toFixed(0)} ms`,
      ...crowdCells({
        ticks: last.ticks - first.ticks,
        overruns: last.overruns - first.overruns,
        meanLateMs: last.meanLateUs / 1e3,
        maxLateMs: last.maxLateUs / 1e3,
        sampleMs: last.sampleUs / 1e3,
        regions: last.regions,
        workingSetErrors: scores.map(({ workingSetError }) => workingSetError),
      }),
    ]);
    process.stderr.write(`${rows.at(-1)!.join(' ')}\n`);
  }
  console.log(markdown(['processes', 'budget', 'CPU', 'started in', ...CROWD_HEAD], rows));
}
