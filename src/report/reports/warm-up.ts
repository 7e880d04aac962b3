import type { Snapshot } from '../../core/snapshot.js';

/**
 * The time in which the regions of one process were still being found. Reports leave it out as soon as there is something
 * after it.
 */
export class WarmUp {
  #startUs: number | undefined;
  #us = 0;
  #isSettling = false;

  /** @returns whether this snapshot is the first that counts, and what came before is to be forgotten */
  add({ isSettling, startUs }: Snapshot): boolean {
    this.#startUs ??= startUs;
    const hasSettled = this.#isSettling && !isSettling;
    if (hasSettled) this.#us = startUs - this.#startUs;
    this.#isSettling = isSettling;
    return hasSettled;
  }

  /** How long it took, in microseconds; 0 if there was none, or it is not over. */
  get us(): number {
    return this.#us;
  }

  /** False if it was not over at the end: then everything counts, and may be several times too large. */
  get isSettled(): boolean {
    return !this.#isSettling;
  }
}
