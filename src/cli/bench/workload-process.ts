import { performance } from 'node:perf_hooks';
import { pageSize } from '../../kernel/page-size.js';

/** What it answers to every message. */
export interface Rounds {
  /** How often it has written all of its memory. */
  readonly rounds: number;
  /** When that was, by a clock of its own. */
  readonly atMs: number;
  /** CPU that the process has used by then. */
  readonly cpuMs: number;
}
/** A round in 4 ms, or one after the other. */
export type Pace = 'paced' | 'flat out';

/**
 * A process of the benchmark's own workload: so many MiB (first argument), written once, and then all the time or never
 * again (second: hot or cold). Tells its parent when it has them, and ends with it.
 */
const PAGE = pageSize();
const PACE_MS = 4;

const [mib, use] = process.argv.slice(2);
const memory = Buffer.alloc(Number(mib) * 2 ** 20, 1);
let rounds = 0;
let pace: Pace = 'paced';

function makeRound(): void {
  rounds++;
  for (let at = 0; at < memory.length; at += PAGE) memory[at] = rounds;
  if (pace === 'flat out') setImmediate(makeRound);
  else setTimeout(makeRound, PACE_MS);
}

function tell(): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ rounds, atMs: performance.now(), cpuMs: (user + system) / 1_000 } satisfies Rounds);
}

process.on('SIGUSR1', () => {}); // or Node would listen for a debugger
process.on('disconnect', () => process.exit(memory[0] === undefined ? 1 : 0));
process.on('message', (message: Pace | 'rounds') => {
  if (message !== 'rounds') pace = message;
  tell();
});
if (use === 'hot') makeRound();
tell();
