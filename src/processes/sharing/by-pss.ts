import { PagepulseError } from '../../core/errors.js';
import { pageSize } from '../../kernel/page-size.js';
import { isPresentIn } from '../../kernel/pagemap.js';
import type { Slices } from '../../kernel/slices.js';
import { hasRollup, readRollup } from '../../kernel/smaps.js';
import {
  type CountedTarget,
  openTarget,
  PageReader,
  type PageVisitor,
  type SharingCounter,
} from './pages.js';
import type { SharingTarget } from './types.js';

/** Counts memory by shares if the kernel hides frames: from smaps_rollup, and how much of a working set is present. */
export class ByPss implements SharingCounter {
  readonly method = 'pss';
  readonly allocatedBytes = 0;
  readonly #pages = new PageReader();
  #residentBytes = 0;
  #workingSetBytes = 0;

  /** @throws PagepulseError `UNSUPPORTED` */
  constructor() {
    if (hasRollup()) return;
    throw new PagepulseError(
      'UNSUPPORTED',
      'cannot survey what processes share: this kernel has no /proc/PID/smaps_rollup (Linux 4.14 or later); ' +
        'run as root, which can see frames',
    );
  }

  begin(): void {
    this.#residentBytes = 0;
    this.#workingSetBytes = 0;
  }

  async read(target: SharingTarget, slices: Slices): Promise<CountedTarget> {
    const { pagemap } = openTarget(target);
    try {
      const { rssBytes, pssBytes, sharedBytes } = readRollup(target.pid);
      const present = new PresentCount();
      const pairs = Float64Array.from(target.workingSet);
      const leftOut = await this.#pages.read(pagemap, pairs, pairs.length, present, slices);
      if (leftOut === undefined) return 'ended';
      // Among what is present may be the zero page, which is in no Rss.
      const workingSetBytes = Math.min(rssBytes, present.pages * pageSize());
      this.#residentBytes += pssBytes;
      if (rssBytes > 0) this.#workingSetBytes += (workingSetBytes * pssBytes) / rssBytes;
      const leftOutBytes = leftOut * pageSize();
      return { residentBytes: rssBytes, sharedBytes, workingSetBytes, leftOutBytes };
    } finally {
      pagemap.close();
    }
  }

  async readShared(): Promise<undefined> {}

  sums(): { residentBytes: number; workingSetBytes: number } {
    return { residentBytes: this.#residentBytes, workingSetBytes: this.#workingSetBytes };
  }

  close(): void {}
}

class PresentCount implements PageVisitor {
  pages = 0;

  visit(halves: Int32Array, _first: number, count: number): number {
    let present = 0;
    for (let i = 0; i < count; i++) if (isPresentIn(halves[2 * i + 1]!)) present++;
    this.pages += present;
    return present;
  }
}
