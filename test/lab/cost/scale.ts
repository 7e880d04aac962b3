import { meanPercent } from '../../../bench/observe.js';
import { markdown } from '../../../bench/report.js';
import { CROWD_HEAD, crowdCells } from '../../../bench/scale.js';
import type { AdaptationName } from '../../../src/index.js';
import type { Guest } from '../machine/guest.js';
import { score } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

/** How many are watched, for how much of a processor, by which adaptation, and for how long. */
interface Watching {
  readonly count: number;
  readonly maxCpuPercent: number;
  readonly adaptation: AdaptationName;
  /** What is measured is the time after that: until V8 has compiled everything and the controller has followed. */
  readonly settleSeconds: number;
  readonly seconds: number;
}

/**
 * By default, and with a budget some twenty times as large: what 2 % of a processor buy takes the emulator about so much,
 * and with less there is hardly a snapshot of a crowd in the time that is watched.
 */
const CROWDS: readonly Watching[] = [
  ...[1, 10, 100, 500].map((count) => {
    return { count, maxCpuPercent: 2, adaptation: 'damon', settleSeconds: 90, seconds: 150 } as const;
  }),
  ...(['damon', 'evidence'] as const).map((adaptation) => {
    return { count: 100, maxCpuPercent: 40, adaptation, settleSeconds: 300, seconds: 420 } as const;
  }),
];
const BUSY = 5;
const BUSY_COMMAND = 'hotcold 32 12 4';

/** What it costs to watch a crowd, five of it busy, and by how much the working sets of these are off. */
export async function scale(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  for (const { count, maxCpuPercent, adaptation, settleSeconds, seconds } of CROWDS) {
    const settleUs = settleSeconds * 1e6;
    const busy = Math.min(BUSY, count);
    const crowd = count > busy ? [`sleepers ${count - busy}`] : [];
    const { points, snapshots, truths, startMs } = await guest.observe({
      start: [...Array.from({ length: busy }, () => BUSY_COMMAND), ...crowd],
      options: { maxCpuPercent, adaptation },
      seconds,
    });
    // The median: in one snapshot of a hundred a cold region seems accessed, which says nothing of the others.
    const errors = snapshots.slice(0, busy).map((its, i) => {
      const last = its.slice(-5).map((each) => score([each], phasesOf(truths[i]!)).workingSetError);
      return last.sort((a, b) => a - b)[last.length >> 1] ?? Number.NaN;
    });
    const first = points.find(({ atUs }) => atUs >= settleUs)!;
    const last = points.at(-1)!;
    rows.push([
      String(count),
      adaptation,
      `${maxCpuPercent} %`,
      `${meanPercent(points, settleUs).toFixed(2)} %`,
      `${startMs.toFixed(0)} ms`,
      ...crowdCells({
        ticks: last.ticks - first.ticks,
        overruns: last.overruns - first.overruns,
        meanLateMs: last.meanLateUs / 1e3,
        maxLateMs: last.maxLateUs / 1e3,
        sampleMs: last.sampleUs / 1e3,
        regions: last.regions,
        workingSetErrors: errors,
      }),
    ]);
    process.stderr.write(`${rows.at(-1)!.join(' ')}\n`);
  }
  console.log(markdown(['processes', 'by', 'budget', 'CPU', 'started in', ...CROWD_HEAD], rows));
}
