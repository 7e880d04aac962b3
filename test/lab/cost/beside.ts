import { meanPercent } from '../../../bench/observe.js';
import { markdown, spreadOf, spreadText } from '../../../bench/report.js';
import type { Guest } from '../machine/guest.js';
import type { Compared, ObserveRequest } from '../machine/protocol.js';
import { meanOf, type Score, scoreFound } from '../score/score.js';
import { accuracyCells } from '../score/text.js';
import { phasesOf } from '../score/truth.js';

const WORKLOAD = 'hotcold 256 100 32';
const ROUNDS = 3;
const SECONDS = 15;
/** A monitor of its own has to be compiled first, which the emulator makes slow; and its budget has to be found. */
const OWN = { seconds: 60, fromUs: 40e6 };
const BY_DEFAULT = { seconds: 240, fromUs: 90e6 };

interface Cost {
  readonly cpu: number;
  readonly score: Score;
  /** Share of the sampling intervals; not asked of monitors of their own. */
  readonly ticksMade?: number;
}

type Way = 'damon' | 'same' | 'pure' | 'longer' | 'byDefault';

/**
 * Pagepulse's CPU beside kdamond's, in turn: at the same intervals, at longer ones that see as much, and with those it
 * finds under its default budget.
 */
export async function beside(guest: Guest): Promise<void> {
  const rounds: Record<Way, Cost>[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const damon = await guest.compare({ method: 'DAMON', start: WORKLOAD, seconds: SECONDS });
    const same = await guest.compare({ method: 'Pagepulse', start: WORKLOAD, seconds: SECONDS });
    const pure = await own(guest, OWN, { attrs: { sampleUs: 5_000, aggrUs: 100_000 } }, false);
    const longer = await own(guest, OWN, { attrs: { sampleUs: 20_000, aggrUs: 400_000 } });
    const byDefault = await own(guest, BY_DEFAULT, {});
    rounds.push({ damon: costOf(damon), same: costOf(same), pure, longer, byDefault });
  }
  const row = (name: string, key: Way) => {
    const cpu = spreadOf(rounds.map((round) => round[key].cpu));
    const multiple = spreadOf(rounds.map((round) => round[key].cpu / round.damon.cpu));
    const ticks = rounds.map((round) => round[key].ticksMade ?? Number.NaN);
    return [
      name,
      `${cpu.median.toFixed(1)} %`,
      spreadText(multiple, 1),
      Number.isNaN(ticks[0]) ? '' : `${(100 * spreadOf(ticks).median).toFixed(0)} %`,
      ...accuracyCells(meanOf(rounds.map((round) => round[key].score))),
    ];
  };
  console.log(`\`${WORKLOAD}\`, ${ROUNDS} rounds in turn\n`);
  console.log(
    markdown(
      ['', 'CPU', 'of kdamond', 'ticks made', 'precision', 'recall'],
      [
        row('kdamond, 5 ms and 100 ms', 'damon'),
        row('Pagepulse, 5 ms and 100 ms', 'same'),
        row('the same without native/words.c', 'pure'),
        row('Pagepulse, 20 ms and 400 ms', 'longer'),
        row('Pagepulse by default', 'byDefault'),
      ],
    ),
  );
}

function costOf({ truth, snapshots, cost }: Compared): Cost {
  const { cpuPercent, ticksMade } = cost!;
  return { cpu: cpuPercent, ticksMade, score: scoreFound(snapshots, phasesOf(truth)) };
}

async function own(
  guest: Guest,
  { seconds, fromUs }: typeof OWN,
  options: ObserveRequest['options'],
  native = true,
): Promise<Cost> {
  const { points, snapshots, truths } = await guest.observe({ start: [WORKLOAD], options, seconds, native });
  const found = scoreFound(snapshots[0]!, phasesOf(truths[0]!), 0, fromUs);
  return { cpu: meanPercent(points, fromUs), score: found };
}
