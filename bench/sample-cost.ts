import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageSize } from '../src/kernel/page-size.js';
import { Workload } from '../test/lab/agent/workload.js';
import { phasesOf } from '../test/lab/score/truth.js';
import { type Spread, spreadOf, spreadText } from './report.js';

const SAMPLER = fileURLToPath(new URL('./sampler.js', import.meta.url));

/** Which pages sampler.ts samples, and how. */
export interface Sampling {
  readonly pid: number;
  readonly startPage: number;
  readonly pages: number;
  readonly regions: number;
  readonly ticks: number;
  /** Between marking and checking. */
  readonly sleepUs: number;
  /** Whether frames are remembered for a while, as by a monitor, or resolved in each tick. */
  readonly remembers: boolean;
  /** Where the sampler leaves the pages, for the floor. */
  readonly file: string;
}

const VARIANTS = ['native', 'pure', 'pure, nothing remembered', 'floor'] as const;
type Variant = (typeof VARIANTS)[number];

/** Microseconds of CPU a sample; and as a multiple of the floor, pair by pair. */
export interface SampleCost {
  readonly variant: Variant;
  readonly us: Spread;
  readonly ofFloor: Spread;
}

/**
 * What a sample of `hotcold 256 100 32` costs.
 *
 * @param hotcold the workload's program
 * @param floor the program that floor.c was compiled to
 */
export async function sampleHotCold(
  hotcold: string,
  floor: string,
  { rounds, ...sampling }: { regions: number; ticks: number; sleepUs: number; rounds: number },
): Promise<SampleCost[]> {
  const workload = await Workload.start(`${hotcold} 256 100 32`);
  try {
    const { ranges } = phasesOf(workload.lines)[0]!;
    const startPage = ranges[0]!.start / pageSize();
    const pages = ranges.at(-1)!.end / pageSize() - startPage;
    return sampleCost({ pid: workload.pids[0]!, startPage, pages, ...sampling }, floor, rounds);
  } finally {
    await workload.end();
  }
}

/**
 * What a sample costs with native/words.c, without it, and in a plain loop in C (floor.c). The variants alternate, so that
 * other load on the machine falls on all.
 */
function sampleCost(
  sampling: Omit<Sampling, 'file' | 'remembers'>,
  floor: string,
  rounds: number,
): SampleCost[] {
  const file = join(tmpdir(), `pagepulse-pages-${process.pid}`);
  const { pid, regions, sleepUs } = sampling;
  const node = (native: '0' | '1', remembers = true) => {
    const env = { ...process.env, PAGEPULSE_NATIVE: native };
    return numberFrom(process.execPath, [SAMPLER, JSON.stringify({ ...sampling, remembers, file })], env);
  };
  try {
    const runs = Array.from(
      { length: rounds },
      (): Record<Variant, number> => ({
        native: node('1'),
        pure: node('0'),
        'pure, nothing remembered': node('0', false),
        floor: numberFrom(floor, [pid, file, regions, sleepUs].map(String)),
      }),
    );
    return VARIANTS.map((variant) => ({
      variant,
      us: spreadOf(runs.map((run) => run[variant])),
      ofFloor: spreadOf(runs.map((run) => run[variant] / run.floor)),
    }));
  } finally {
    rmSync(file, { force: true });
  }
}

export const SAMPLE_COST_HEAD = ['', 'us a sample: median (least - most)', 'of the floor'] as const;

export function sampleCostRows(costs: readonly SampleCost[]): string[][] {
  return costs.map(({ variant, us, ofFloor }) => [variant, spreadText(us, 2), spreadText(ofFloor, 2)]);
}

function numberFrom(file: string, args: readonly string[], env = process.env): number {
  return Number(execFileSync(file, args, { env, encoding: 'utf8' }));
}
