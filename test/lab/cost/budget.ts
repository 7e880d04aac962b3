import { meanPercent, worstPercent } from '../../../bench/observe.js';
import { accuracyChart, markdown } from '../../../bench/report.js';
import type { Guest } from '../machine/guest.js';
import { meanOf, scoreFound } from '../score/score.js';
import { accuracyCells } from '../score/text.js';
import { phasesOf } from '../score/truth.js';

const BUDGETS = [0.5, 1, 2, 5];
const WORKLOADS: readonly (readonly string[])[] = [
  ['hotcold 256 100 32'],
  Array.from({ length: 20 }, () => 'hotcold 32 12 4'),
];
/** Until V8 has compiled everything, which the emulator makes slow, and the controller has followed. */
const SETTLE_US = 60e6;
const SECONDS = 180;

/** What a budget is kept to, and how much is seen with it: the last two of three minutes. */
export async function budget(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  const charts: string[] = [];
  for (const start of WORKLOADS) {
    const accuracy: { cost: string; precision: number; recall: number }[] = [];
    for (const maxCpuPercent of BUDGETS) {
      const { points, snapshots, truths } = await guest.observe({
        start,
        options: { maxCpuPercent },
        seconds: SECONDS,
      });
      const scores = snapshots.map((its, i) => scoreFound(its, phasesOf(truths[i]!), 0, SETTLE_US));
      const { precision, recall, snapshots: count } = meanOf(scores.filter((each) => each.snapshots > 0));
      const { sampleUs, maxRegions } = points.at(-1)!;
      rows.push([
        String(start.length),
        `${maxCpuPercent} %`,
        `${meanPercent(points, SETTLE_US).toFixed(2)} %`,
        `${worstPercent(points, SETTLE_US).toFixed(2)} %`,
        `${(sampleUs / 1_000).toFixed(0)} ms`,
        String(maxRegions),
        ...accuracyCells({ precision, recall }),
        String(count),
      ]);
      accuracy.push({ cost: rows.at(-1)![2]!, precision, recall });
      process.stderr.write(`${rows.at(-1)!.join(' ')}\n`);
    }
    charts.push(accuracyChart(`${start.length} x ${start[0]}`, 'one emulated processor', accuracy));
  }
  const head = [
    'targets',
    'budget',
    'mean',
    'worst 10 s',
    'interval',
    'maxRegions',
    'precision',
    'recall',
    'snapshots',
  ];
  console.log(markdown(head, rows));
  for (const each of charts) console.log(`\n${each}`);
}
