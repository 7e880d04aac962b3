import { KPageFlags, readEndFrame } from '../../kernel/frames.js';
import { HoldingRanges, mapsPieces } from '../../kernel/maps.js';
import { pageSize } from '../../kernel/page-size.js';
import type { Pagemap } from '../../kernel/pagemap.js';
import type { Slices } from '../../kernel/slices.js';
import { hugePagePages } from '../../kernel/support.js';
import { FrameCount, SharedCount, ZeroFrames } from './frame-count.js';
import { type CountedTarget, openTarget, PageReader, type SharingCounter } from './pages.js';
import type { SharingTarget } from './types.js';

/** What the first pass leaves for the second. */
interface Place {
  readonly startTime: string;
  readonly spans: readonly number[];
}

/** Counts memory by frames: all in two passes, of which the second reads only what may be shared. */
export class ByFrames implements SharingCounter {
  readonly method = 'frames';
  readonly #flags = new KPageFlags(hugePagePages());
  readonly #pages = new PageReader();
  readonly #ranges = new HoldingRanges();
  #count = new FrameCount(new ZeroFrames(this.#flags, hugePagePages()));
  #places = new Map<SharingTarget, Place>();

  get allocatedBytes(): number {
    return this.#count.allocatedBytes;
  }

  begin(): void {
    const endFrame = readEndFrame();
    // Memory that was added gave pages to frames that had none.
    if (endFrame !== this.#count.endFrame) {
      this.#count = new FrameCount(new ZeroFrames(this.#flags, hugePagePages()));
      this.#count.endFrame = endFrame;
    }
    this.#count.clear();
    this.#count.zeros.forgetHuge();
    this.#places.clear();
  }

  async read(target: SharingTarget, slices: Slices): Promise<CountedTarget> {
    const { pagemap, startTime } = openTarget(target);
    try {
      const length = await this.#readRanges(target.pid, slices);
      this.#count.begin(target.workingSet);
      const leftOut = await this.#pages.read(pagemap, this.#ranges.pairs, length, this.#count, slices);
      if (leftOut === undefined) return 'ended';
      const { residentPages, workingSetPages, spans } = this.#count;
      this.#places.set(target, { startTime, spans });
      const bytes = pageSize();
      return {
        residentBytes: residentPages * bytes,
        sharedBytes: 0,
        workingSetBytes: workingSetPages * bytes,
        leftOutBytes: leftOut * bytes,
      };
    } finally {
      pagemap.close();
    }
  }

  async #readRanges(pid: number, slices: Slices): Promise<number> {
    this.#ranges.begin();
    for (const lines of mapsPieces(pid)) {
      this.#ranges.add(lines);
      if (slices.isOver) await slices.pause();
    }
    return this.#ranges.length;
  }

  /** What the target shares; 0 if it has ended since. */
  async readShared(target: SharingTarget, slices: Slices): Promise<number> {
    const place = this.#places.get(target);
    if (!place || place.spans.length === 0 || this.#count.several.size === 0) return 0;
    let pagemap: Pagemap;
    try {
      ({ pagemap } = openTarget({ ...target, startTime: place.startTime }));
    } catch {
      return 0;
    }
    try {
      const shared = new SharedCount(this.#count.several);
      const spans = Float64Array.from(place.spans);
      await this.#pages.read(pagemap, spans, spans.length, shared, slices);
      return shared.pages * pageSize();
    } finally {
      pagemap.close();
    }
  }

  sums(): { residentBytes: number; workingSetBytes: number } {
    const bytes = pageSize();
    return {
      residentBytes: this.#count.resident.size * bytes,
      workingSetBytes: this.#count.working.size * bytes,
    };
  }

  close(): void {
    this.#flags.close();
  }
}
