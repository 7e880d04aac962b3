import type { SnapshotColumns } from '../../core/snapshot.js';

/**
 * A copy of the latest of many snapshots' columns, in memory that is used again. To keep the snapshots themselves, one of
 * each of five hundred processes, would make every collection of garbage copy them.
 */
export class KeptColumns {
  #startPages = new Float64Array(0);
  #endPages = new Float64Array(0);
  #nrAccesses = new Uint32Array(0);
  #ages = new Uint32Array(0);
  #length = 0;

  take({ startPages, endPages, nrAccesses, ages }: SnapshotColumns): void {
    this.#length = startPages.length;
    if (this.#length > this.#ages.length) {
      const room = 2 * this.#length;
      this.#startPages = new Float64Array(room);
      this.#endPages = new Float64Array(room);
      this.#nrAccesses = new Uint32Array(room);
      this.#ages = new Uint32Array(room);
    }
    this.#startPages.set(startPages);
    this.#endPages.set(endPages);
    this.#nrAccesses.set(nrAccesses);
    this.#ages.set(ages);
  }

  /** Until the next one is taken. */
  get columns(): SnapshotColumns {
    return {
      startPages: this.#startPages.subarray(0, this.#length),
      endPages: this.#endPages.subarray(0, this.#length),
      nrAccesses: this.#nrAccesses.subarray(0, this.#length),
      ages: this.#ages.subarray(0, this.#length),
    };
  }
}
