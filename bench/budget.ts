import type { MonitorOptions, TargetRequest } from '../src/index.js';
import { Workload } from '../test/lab/agent/workload.js';
import { scoreFound } from '../test/lab/score/score.js';
import { lineOf } from '../test/lab/score/snapshot-line.js';
import { type Phase, phasesOf } from '../test/lab/score/truth.js';
import { BUDGETS, BudgetTable } from './budget-table.js';
import { observe } from './observe.js';
import type { Report } from './report.js';

const SECONDS = 120;
const SETTLE_US = 40e6;
const MIB = 2 ** 20;

/** What is watched, and what it really does. */
interface Watched {
  readonly check: NonNullable<MonitorOptions['check']>;
  readonly targets: readonly TargetRequest[];
  /** Of each target; of synthetic ones in the monitor's own time. */
  readonly phases: readonly (readonly Phase[])[];
}

/** What a budget is kept to and how much is seen with it, of one target and of twenty: the last 80 s of 120. */
export async function budget(report: Report, hotcold: string): Promise<void> {
  const table = new BudgetTable(SETTLE_US);
  for (const count of [1, 20]) await measure(table, syntheticTargets(count));
  for (const count of [1, 20]) {
    const workloads: Workload[] = [];
    try {
      for (let i = 0; i < count; i++) workloads.push(await Workload.start(`${hotcold} 64 20 1 apart`));
      await measure(table, processesOf(workloads));
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

function processesOf(workloads: readonly Workload[]): Watched {
  return {
    check: 'referenced',
    targets: workloads.map(({ pids }) => ({ pid: pids[0]! })),
    phases: workloads.map(({ lines }) => phasesOf(lines)),
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
