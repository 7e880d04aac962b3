import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Spread, spreadOf, spreadText } from './spread.js';

const SAMPLER = fileURLToPath(new URL('./sampler.js', import.meta.url));

/** Which pages are asked about, and how. */
export interface Sampling {
  readonly pid: number;
  readonly startPage: number;
  readonly pages: number;
  readonly regions: number;
  readonly ticks: number;
  /** Between marking and checking. */
  readonly sleepUs: number;
  /** Whether what was found out about a page is remembered, as it is for a moment. */
  readonly remembers: boolean;
  /** Where the pages are left. */
  readonly file: string;
}

const WAYS = ['native', 'pure', 'pure, nothing remembered', 'floor'] as const;
type Way = (typeof WAYS)[number];

/** Microseconds of CPU a sample; and as a multiple of the floor, pair by pair. */
export interface SampleCost {
  readonly way: Way;
  readonly us: Spread;
  readonly ofFloor: Spread;
}

/**
 * What a sample costs with native/words.c, without it, and in a plain loop in C (bench/floor.c), in turn, so that what
 * the machine does meanwhile falls on all.
 *
 * @param floor the program that floor.c was compiled to
 */
export function sampleCost(
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
      (): Record<Way, number> => ({
        native: node('1'),
        pure: node('0'),
        'pure, nothing remembered': node('0', false),
        floor: numberFrom(floor, [pid, file, regions, sleepUs].map(String)),
      }),
    );
    return WAYS.map((way) => ({
      way,
      us: spreadOf(runs.map((run) => run[way])),
      ofFloor: spreadOf(runs.map((run) => run[way] / run.floor)),
    }));
  } finally {
    rmSync(file, { force: true });
  }
}

export const SAMPLE_COST_HEAD = ['', 'us a sample: median (least - most)', 'of the floor'] as const;

export function sampleCostRows(costs: readonly SampleCost[]): string[][] {
  return costs.map(({ way, us, ofFloor }) => [way, spreadText(us, 2), spreadText(ofFloor, 2)]);
}

function numberFrom(file: string, args: readonly string[], env = process.env): number {
  return Number(execFileSync(file, args, { env, encoding: 'utf8' }));
}
