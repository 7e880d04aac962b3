import { formatDuration } from '../src/report/units.js';
import { meanOf, type Score } from '../test/lab/score/score.js';
import { accuracyCells } from '../test/lab/score/text.js';
import { type CostPoint, meanPercent, worstPercent } from './observe.js';
import { accuracyChart, markdown } from './report.js';

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

/** What budgets are kept to, and how much is seen with each: all in one table, and a chart for each kind of targets. */
export class BudgetTable {
  readonly #rows: string[][] = [];
  readonly #charts: string[] = [];
  #accuracy: { cost: string; precision: number; recall: number }[] = [];

  /** @param settleUs what came before is left out, here and in the scores */
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
    this.#accuracy.push({ cost, ...seen });
    process.stderr.write(`${row.join(' ')}\n`);
  }

  /** Draws what was added since the last chart. */
  chart(title: string, of: string): void {
    this.#charts.push(accuracyChart(title, of, this.#accuracy));
    this.#accuracy = [];
  }

  toString(): string {
    return [markdown(HEAD, this.#rows), ...this.#charts].join('\n\n');
  }
}
