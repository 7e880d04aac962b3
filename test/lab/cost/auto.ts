import { markdown } from '../../../bench/report.js';
import type { Guest } from '../machine/guest.js';
import { scoreFound } from '../score/score.js';
import { accuracyCells } from '../score/text.js';
import { phasesOf } from '../score/truth.js';

/** An interval has settled when this many steps one after the other lie within a tenth of each other. */
const RESTING = 10;

const WORKLOADS = [
  ['idle', 'hotcold 128 60 0', { maxSampleUs: 320_000 }, 240],
  ['busy', 'hotcold 256 100 32', {}, 60],
  ['warm', 'warm 32 400 800', {}, 120],
  ['phases', 'moving 240 24 10', {}, 90],
] as const;

/** Automatic intervals, from 5 ms on and without a budget: in how many steps they settle, and whether they rest. */
export async function auto(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  for (const [name, start, goal, seconds] of WORKLOADS) {
    const options = { auto: goal, attrs: { sampleUs: 5_000, aggrUs: 100_000 } };
    const { steps, snapshots, truths } = await guest.observe({ start: [start], options, seconds });
    const last = steps.slice(-RESTING);
    const phases = phasesOf(truths[0]!);
    const found = scoreFound(snapshots[0]!, phases, phases.length > 1 ? 5e6 : 0, 20e6);
    rows.push([
      `${name} (\`${start}\`)`,
      String(steps.length),
      String(settledAfter(steps)),
      `${Math.min(...last) / 1e3} - ${Math.max(...last) / 1e3} ms`,
      ...accuracyCells(found),
    ]);
    process.stderr.write(`${name}: ${steps.map((us) => us / 1e3).join(' ')}\n`);
  }
  console.log(markdown(['workload', 'steps', 'settled after', 'last ten', 'precision', 'recall'], rows));
}

/** The steps before the interval that then stays within a tenth to the end. */
function settledAfter(steps: readonly number[]): number {
  let at = steps.length - 1;
  const [least, most] = [Math.min(...steps.slice(-RESTING)), Math.max(...steps.slice(-RESTING))];
  while (at > 0 && steps[at - 1]! <= least * 1.1 && steps[at - 1]! >= most / 1.1) at--;
  return at;
}
