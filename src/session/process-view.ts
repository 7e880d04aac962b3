import type { Snapshot } from '../core/snapshot.js';
import type { TargetInfo } from '../core/target.js';
import type { Mapping } from '../kernel/mapping.js';
import { readingMappings } from '../kernel/maps.js';
import { inSlices } from '../kernel/slices.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
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
    const { pid, startTime } = this.target;
    if (pid === 0 || this.hasEnded) return;
    try {
      const residentBytes = readResidentBytes(pid);
      if (readStat(pid).startTime !== startTime) return;
      this.residentBytes = residentBytes ?? this.residentBytes;
      if (!this.snapshot || performance.now() - this.#namesReadMs < NAMES_MS) return;
      this.#namesReadMs = performance.now();
      inSlices(this.#readNames());
    } catch {
      // The monitor reports its end.
    }
  }

  *#readNames(): Generator<void, void> {
    try {
      this.mappings = yield* readingMappings(this.target.pid);
    } catch {
      // As above; or there are too many, and names are left out.
    }
  }
}
