import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Attrs, MonitorOptions } from '../src/index.js';

const WATCHER = fileURLToPath(new URL('./watcher.js', import.meta.url));

/** What a process watches, how, and for how long. */
export interface Watching {
  readonly check: 'synthetic' | 'referenced' | 'idle-page';
  readonly targets: number;
  /** How many of them use memory (default 0); the others sleep. */
  readonly busy?: number;
  /** Fixed intervals; by default those that the default budget leads to. */
  readonly attrs?: Partial<Attrs>;
  readonly workers?: MonitorOptions['workers'];
  /** Whether to read the snapshots (default false), as a user does: costs the main thread time. */
  readonly reads?: boolean;
  /** Long enough for V8 to collect what the start left behind, and for the intervals to settle. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What a process costs that does nothing but watch (watcher.ts), after the warm-up. */
export interface ProcessCost {
  /** CPU of all its threads as a share of one core, in percent. */
  readonly cpuPercent: number;
  readonly residentMib: number;
  readonly attachMs: number;
  /** Until each target had a snapshot; null if one never had, or snapshots were not read. */
  readonly answeredMs: number | null;
  readonly ticks: number;
  readonly overruns: number;
  /** From a tick's due time until all samplers have finished it, since the start. */
  readonly meanLateMs: number;
  readonly maxLateMs: number;
  readonly sampleMs: number;
  readonly regions: number;
  /** How far off the working set of each busy target is, as a share; empty if unknown. */
  readonly workingSetErrors: readonly number[];
  /** Garbage collections of the coordinator and the samplers: of the young generation, of the whole heap. */
  readonly minorGcs: number;
  readonly majorGcs: number;
  /** Of the main thread, of either kind. */
  readonly mainGcs: number;
}

/** Runs watcher.ts in a process of its own, where V8 prints a line for each garbage collection, with its heap. */
export function measure(watching: Watching): ProcessCost {
  const args = ['--trace-gc', WATCHER, JSON.stringify(watching)];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n');
  const heapOf = (line: string) => /^\[\d+:(0x[0-9a-f]+)\]/.exec(line)?.[1];
  // The main thread runs alone at first, and loading its modules causes a collection.
  const main = heapOf(lines.find(heapOf) ?? '');
  const to = lines.indexOf('end');
  const gcs = lines.slice(lines.indexOf('begin'), to).filter(heapOf);
  const ofThreads = gcs.filter((line) => heapOf(line) !== main);
  const majorGcs = ofThreads.filter((line) => line.includes('Mark-Compact')).length;
  return {
    ...JSON.parse(lines.slice(to).find((line) => line.startsWith('{'))!),
    minorGcs: ofThreads.length - majorGcs,
    majorGcs,
    mainGcs: gcs.length - ofThreads.length,
  };
}
