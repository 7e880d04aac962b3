import type { RegionTable } from '../region-table.js';
import { NO_PLACE, NOT_ASKED } from './columns.js';

/**
 * Writes down what each sample of a tick said, around any access check: an answer is whether its row's nrAccesses has
 * grown. Some 3 ns a region and tick; allocates nothing after it was made.
 */
export class EvidenceRecorder {
  readonly #before: Uint32Array;

  constructor(readonly table: RegionTable) {
    this.#before = new Uint32Array(table.capacity);
  }

  /** Before the pages of a tick are checked. */
  before(): void {
    const { nrAccesses, count } = this.table;
    const before = this.#before;
    for (let i = 0; i < count; i++) before[i] = nrAccesses[i]!;
  }

  /** After they were. */
  after(): void {
    const { nrAccesses, samplePage, evidence, count } = this.table;
    if (!evidence) return;
    const { answers, answersPerRegion, place } = evidence;
    const before = this.#before;
    for (let i = 0; i < count; i++) {
      if (place[i] === NO_PLACE || samplePage[i] === NOT_ASKED) continue;
      const page = samplePage[i]! + 1;
      answers[i * answersPerRegion + place[i]!] = nrAccesses[i]! > before[i]! ? page : -page;
    }
  }
}
