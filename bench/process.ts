import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WATCHER = fileURLToPath(new URL('./watcher.js', import.meta.url));

/** What a process is to watch, and for how long. */
export interface Watching {
  readonly check: 'synthetic' | 'referenced' | 'idle-page';
  readonly targets: number;
  /** Without an aggregation in the time measured: the ticks alone. */
  readonly ticksAlone?: boolean;
  /** Before what is measured: long enough for V8 to tidy up what the start left behind. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What a whole process costs that does nothing but watch (watcher.ts), measured from outside its own threads. */
export interface ProcessCost {
  /** CPU of all threads as a share of one core, in percent, after the warm-up. */
  readonly cpuPercent: number;
  readonly residentMib: number;
  readonly ticks: number;
  readonly overruns: number;
  /** Garbage collections of coordinator and samplers after the warm-up: of the young generation, of the whole heap. */
  readonly minorGcs: number;
  readonly majorGcs: number;
  /** Those of the main thread, which takes the snapshots: of either kind. */
  readonly mainGcs: number;
}

/** Runs the watcher in a process of its own. V8 prints a line for each garbage collection, with the heap it was in. */
export function measure(watching: Watching): ProcessCost {
  const args = ['--trace-gc', WATCHER, JSON.stringify(watching)];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n');
  const heapOf = (line: string) => /^\[\d+:(0x[0-9a-f]+)\]/.exec(line)?.[1];
  // The main thread is alone at first, and its modules are enough for a collection.
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
