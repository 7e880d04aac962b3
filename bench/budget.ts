import { Workload } from '../test/lab/agent/workload.js';
import { meanPercent, observe, worstPercent } from './observe.js';

const BUDGETS = [0.5, 1, 2, 5];
const SECONDS = 50;
const SETTLE_US = 20e6;

export const BUDGET_HEAD = ['targets', 'budget', 'mean', 'worst 10 s', 'sampling interval'] as const;

/** What a budget is kept to, on one process and on twenty: the last 30 s of 50. */
export async function budgetRows(hotcold: string): Promise<string[][]> {
  const rows: string[][] = [];
  for (const count of [1, 20]) {
    const workloads: Workload[] = [];
    for (let i = 0; i < count; i++) workloads.push(await Workload.start(`${hotcold} 64 20 1`));
    try {
      const targets = workloads.map(({ pids }) => ({ pid: pids[0]! }));
      for (const maxCpuPercent of BUDGETS) {
        const { points } = await observe({ targets, maxCpuPercent }, SECONDS);
        const percents = [meanPercent(points, SETTLE_US), worstPercent(points, SETTLE_US)];
        const intervalMs = points.at(-1)!.sampleUs / 1_000;
        const figures = [maxCpuPercent, ...percents.map((percent) => percent.toFixed(2))].map(
          (it) => `${it} %`,
        );
        rows.push([String(count), ...figures, `${intervalMs} ms`]);
      }
    } finally {
      for (const workload of workloads) await workload.end();
    }
  }
  return rows;
}
