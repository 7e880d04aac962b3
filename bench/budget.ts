import type { MonitorOptions, TargetRequest } from '../src/index.js';
import { Workload } from '../test/lab/agent/workload.js';
import { meanOf, scoreFound } from '../test/lab/score/score.js';
import { lineOf } from '../test/lab/score/snapshot-line.js';
import { accuracyCells } from '../test/lab/score/text.js';
import { type Phase, phasesOf } from '../test/lab/score/truth.js';
import { meanPercent, observe, worstPercent } from './observe.js';
import { accuracyChart, markdown, type Report } from './report.js';

const BUDGETS = [0.5, 1, 2, 5];
const SECONDS = 120;
const SETTLE_US = 40e6;
const MIB = 2 ** 20;

const HEAD = [
  'check',
  'targets',
  'budget',
  'mean',
  'worst 10 s',
  'sampling interval',
  'precision',
  'recall',
  'snapshots',
] as const;

/** What is watched, and what it really does. */
interface Watched {
  readonly check: NonNullable<MonitorOptions['check']>;
  readonly targets: readonly TargetRequest[];
  /** Of each target; of synthetic ones in the monitor's own time. */
  readonly phases: readonly (readonly Phase[])[];
}

/** What a budget is kept to and how much is seen with it, of one target and of twenty: the last 80 s of 120. */
export async function budget(report: Report, hotcold: string): Promise<void> {
  const runs: Run[] = [];
  for (const count of [1, 20]) runs.push(await runOf(syntheticTargets(count)));
  for (const count of [1, 20]) {
    const workloads: Workload[] = [];
    try {
      for (let i = 0; i < count; i++) workloads.push(await Workload.start(`${hotcold} 64 20 1 apart`));
      runs.push(await runOf(processesOf(workloads)));
    } finally {
      for (const workload of workloads) await workload.end();
    }
  }
  report.add(
    markdown(
      HEAD,
      runs.flatMap(({ rows }) => rows),
    ),
  );
  for (const { chart } of runs) report.add(chart);
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

interface Run {
  readonly rows: readonly string[][];
  readonly chart: string;
}

async function runOf({ check, targets, phases }: Watched): Promise<Run> {
  const rows: string[][] = [];
  const accuracy: { cost: string; precision: number; recall: number }[] = [];
  for (const maxCpuPercent of BUDGETS) {
    const { points, snapshots, startedUs } = await observe({ check, targets, maxCpuPercent }, SECONDS);
    const originUs = check === 'synthetic' ? 0 : startedUs;
    const scores = snapshots.map((its, i) => {
      const lines = its.map((snapshot) => lineOf(snapshot, originUs));
      return scoreFound(lines, phases[i]!, 0, SETTLE_US);
    });
    const { precision, recall, snapshots: count } = meanOf(scores.filter((each) => each.snapshots > 0));
    const cost = `${meanPercent(points, SETTLE_US).toFixed(2)} %`;
    rows.push([
      check,
      String(targets.length),
      `${maxCpuPercent} %`,
      cost,
      `${worstPercent(points, SETTLE_US).toFixed(2)} %`,
      `${points.at(-1)!.sampleUs / 1_000} ms`,
      ...accuracyCells({ precision, recall }),
      String(count),
    ]);
    accuracy.push({ cost, precision, recall });
    process.stderr.write(`${rows.at(-1)!.join(' ')}\n`);
  }
  return { rows, chart: accuracyChart(`${targets.length} x ${check}`, 'one core', accuracy) };
}
