import { meanPercent } from '../../../bench/observe.js';
import { markdown, spreadOf, spreadText } from '../../../bench/report.js';
import { ADAPTATIONS, type AdaptationName } from '../../../src/core/adaptation.js';
import type { Guest } from '../machine/guest.js';
import { meanOf, type Score, scoreFound } from '../score/score.js';
import { accuracyCells } from '../score/text.js';
import { phasesOf } from '../score/truth.js';

const WORKLOADS = ['hotcold 256 100 32', 'hotcold 256 100 32 thp', 'moving 240 24 15'];
const ROUNDS = 3;
/** Until V8 has compiled everything, which the emulator makes slow. */
const SETTLE_US = 60e6;
const SECONDS = 105;

interface Cost {
  readonly cpu: number;
  /** Share of the sampling intervals. */
  readonly ticksMade: number;
  /** CPU of a tick, in milliseconds. */
  readonly tickMs: number;
  readonly score: Score;
}

/** What both adaptations cost at the same intervals and limits, in turn, once V8 has compiled them. */
export async function adaptations(guest: Guest): Promise<void> {
  const rows: string[][] = [];
  for (const start of WORKLOADS) {
    const costs: Record<AdaptationName, Cost[]> = { damon: [], evidence: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of ADAPTATIONS) {
        const cost = await costOf(guest, start, name);
        costs[name].push(cost);
        process.stderr.write(`${start} ${name} ${JSON.stringify(cost)}\n`);
      }
    }
    for (const name of ADAPTATIONS) {
      const its = costs[name];
      rows.push([
        `\`${start}\``,
        name,
        `${spreadText(spreadOf(its.map(({ cpu }) => cpu)), 1)} %`,
        `${(100 * spreadOf(its.map(({ ticksMade }) => ticksMade)).median).toFixed(0)} %`,
        `${spreadText(spreadOf(its.map(({ tickMs }) => tickMs)), 1)} ms`,
        ...accuracyCells(meanOf(its.map(({ score }) => score))),
      ]);
    }
  }
  console.log(markdown(['workload', 'by', 'CPU', 'ticks made', 'CPU a tick', 'precision', 'recall'], rows));
}

async function costOf(guest: Guest, start: string, adaptation: AdaptationName): Promise<Cost> {
  const options = { adaptation, attrs: { sampleUs: 5_000, aggrUs: 100_000 } };
  const { points, snapshots, truths } = await guest.observe({ start: [start], options, seconds: SECONDS });
  const [from, to] = [points.find(({ atUs }) => atUs >= SETTLE_US)!, points.at(-1)!];
  const ticks = to.ticks - from.ticks;
  return {
    cpu: meanPercent(points, SETTLE_US),
    ticksMade: ticks / (ticks + to.overruns - from.overruns),
    tickMs: (to.cpuUs - from.cpuUs) / ticks / 1e3,
    score: scoreFound(snapshots[0]!, phasesOf(truths[0]!), 5e6, SETTLE_US),
  };
}
