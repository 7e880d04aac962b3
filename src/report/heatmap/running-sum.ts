import { NOTHING, Profile } from './profile.js';

/**
 * The sum of many profiles, in memory that is used again. Sums of 1, 2, 4, ... of them wait for as many more, as the bits of
 * a number that counts them: so a profile is part of a few sums, not of as many as there are.
 */
export class RunningSum {
  readonly #waiting: Profile[] = [];
  #count = 0;

  /** @param limit pieces of a sum */
  constructor(public limit: number) {}

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** See Profile. */
  get footprint(): number {
    let sum = 0;
    for (const profile of this.#waiting) sum += profile.footprint;
    return sum;
  }

  /** Copies it. */
  add(profile: Profile): void {
    let sum = profile;
    let bit = 0;
    for (; (this.#count >> bit) & 1; bit++) sum = this.#plus(this.#waiting[bit]!, sum);
    if (bit === this.#waiting.length) this.#waiting.push(new Profile());
    this.#waiting[bit]!.setTo(sum);
    this.#count++;
  }

  /** The sum of all since the last time; valid until any other one is made. */
  take(): Profile {
    let sum = NOTHING;
    for (let bit = 0; this.#count > 0; bit++, this.#count >>= 1) {
      if (this.#count & 1) sum = this.#plus(this.#waiting[bit]!, sum);
    }
    return sum;
  }

  #plus(a: Profile, b: Profile): Profile {
    const sum = b === scratch[0] ? scratch[1] : scratch[0];
    sum.setToSum(a, b);
    sum.coarsen(this.limit);
    return sum;
  }
}

/** Sums that are being made: one of them, and what it is made of. */
const scratch = [new Profile(), new Profile()] as const;
