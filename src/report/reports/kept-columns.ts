import { emptyColumns } from '../../core/aggregate.js';
import type { SnapshotColumns } from '../../core/snapshot.js';

/**
 * A copy of the latest of many snapshots' columns, in memory that is used again. To keep the snapshots themselves, one of
 * each of five hundred processes, would make every collection of garbage copy them.
 */
export class KeptColumns {
  #room = emptyColumns(0);
  #length = 0;

  take({ startPages, endPages, nrAccesses, ages }: SnapshotColumns): void {
    this.#length = startPages.length;
    if (this.#length > this.#room.ages.length) this.#room = emptyColumns(2 * this.#length);
    this.#room.startPages.set(startPages);
    this.#room.endPages.set(endPages);
    this.#room.nrAccesses.set(nrAccesses);
    this.#room.ages.set(ages);
  }

  /** Until the next one is taken. */
  get columns(): SnapshotColumns {
    const { startPages, endPages, nrAccesses, ages } = this.#room;
    return {
      startPages: startPages.subarray(0, this.#length),
      endPages: endPages.subarray(0, this.#length),
      nrAccesses: nrAccesses.subarray(0, this.#length),
      ages: ages.subarray(0, this.#length),
    };
  }
}
