import { mutant, randomFor, seedOf } from './mutate.js';
import type { Target } from './targets.js';

/** A request of the parent process. */
export interface Batch {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  /** The child writes the index of each mutant here before reading it, so that a fatal one is known. */
  readonly progressPath: string;
}

export type Answer =
  | { readonly done: { accepted: number; refused: number; slowestMs: number; slowest: number } }
  | { readonly fault: string; readonly index: number };

/** The same bytes for the same target, seed and index. */
export function mutantOf(
  { name, pack }: Target,
  seeds: readonly Buffer[],
  seed: number,
  index: number,
): Buffer {
  const bytes = mutant(seeds, randomFor(seedOf(name, seed), index));
  return pack ? pack(bytes) : bytes;
}
