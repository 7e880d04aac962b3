import { DeliveredRows, deliverRegions } from '../core/delivered.js';
import { PagepulseError } from '../core/errors.js';
import { type RegionTable, TargetStatus } from '../core/region-table.js';
import { ClearRefs } from '../kernel/clear-refs.js';
import { pageSize } from '../kernel/page-size.js';
import { Smaps } from '../kernel/smaps.js';
import { type CheckCounters, SAMPLES } from './page-check.js';
import type { ProcessSpace } from './process-space.js';
import type { RegionSource } from './region-source.js';

/** Of one target after the other. */
const smaps = new Smaps();
const rows = new DeliveredRows();

/**
 * How many bytes of each mapping were accessed in an interval, exactly as the kernel counts them: the accessed bits are
 * cleared when it starts (clear-refs.ts) and counted when it ends (smaps.ts). Which pages of a mapping they were, it does
 * not tell.
 *
 * Clearing and counting each walk all resident pages of the target with its mmap lock held: some 20 and 30 us for a MiB in small
 * pages.
 * Both happen once an interval, however long it is.
 */
export class ReferencedSource implements RegionSource {
  readonly delivers = 'regions';
  readonly name = 'referenced';
  readonly #clearRefs: ClearRefs;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
  constructor(
    readonly process: ProcessSpace,
    readonly counters: CheckCounters,
  ) {
    this.#clearRefs = new ClearRefs(process.target.pid);
  }

  get target() {
    return this.process.target;
  }

  begin(table: RegionTable): void {
    if (!this.#clearRefs.clearAccessedBits()) table.status = TargetStatus.STALE;
  }

  deliver(table: RegionTable, isLast: boolean): void {
    const mappings = this.#readSmaps();
    if (mappings === 0) {
      table.status = TargetStatus.STALE;
      return;
    }
    const bytesPerPage = pageSize();
    let residentBytes = 0;
    rows.count = 0;
    for (let m = 0; m < mappings; m++) {
      residentBytes += smaps.residentBytes[m]!;
      if (smaps.isAccessible[m] === 0) continue;
      rows.add(
        smaps.startPage[m]!,
        smaps.endPage[m]!,
        smaps.residentBytes[m]! / bytesPerPage,
        smaps.hugetlbBytes[m]! / bytesPerPage,
        smaps.referencedBytes[m]! / bytesPerPage,
      );
    }
    if (this.process.fixedRanges) rows.clipTo(this.process.fixedRanges);
    deliverRegions(table, rows, isLast);
    table.residentBytes = residentBytes;
    this.counters.counts[SAMPLES]! += mappings;
  }

  updateRanges(table: RegionTable): void {
    this.process.updateRanges(table);
  }

  close(): void {
    this.#clearRefs.close();
  }

  #readSmaps(): number {
    try {
      return smaps.read(this.target.pid);
    } catch (error) {
      if (error instanceof PagepulseError && error.code === 'NO_PROCESS') return 0;
      throw error;
    }
  }
}
