import type { DeliveredRows } from '../core/delivered.js';
import { PagepulseError } from '../core/errors.js';
import { ClearRefs } from '../kernel/clear-refs.js';
import { pageSize } from '../kernel/page-size.js';
import { Smaps } from '../kernel/smaps.js';
import type { ProcessSpace } from './process-space.js';
import type { AddressSpace, RegionSource } from './source.js';

/** Shared by all targets of this thread, one at a time. */
const smaps = new Smaps();

/**
 * Counts exactly how many bytes of each mapping were accessed in an interval. It clears the accessed bits at the start
 * (clear-refs.ts), and the kernel counts them at the end (smaps.ts). Which pages of a mapping were accessed remains unknown.
 *
 * Clearing and counting each walk all resident pages of the target with its mmap lock held. They take about 20 and 30 us per
 * MiB in small pages, once per interval, however long it is.
 */
export class ReferencedSource implements RegionSource {
  readonly delivers = 'regions';
  readonly #clearRefs: ClearRefs;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
  constructor(readonly process: ProcessSpace) {
    this.#clearRefs = new ClearRefs(process.pid);
  }

  get target() {
    return this.process.target;
  }

  begin(): boolean {
    return this.#clearRefs.clearAccessedBits();
  }

  deliver(rows: DeliveredRows): number | undefined {
    const mappings = this.#readSmaps();
    if (mappings === 0) return undefined;
    const bytesPerPage = pageSize();
    let residentBytes = 0;
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
    return residentBytes;
  }

  readSpace(): AddressSpace {
    return this.process.read();
  }

  close(): void {
    this.#clearRefs.close();
  }

  #readSmaps(): number {
    try {
      return smaps.read(this.process.pid);
    } catch (error) {
      if (error instanceof PagepulseError && error.code === 'NO_PROCESS') return 0;
      throw error;
    }
  }
}
