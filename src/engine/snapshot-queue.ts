import type { Snapshot } from '../core/snapshot.js';

/** Snapshots that have arrived and wait for their reader, and readers that wait for snapshots. */
export class SnapshotQueue {
  #snapshots: Snapshot[] = [];
  #readers: {
    resolve: (result: IteratorResult<Snapshot, undefined>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #isEnded = false;
  #error: unknown;

  /** @param taken called for each snapshot as its reader gets it */
  constructor(readonly taken: () => void) {}

  push(snapshot: Snapshot): void {
    const reader = this.#readers.shift();
    if (reader) this.#hand(snapshot, reader.resolve);
    else this.#snapshots.push(snapshot);
  }

  /** No more will come. Readers get what is left, then the end, or once the error. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#finish(reader.resolve, reader.reject);
  }

  next(): Promise<IteratorResult<Snapshot, undefined>> {
    return new Promise((resolve, reject) => {
      const snapshot = this.#snapshots.shift();
      if (snapshot) this.#hand(snapshot, resolve);
      else if (this.#isEnded) this.#finish(resolve, reject);
      else this.#readers.push({ resolve, reject });
    });
  }

  #hand(snapshot: Snapshot, resolve: (result: IteratorResult<Snapshot, undefined>) => void): void {
    this.taken();
    resolve({ done: false, value: snapshot });
  }

  #finish(
    resolve: (result: IteratorResult<Snapshot, undefined>) => void,
    reject: (error: unknown) => void,
  ): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
