import { createRequire } from 'node:module';

/**
 * native/words.c (`reach` as in `WordFile`): both return how many words were read or written, or -1 where the system said
 * no to one of them.
 */
export interface NativeWords {
  readWords(file: number, indices: Float64Array, halves: Uint32Array, count: number, reach: number): number;
  writeWords(file: number, indices: Float64Array, halves: Uint32Array, count: number): number;
}

/**
 * The batch calls, where the package has them built for this machine; undefined where not, and where the environment
 * has PAGEPULSE_NATIVE=0. Nothing depends on them but the CPU that a sample takes (docs/cost.md).
 */
export const nativeWords: NativeWords | undefined = load();

function load(): NativeWords | undefined {
  if (process.env.PAGEPULSE_NATIVE === '0') return undefined;
  try {
    const name = `../../native/words-${process.platform}-${process.arch}.node`;
    return createRequire(import.meta.url)(name) as NativeWords;
  } catch {
    return undefined; // not built, or for another C library
  }
}
