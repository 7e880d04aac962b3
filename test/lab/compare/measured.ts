import { figureOf } from '../../../src/cli/bench/result.js';
import type { Compared, Method } from '../machine/protocol.js';
import { lagsMs, meanOf, scoreFound } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

/** What one method made of one workload, over its runs. */
export interface Measured {
  readonly workload: string;
  readonly method: Method;
  readonly precision: number;
  readonly recall: number;
  readonly workingSetError: number;
  /** How far behind a phase change the picture was: the median; NaN where there was no change. */
  readonly lagMs: number;
  /** Of the monitor, as a share of one emulated processor. */
  readonly cpuPercent: number;
  readonly usPerSample: number;
  /** By how much fewer rounds a second the workload made than alone, 0 .. 1; below 0 where it made more. */
  readonly slowdown: number;
}

export type Run = Compared & { readonly method: Method };

/** Left out after a phase change, as in the tests. */
const SETTLE_US = 5e6;

/** A row for each method. What a method has no figure of is NaN. */
export function measured(workload: string, runs: readonly Run[]): Measured[] {
  const methods = [...new Set(runs.map(({ method }) => method))];
  return methods.map((method) => {
    const its = runs.filter((run) => run.method === method);
    const { precision, recall, workingSetError } = meanOf(its.map(scoreOf));
    return {
      workload,
      method,
      precision,
      recall,
      workingSetError,
      lagMs: medianOf(its.flatMap(lagsOf)),
      cpuPercent: mean(its.map(({ cost }) => cost?.cpuPercent ?? Number.NaN)),
      usPerSample: mean(its.map(({ cost }) => cost?.usPerSample ?? Number.NaN)),
      slowdown: mean(its.map(({ slowdown }) => slowdown)),
    };
  });
}

function scoreOf({ truth, snapshots }: Run) {
  const phases = phasesOf(truth);
  return scoreFound(snapshots, phases, phases.length > 1 ? SETTLE_US : 0);
}

/** Of the changes after which there was time to catch up. */
function lagsOf({ truth, snapshots }: Run): number[] {
  const last = snapshots.at(-1)?.endUs ?? 0;
  const phases = phasesOf(truth);
  return lagsMs(
    snapshots,
    phases.filter(({ fromUs }) => fromUs + SETTLE_US <= last),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function medianOf(values: readonly number[]): number {
  return values.length > 0 ? figureOf(values).median : Number.NaN;
}
