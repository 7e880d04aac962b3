import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { PagepulseError } from '../core/errors.js';
import { type RegionTable, TargetStatus } from '../core/region-table.js';
import { pickSamples } from '../core/sampling.js';
import { ClearRefs } from '../kernel/clear-refs.js';
import { Smaps } from '../kernel/smaps.js';
import type { AccessCheck, CheckCounters } from './access-check.js';
import { SAMPLES } from './access-check.js';
import type { ProcessSpace } from './process-space.js';

/**
 * Accessed or not, by mapping: the kernel counts exactly how much of each mapping was accessed since the accessed bits
 * were cleared, but not which pages. A sampled page is taken as accessed with the probability Referenced / Size of its
 * mapping, so the counts are right on average over a mapping, and flat inside it.
 *
 * Both calls walk all resident pages of the target, so a tick costs the same for three regions as for a thousand.
 */
export class ReferencedCheck implements AccessCheck {
  readonly name = 'referenced';
  readonly #smaps: Smaps;
  readonly #clearRefs: ClearRefs;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
  constructor(
    readonly process: ProcessSpace,
    readonly random: RandomGenerator,
    readonly counters: CheckCounters,
  ) {
    const { pid } = process.target;
    this.#smaps = new Smaps(pid);
    this.#clearRefs = new ClearRefs(pid);
  }

  get target() {
    return this.process.target;
  }

  /** Once a tick and target: one system call, about 3 ms for 512 MiB resident. */
  prepareAccessChecks(table: RegionTable): void {
    pickSamples(table, this.random);
    if (!this.#clearRefs.clearAccessedBits()) table.status = TargetStatus.STALE;
  }

  /** Once a tick and target: one file read, about 6 ms for 512 MiB resident; regions and mappings are both in order. */
  checkAccesses(table: RegionTable): void {
    const mappings = table.status === TargetStatus.OK ? this.#readSmaps(table) : 0;
    const { startPage, endPage, referencedShare } = this.#smaps;
    const { samplePage, count } = table;
    let m = 0;
    for (let i = 0; i < count; i++) {
      const page = samplePage[i]!;
      while (m < mappings && endPage[m]! <= page) m++;
      if (m === mappings) break;
      if (startPage[m]! <= page && uniformFloat64(this.random) < referencedShare[m]!) table.countAccess(i);
    }
    this.counters.counts[SAMPLES]! += table.asked;
  }

  updateRanges(table: RegionTable): void {
    this.process.updateRanges(table);
  }

  /** Times a clear and a read. */
  tickCostUs(): number {
    const startedMs = performance.now();
    this.#clearRefs.clearAccessedBits();
    this.#smaps.read();
    return (performance.now() - startedMs) * 1_000;
  }

  close(): void {
    this.#clearRefs.close();
  }

  #readSmaps(table: RegionTable): number {
    try {
      const mappings = this.#smaps.read();
      if (mappings === 0) table.status = TargetStatus.STALE;
      return mappings;
    } catch (error) {
      if (!(error instanceof PagepulseError) || error.code !== 'NO_PROCESS') throw error;
      table.status = TargetStatus.STALE;
      return 0;
    }
  }
}
