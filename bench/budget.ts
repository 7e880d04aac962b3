import type { MonitorOptions, TargetRequest } from '../src/index.js';
import { formatDuration } from '../src/report/units.js';
import { Workload } from '../test/lab/agent/workload.js';
import { meanOf, type Score, scoreFound } from '../test/lab/score/score.js';
import { lineOf } from '../test/lab/score/snapshot-line.js';
import { accuracyCells } from '../test/lab/score/text.js';
import { type Phase, phasesOf } from '../test/lab/score/truth.js';
import { type CostPoint, meanPercent, observe, worstPercent } from './observe.js';
import { markdown, type Report } from './report.js';

/** Shares of a core, in percent. */
export const BUDGETS = [0.5, 1, 2, 5];

const HEAD = [
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

/** How well budgets are kept, and how accurate the snapshots are: one table, and a chart per kind of targets. */
export class BudgetTable {
  readonly #rows: string[][] = [];
  readonly #charts: string[] = [];
  #points: { cost: string; precision: number; recall: number }[] = [];

  /** @param settleUs leaves out the time before, as the scores must too */
  constructor(readonly settleUs: number) {}

  add(targets: string, budgetPercent: number, points: readonly CostPoint[], scores: readonly Score[]): void {
    const { settleUs } = this;
    const seen = meanOf(scores.filter(({ snapshots }) => snapshots > 0));
    const cost = `${meanPercent(points, settleUs).toFixed(2)} %`;
    const { sampleUs, maxRegions } = points.at(-1)!;
    const row = [
      targets,
      `${budgetPercent} %`,
      cost,
      `${worstPercent(points, settleUs).toFixed(2)} %`,
      formatDuration(sampleUs),
      String(maxRegions),
      ...accuracyCells(seen),
      String(seen.snapshots),
    ];
    this.#rows.push(row);
    this.#points.push({ cost, ...seen });
    process.stderr.write(`${row.join(' ')}\n`);
  }

  /** Draws accuracy against cost (mermaid) for what was added since the last chart. Omits points without a score. */
  chart(title: string, processor: string): void {
    const points = this.#points.filter(({ precision, recall }) => Number.isFinite(precision + recall));
    const list = (texts: readonly string[]) => `[${texts.join(', ')}]`;
    this.#points = [];
    this.#charts.push(
      [
        '```mermaid',
        'xychart-beta',
        `  title "${title}: precision and recall"`,
        `  x-axis "CPU, of ${processor}" ${list(points.map(({ cost }) => `"${cost}"`))}`,
        '  y-axis "share" 0 --> 1',
        `  line ${list(points.map(({ precision }) => precision.toFixed(3)))}`,
        `  line ${list(points.map(({ recall }) => recall.toFixed(3)))}`,
        '```',
      ].join('\n'),
    );
  }

  toString(): string {
    return [markdown(HEAD, this.#rows), ...this.#charts].join('\n\n');
  }
}

const SECONDS = 120;
const SETTLE_US = 40e6;
const MIB = 2 ** 20;

/** What is watched, and the truth about it. */
interface Watched {
  readonly check: NonNullable<MonitorOptions['check']>;
  readonly targets: readonly TargetRequest[];
  /** Of each target; of synthetic ones in the monitor's own time. */
  readonly phases: readonly (readonly Phase[])[];
}

/** Budgets on the host, with one target and with twenty: the last 80 s of 120. */
export async function budget(report: Report, hotcold: string): Promise<void> {
  const table = new BudgetTable(SETTLE_US);
  for (const count of [1, 20]) await measure(table, syntheticTargets(count));
  for (const count of [1, 20]) {
    const workloads: Workload[] = [];
    try {
      for (let i = 0; i < count; i++) workloads.push(await Workload.start(`${hotcold} 64 20 1 apart`));
      await measure(table, {
        check: 'referenced',
        targets: workloads.map(({ pids }) => ({ pid: pids[0]! })),
        phases: workloads.map(({ lines }) => phasesOf(lines)),
      });
    } finally {
      for (const workload of workloads) await workload.end();
    }
  }
  report.add(String(table));
}

function syntheticTargets(count: number): Watched {
  const bases = Array.from({ length: count }, (_, i) => 2 ** 32 * (i + 1));
  const range = (startAddress: number, mib: number) => ({ startAddress, sizeBytes: mib * MIB });
  return {
    check: 'synthetic',
    targets: bases.map((base) => {
      const accesses = [{ ...range(base + 100 * MIB, 32), share: 1 }];
      return { synthetic: { phases: [{ lastsUs: 1e9, mappings: [range(base, 256)], accesses }] } };
    }),
    phases: bases.map((base) => {
      const at = (mib: number) => base + mib * MIB;
      return [
        {
          fromUs: 0,
          untilUs: Number.POSITIVE_INFINITY,
          ranges: [
            { start: at(0), end: at(100), kind: 'cold' },
            { start: at(100), end: at(132), kind: 'hot' },
            { start: at(132), end: at(256), kind: 'cold' },
          ],
        },
      ];
    }),
  };
}

async function measure(table: BudgetTable, { check, targets, phases }: Watched): Promise<void> {
  const what = `${targets.length} x ${check}`;
  for (const maxCpuPercent of BUDGETS) {
    const { points, snapshots, startedUs } = await observe({ check, targets, maxCpuPercent }, SECONDS, true);
    const originUs = check === 'synthetic' ? 0 : startedUs;
    const scores = snapshots.map((its, i) => {
      const lines = its.map((snapshot) => lineOf(snapshot, originUs));
      return scoreFound(lines, phases[i]!, 0, SETTLE_US);
    });
    table.add(what, maxCpuPercent, points, scores);
  }
  table.chart(what, 'one core');
}
