import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import { ColumnSet, emptyColumns } from '../../core/snapshot-columns.js';

/** Beside those that every snapshot has. */
const OPTIONAL = ['residentPages', 'unseenPages', 'accessedPages'] as const;

/**
 * A copy of the latest of many snapshots' columns, in memory that is used again. To keep the snapshots themselves, one of
 * each of five hundred processes, would make every collection of garbage copy them.
 */
export class KeptColumns {
  #room = emptyColumns(0);
  #length = 0;
  #has: readonly (typeof OPTIONAL)[number][] = [];

  take(columns: SnapshotColumns): void {
    const { startPages, endPages, nrAccesses, ages } = columns;
    this.#length = startPages.length;
    this.#has = OPTIONAL.filter((name) => columns[name] !== undefined);
    const hasRoom = this.#length <= this.#room.ages.length && this.#has.every((name) => this.#room[name]);
    if (!hasRoom) {
      const memory = columns.residentPages ? ColumnSet.MEMORY : ColumnSet.NONE;
      const accessed = columns.accessedPages ? ColumnSet.ACCESSED : ColumnSet.NONE;
      this.#room = emptyColumns(2 * this.#length, memory | accessed);
    }
    this.#room.startPages.set(startPages);
    this.#room.endPages.set(endPages);
    this.#room.nrAccesses.set(nrAccesses);
    this.#room.ages.set(ages);
    for (const name of this.#has) this.#room[name]!.set(columns[name]!);
  }

  /** Until the next one is taken. */
  get columns(): SnapshotColumns {
    const { startPages, endPages, nrAccesses, ages } = this.#room;
    return {
      startPages: startPages.subarray(0, this.#length),
      endPages: endPages.subarray(0, this.#length),
      nrAccesses: nrAccesses.subarray(0, this.#length),
      ages: ages.subarray(0, this.#length),
      ...Object.fromEntries(this.#has.map((name) => [name, this.#room[name]!.subarray(0, this.#length)])),
    };
  }
}
