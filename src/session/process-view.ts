import type { Snapshot } from '../core/snapshot.js';
import { isProcess, type TargetInfo } from '../core/target.js';
import { type Mapping, readingMappings } from '../kernel/maps.js';
import { inSlices } from '../kernel/slices.js';
import { readFacts } from '../processes/facts.js';
import type { ProcessView } from '../report/picture.js';

/** Mappings are read for their names this often. */
const NAMES_MS = 1_000;

/** One process for a picture: its latest snapshot, and what is read about it beside. */
export class LiveView implements ProcessView {
  snapshot: Snapshot | undefined;
  hasEnded = false;
  residentBytes: number | undefined;
  mappings: readonly Mapping[] = [];
  #namesReadMs = Number.NEGATIVE_INFINITY;

  constructor(readonly target: TargetInfo) {}

  /** Reads what is due. What cannot be read stays as it was: the process may be ending. */
  refresh(): void {
    if (!isProcess(this.target) || this.hasEnded) return;
    const facts = readFacts(this.target);
    if (!facts) return; // the monitor reports its end
    this.residentBytes = facts.residentBytes;
    if (!this.snapshot || performance.now() - this.#namesReadMs < NAMES_MS) return;
    this.#namesReadMs = performance.now();
    inSlices(this.#readNames());
  }

  *#readNames(): Generator<void, void> {
    try {
      this.mappings = yield* readingMappings(this.target.pid);
    } catch {
      // It is ending, or there are too many, and names are left out.
    }
  }
}
