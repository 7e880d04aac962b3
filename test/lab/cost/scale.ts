import { meanPercent } from '../../../bench/observe.js';
import { markdown } from '../../../bench/report.js';
import { CROWD_HEAD, crowdCells } from '../../../bench/scale.js';
import type { Guest } from '../machine/guest.js';
import { score } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

/** To start 500 takes the emulator longer than a request may. */
const COUNTS = [1, 10, 100];
const BUSY = 5;
const BUSY_COMMAND = 'hotcold 32 12 4';
/** Tells of itself as workloads do, and sleeps. */
const IDLE_COMMAND = `sh -c 'echo "{\\"pid\\":$$,\\"atNs\\":\\"0\\"}"; exec sleep infinity'`;
/** Until V8 has compiled everything, which the emulator makes slow, and the controller has followed. */
const SETTLE_US = 90e6;
const SECONDS = 150;

/** What it costs to watch a crowd by default, five of it busy, and by how much the working sets of these are off. */
export async function scale(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  for (const count of COUNTS) {
    const busy = Math.min(BUSY, count);
    const start = Array.from({ length: count }, (_, i) => (i < busy ? BUSY_COMMAND : IDLE_COMMAND));
    const { points, snapshots, truths, startMs } = await guest.observe({
      start,
      options: {},
      seconds: SECONDS,
    });
    const scores = snapshots.slice(0, busy).map((its, i) => score(its.slice(-5), phasesOf(truths[i]!)));
    const first = points.find(({ atUs }) => atUs >= SETTLE_US)!;
    const last = points.at(-1)!;
    rows.push([
      String(count),
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
  console.log(markdown(['processes', 'CPU', 'started in', ...CROWD_HEAD], rows));
}
