import { performance } from 'node:perf_hooks';
import { pageSize } from '../../kernel/page-size.js';

/** The answer to every message. */
export interface Rounds {
  /** How often the process has written all of its memory. */
  readonly rounds: number;
  /** When, by the process's own clock. */
  readonly atMs: number;
  /** CPU time of the process by then. */
  readonly cpuMs: number;
}
/** A pause of 4 ms between two rounds, or none. */
export type Pace = 'paced' | 'flat out';

// A process of the built-in workload. Arguments: MiB of memory, and whether it keeps writing it (`hot`) or writes it once
// (`cold`). Messages its parent when it is ready, and exits with it.

const PAGE = pageSize();
const PAUSE_MS = 4;

const [mib, use] = process.argv.slice(2);
const memory = Buffer.alloc(Number(mib) * 2 ** 20, 1);
let rounds = 0;
let pace: Pace = 'paced';

function makeRound(): void {
  rounds++;
  for (let at = 0; at < memory.length; at += PAGE) memory[at] = rounds;
  if (pace === 'flat out') setImmediate(makeRound);
  else setTimeout(makeRound, PAUSE_MS);
}

function answer(): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ rounds, atMs: performance.now(), cpuMs: (user + system) / 1_000 } satisfies Rounds);
}

process.on('SIGUSR1', () => {}); // or Node would listen for a debugger
process.on('disconnect', () => process.exit(memory[0] === undefined ? 1 : 0)); // uses `memory`, which keeps it alive
process.on('message', (message: Pace | 'rounds') => {
  if (message !== 'rounds') pace = message;
  answer();
});
if (use === 'hot') makeRound();
answer();
