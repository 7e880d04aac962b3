/** The slot is unused, or reserved for a thread that has not joined the phases. */
const FREE = 0;
/** The sampler in this slot was revoked: if it wakes, it must not touch anything. */
const REVOKED = -1;
/** The thread of this slot has ended. */
const ENDED = -2;

/** Indices of a slot's counters: pages sampled, and sampled pages that the check cannot see. */
export const SAMPLES = 0;
export const NOT_SAMPLED = 1;
const COUNTERS = 2;
const AT_TARGET = 2;

/**
 * The slots for sampler threads. Each contains:
 *
 * - a word with the number of the last phase that its sampler finished, or one of the marks above
 * - its counters
 * - the target that its sampler works on, to find the target that killed or blocked a sampler
 */
export class Slots {
  static readonly NUMBERS_PER_SLOT = 3;
  /** Slots below this have been used. Only valid in the thread that reserves them. */
  #used = 0;

  /** @param finished one word per slot */
  constructor(
    readonly finished: Int32Array,
    readonly numbers: Float64Array,
  ) {}

  get count(): number {
    return this.finished.length;
  }

  // The coordinator's side.

  /** The first slot without a running thread; undefined if all are in use. */
  firstFree(isTaken: (slot: number) => boolean): number | undefined {
    for (let slot = 0; slot < this.count; slot++) {
      const word = Atomics.load(this.finished, slot);
      if ((word === FREE || word === ENDED) && !isTaken(slot)) return slot;
    }
    return undefined;
  }

  /** Reserves a free slot for a thread that is about to start. */
  reserve(slot: number): void {
    this.#used = Math.max(this.#used, slot + 1);
    this.isAtNone(slot);
    Atomics.store(this.finished, slot, FREE);
  }

  /** Makes the slot's sampler part of the phases after `epoch`. Keeps the mark of a thread that has just ended. */
  admit(slot: number, epoch: number): void {
    Atomics.compareExchange(this.finished, slot, FREE, epoch);
  }

  /** Revokes the slot's sampler. */
  revoke(slot: number): void {
    if (!this.isEnded(slot)) Atomics.store(this.finished, slot, REVOKED);
  }

  isEnded(slot: number): boolean {
    return Atomics.load(this.finished, slot) === ENDED;
  }

  /** Waits for the sampler to finish phase `epoch`. @returns false if it ended, or after `timeoutMs` */
  awaitFinished(slot: number, epoch: number, timeoutMs: number): boolean {
    for (;;) {
      const seen = Atomics.load(this.finished, slot);
      if (seen === epoch) return true;
      if (seen < 0) return false;
      if (Atomics.wait(this.finished, slot, seen, timeoutMs) === 'timed-out') return false;
    }
  }

  /** Sum of a counter over all current and former samplers. */
  sumOf(counter: number): number {
    let sum = 0;
    for (let slot = 0; slot < this.#used; slot++)
      sum += this.numbers[slot * Slots.NUMBERS_PER_SLOT + counter]!;
    return sum;
  }

  /** The target that the slot's sampler works on, or worked on when it ended; undefined if none. */
  targetOf(slot: number): number | undefined {
    const at = this.numbers[slot * Slots.NUMBERS_PER_SLOT + AT_TARGET]!;
    return at > 0 ? at - 1 : undefined;
  }

  // A sampler's side.

  isRevoked(slot: number): boolean {
    return Atomics.load(this.finished, slot) < 0;
  }

  /** Reports that phase `epoch` is finished. @returns false if the sampler was revoked meanwhile and must end */
  finish(slot: number, last: number, epoch: number): boolean {
    if (Atomics.compareExchange(this.finished, slot, last, epoch) !== last) return false;
    Atomics.notify(this.finished, slot);
    return true;
  }

  /** The slot's counters, indexed by SAMPLES and NOT_SAMPLED. */
  countersOf(slot: number): Float64Array {
    const from = slot * Slots.NUMBERS_PER_SLOT;
    return this.numbers.subarray(from, from + COUNTERS);
  }

  /** Called before a sampler works on a target. Hot: one store (the ID + 1). */
  isAt(slot: number, targetId: number): void {
    this.numbers[slot * Slots.NUMBERS_PER_SLOT + AT_TARGET] = targetId + 1;
  }

  isAtNone(slot: number): void {
    this.isAt(slot, -1);
  }

  // The main thread's side.

  /** The thread of this slot has ended. */
  ended(slot: number): void {
    Atomics.store(this.finished, slot, ENDED);
    Atomics.notify(this.finished, slot);
  }
}
