import { meanPercent } from '../../../bench/observe.js';
import { markdown } from '../../../bench/report.js';
import { spreadOf, spreadText } from '../../../bench/spread.js';
import type { Guest } from '../machine/guest.js';
import type { Compared } from '../machine/protocol.js';
import { meanOf, type Score, scoreFound } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

const WORKLOAD = 'hotcold 256 100 32';
const ROUNDS = 3;
const SECONDS = 15;
/** A monitor of its own has to be compiled first, which the emulator makes slow. */
const OWN_SECONDS = 60;
const FROM_US = 40e6;

interface Cost {
  readonly cpu: number;
  readonly score: Score;
  /** Share of the sampling intervals; not asked of monitors of their own. */
  readonly ticksMade?: number;
}

type Way = 'damon' | 'same' | 'pure' | 'byDefault';

/** Pagepulse's CPU beside kdamond's, in turn: at the same intervals, and with those it finds under its default budget. */
export async function beside(guest: Guest): Promise<void> {
  const rounds: Record<Way, Cost>[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const damon = await guest.compare({ method: 'DAMON', start: WORKLOAD, seconds: SECONDS });
    const same = await guest.compare({ method: 'Pagepulse', start: WORKLOAD, seconds: SECONDS });
    const pure = await own(guest, { attrs: { sampleUs: 5_000, aggrUs: 100_000 } }, false);
    const byDefault = await own(guest, {}, true);
    rounds.push({ damon: costOf(damon), same: costOf(same), pure, byDefault });
  }
  const row = (name: string, key: Way) => {
    const cpu = spreadOf(rounds.map((round) => round[key].cpu));
    const multiple = spreadOf(rounds.map((round) => round[key].cpu / round.damon.cpu));
    const { precision, recall } = meanOf(rounds.map((round) => round[key].score));
    const ticks = rounds.map((round) => round[key].ticksMade ?? Number.NaN);
    return [
      name,
      `${cpu.median.toFixed(1)} %`,
      spreadText(multiple, 1),
      Number.isNaN(ticks[0]) ? '' : `${(100 * spreadOf(ticks).median).toFixed(0)} %`,
      precision.toFixed(3),
      recall.toFixed(3),
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
        row('Pagepulse by default', 'byDefault'),
      ],
    ),
  );
}

function costOf({ truth, snapshots, cost }: Compared): Cost {
  const { cpuPercent, ticksMade } = cost!;
  return { cpu: cpuPercent, ticksMade, score: scoreFound(snapshots, phasesOf(truth)) };
}

async function own(guest: Guest, options: object, native: boolean): Promise<Cost> {
  const { points, snapshots, truths } = await guest.observe({
    start: [WORKLOAD],
    options,
    seconds: OWN_SECONDS,
    native,
  });
  const found = scoreFound(snapshots[0]!, phasesOf(truths[0]!), 0, FROM_US);
  return { cpu: meanPercent(points, FROM_US), score: found };
}
