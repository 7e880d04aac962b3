/** No sampler has had this slot yet. */
const FREE = 0;
/** The sampler in this slot was given up: should it wake, it must touch nothing. */
const REVOKED = -1;
/** The thread of this slot has ended. */
const ENDED = -2;

/** Of a slot's counters: pages asked about, and those of them that the check cannot see. */
export const SAMPLES = 0;
export const NOT_SAMPLED = 1;
const COUNTERS = 2;
const AT_TARGET = 2;

/**
 * The places for sampler threads. Each has a word with the number of the phase that its sampler finished last, or one of the
 * marks above; its counters; and the target that its sampler is at, so that it is known which one it died of or hangs in.
 */
export class Slots {
  static readonly NUMBERS_PER_SLOT = 3;
  /** Slots below this have been used. Of the thread that reserves them. */
  #used = 0;

  /** @param finished a word a slot */
  constructor(
    readonly finished: Int32Array,
    readonly numbers: Float64Array,
  ) {}

  get count(): number {
    return this.finished.length;
  }

  // The coordinator's side.

  /** The first slot whose thread, if there ever was one, has ended; undefined if all are taken. */
  firstFree(isTaken: (slot: number) => boolean): number | undefined {
    for (let slot = 0; slot < this.count; slot++) {
      const word = Atomics.load(this.finished, slot);
      if ((word === FREE || word === ENDED) && !isTaken(slot)) return slot;
    }
    return undefined;
  }

  /** Takes a free slot for a thread that is about to start. */
  reserve(slot: number): void {
    this.#used = Math.max(this.#used, slot + 1);
    this.isAtNone(slot);
    Atomics.store(this.finished, slot, FREE);
  }

  /** Makes the slot's sampler part of the phases after this one. If its thread has just ended, that stays to be seen. */
  admit(slot: number, epoch: number): void {
    Atomics.compareExchange(this.finished, slot, FREE, epoch);
  }

  /** Gives the slot's sampler up. */
  revoke(slot: number): void {
    if (!this.isEnded(slot)) Atomics.store(this.finished, slot, REVOKED);
  }

  isEnded(slot: number): boolean {
    return Atomics.load(this.finished, slot) === ENDED;
  }

  /** Waits until the sampler has finished phase `epoch` or has ended; false after `timeoutMs`, or if it has ended. */
  awaitFinished(slot: number, epoch: number, timeoutMs: number): boolean {
    for (;;) {
      const seen = Atomics.load(this.finished, slot);
      if (seen === epoch) return true;
      if (seen < 0) return false;
      if (Atomics.wait(this.finished, slot, seen, timeoutMs) === 'timed-out') return false;
    }
  }

  /** What all samplers that there are or were have counted. */
  sumOf(counter: number): number {
    let sum = 0;
    for (let slot = 0; slot < this.#used; slot++)
      sum += this.numbers[slot * Slots.NUMBERS_PER_SLOT + counter]!;
    return sum;
  }

  /** The target that the slot's sampler works on, or did when it ended; undefined for none. */
  targetOf(slot: number): number | undefined {
    const at = this.numbers[slot * Slots.NUMBERS_PER_SLOT + AT_TARGET]!;
    return at > 0 ? at - 1 : undefined;
  }

  // A sampler's side.

  isRevoked(slot: number): boolean {
    return Atomics.load(this.finished, slot) < 0;
  }

  /** Says that phase `epoch` is finished; false if the sampler was given up meanwhile, and must end. */
  finish(slot: number, last: number, epoch: number): boolean {
    if (Atomics.compareExchange(this.finished, slot, last, epoch) !== last) return false;
    Atomics.notify(this.finished, slot);
    return true;
  }

  /** At SAMPLES and NOT_SAMPLED. */
  countersOf(slot: number): Float64Array {
    const from = slot * Slots.NUMBERS_PER_SLOT;
    return this.numbers.subarray(from, from + COUNTERS);
  }

  /** Called before a sampler works on a target. Hot: one store, at id + 1. */
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
