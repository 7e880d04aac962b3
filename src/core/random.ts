import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** A generator's state, in the form that is sent to another thread. */
export type RandomState = readonly number[];

/**
 * Random streams from one seed: each is the same generator, 2^64 numbers further on. They are handed out in the order of
 * attaching, so the numbers that a target gets do not depend on threads or timing.
 */
export class RandomStreams {
  readonly #next: JumpableRandomGenerator;

  /** @param seed a 32-bit integer; other numbers are truncated to 32 bits */
  constructor(seed: number) {
    this.#next = xoroshiro128plus(seed | 0);
  }

  next(): RandomState {
    this.#next.jump();
    return this.#next.getState();
  }
}

/** The generator of a stream. `next()` changes it in place and allocates nothing. */
export function randomFrom(state: RandomState): RandomGenerator {
  return xoroshiro128plusFromState(state);
}
