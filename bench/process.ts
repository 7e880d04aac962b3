import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WATCHER = fileURLToPath(new URL('./watcher.js', import.meta.url));

/** What a whole process costs that watches for a while (watcher.ts), measured from outside its own threads. */
export interface ProcessCost {
  /** CPU of all threads as a share of one core, in percent, after the start. */
  readonly cpuPercent: number;
  readonly residentMib: number;
  readonly ticks: number;
  readonly overruns: number;
  /** Garbage collections of all threads after the start: of the young generation, and of the whole heap. */
  readonly minorGcs: number;
  readonly majorGcs: number;
}

/** Runs the watcher in a process of its own; V8 prints a line for each garbage collection. */
export function measure(
  what: 'synthetic' | 'ticks' | 'referenced',
  targets: number,
  seconds: number,
): ProcessCost {
  const args = ['--trace-gc', WATCHER, what, String(targets), String(seconds)];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n');
  const from = lines.indexOf('begin');
  const to = lines.indexOf('end');
  const during = lines.slice(from, to);
  return {
    ...JSON.parse(lines[to + 1]!),
    minorGcs: during.filter((line) => line.includes('Scavenge')).length,
    majorGcs: during.filter((line) => line.includes('Mark-Compact')).length,
  };
}
