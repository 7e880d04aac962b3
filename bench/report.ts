import { figureOf } from '../src/cli/bench/result.js';

/** What a bench prints, kept as markdown for bench/RESULTS.md. */
export class Report {
  #text = '';

  add(text: string): void {
    console.log(`${text}\n`);
    this.#text += `${text}\n\n`;
  }

  get text(): string {
    return `${this.#text.trimEnd()}\n`;
  }
}

/** A table in markdown. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Of several runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: figureOf(values).median, min: Math.min(...values), max: Math.max(...values) };
}

/** `median (least - most)`, each with this many decimals. */
export function spreadText({ median, min, max }: Spread, decimals: number): string {
  return `${median.toFixed(decimals)} (${min.toFixed(decimals)} - ${max.toFixed(decimals)})`;
}
