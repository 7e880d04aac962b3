import { figureOf } from '../src/cli/bench/result.js';

/** Of several runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: figureOf(values).median, min: Math.min(...values), max: Math.max(...values) };
}

/** "median (least - most)", each with so many digits. */
export function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} - ${max.toFixed(digits)})`;
}
