import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { PagepulseError } from '../core/errors.js';
import { type RegionTable, TargetStatus } from '../core/region-table.js';
import { pickSamples } from '../core/sampling.js';
import { IdleBitmap } from '../kernel/idle-bitmap.js';
import { KPageFlags, NO_IDLE_BIT } from '../kernel/kpageflags.js';
import { NO_ADDRESS_SPACE, NOT_PRESENT, Pagemap } from '../kernel/pagemap.js';
import { hugePagePages } from '../kernel/support.js';
import type { AccessCheck, CheckCounters } from './access-check.js';
import { NOT_SAMPLED, SAMPLES } from './access-check.js';
import type { ProcessSpace } from './process-space.js';

/** The two files of the whole machine, opened once a sampler and shared by its targets. */
export class IdleFiles {
  readonly bitmap: IdleBitmap;
  readonly flags: KPageFlags;

  /** @throws the system's error; `supportOf('idle-page')` tells beforehand what it would be */
  constructor() {
    this.bitmap = new IdleBitmap();
    this.flags = new KPageFlags(hugePagePages());
  }
}

/**
 * Accessed or not, page by page, through the idle bitmap (src/kernel/idle-bitmap.ts, pagemap.ts and kpageflags.ts say
 * what each file does and costs).
 */
export class IdlePageCheck implements AccessCheck {
  readonly name = 'idle-page';
  #pagemap: Pagemap;
  /** Of each region, the frame of the sampled page, NOT_PRESENT or NO_ADDRESS_SPACE. */
  #frames = new Float64Array(0);
  /** Of each region with a frame, the frame whose idle bit speaks for that page, or NO_IDLE_BIT. */
  #idleFrames = new Float64Array(0);

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION` */
  constructor(
    readonly process: ProcessSpace,
    readonly files: IdleFiles,
    readonly random: RandomGenerator,
    readonly counters: CheckCounters,
  ) {
    const { pid } = process.target;
    this.#pagemap = new Pagemap(pid);
  }

  get target() {
    return this.process.target;
  }

  /**
   * Once a tick and target: two or three system calls a region (pagemap, kpageflags once or twice, the bitmap), one
   * where the page is not present. A pass for each file keeps the code of its reader in the caches: alternating between
   * them costs nearly twice as much in an emulator, where that shows most.
   */
  prepareAccessChecks(table: RegionTable): void {
    if (this.#frames.length < table.capacity) {
      this.#frames = new Float64Array(table.capacity);
      this.#idleFrames = new Float64Array(table.capacity);
    }
    pickSamples(table, this.random);
    const { samplePage, count } = table;
    const { bitmap, flags } = this.files;
    const pagemap = this.#pagemap;
    const frames = this.#frames;
    const idleFrames = this.#idleFrames;
    for (let i = 0; i < count; i++) frames[i] = pagemap.frameOf(samplePage[i]!);
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      if (frame === 0) throw this.#framesHidden();
      if (frame > 0) idleFrames[i] = flags.idleFrameOf(frame);
      else if (frame === NO_ADDRESS_SPACE) table.status = TargetStatus.STALE;
    }
    let marked = -1;
    for (let i = 0; i < count; i++) {
      const idleFrame = idleFrames[i]!;
      if (frames[i]! < 0 || idleFrame === NO_IDLE_BIT || idleFrame === marked) continue;
      bitmap.markIdle(idleFrame);
      marked = idleFrame;
    }
  }

  /**
   * Once a tick and target: one system call a present page, and one more where it was accessed: a frame that the
   * kernel has taken away since (reclaim, migration, exit) reads as accessed too, so the page must still be in it.
   */
  checkAccesses(table: RegionTable): void {
    const { samplePage, nrAccesses, count } = table;
    const { counts } = this.counters;
    const { bitmap } = this.files;
    const pagemap = this.#pagemap;
    const frames = this.#frames;
    const idleFrames = this.#idleFrames;
    let checked = -1;
    let accessed = false;
    let unsampleable = 0;
    for (let i = 0; i < count; i++) {
      const idleFrame = idleFrames[i]!;
      if (frames[i]! < 0) continue;
      if (idleFrame === NO_IDLE_BIT) {
        unsampleable++;
        frames[i] = NOT_PRESENT;
        continue;
      }
      if (idleFrame !== checked) {
        accessed = !bitmap.isIdle(idleFrame);
        checked = idleFrame;
      }
      if (!accessed) frames[i] = NOT_PRESENT;
    }
    // What is left was accessed, or is there no longer.
    for (let i = 0; i < count; i++) {
      if (frames[i]! > 0 && pagemap.frameOf(samplePage[i]!) === frames[i]) nrAccesses[i]!++;
    }
    counts[SAMPLES]! += count;
    counts[NOT_SAMPLED]! += unsampleable;
  }

  updateRanges(table: RegionTable): void {
    this.process.updateRanges(table, () => {
      const pagemap = new Pagemap(this.target.pid);
      this.#pagemap.close();
      this.#pagemap = pagemap;
    });
  }

  tickCostUs(): number {
    return 0;
  }

  close(): void {
    this.#pagemap.close();
  }

  #framesHidden(): PagepulseError {
    return new PagepulseError(
      'PERMISSION',
      `the kernel hides the frame numbers of process ${this.target.pid} (pagemap reads 0); run as root or with ` +
        'CAP_SYS_ADMIN',
    );
  }
}
