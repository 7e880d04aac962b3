import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { PagepulseError } from '../core/errors.js';
import { type RegionTable, TargetStatus } from '../core/region-table.js';
import { pickSamples } from '../core/sampling.js';
import { IdleBitmap } from '../kernel/idle-bitmap.js';
import { KPageFlags, NO_IDLE_BIT } from '../kernel/kpageflags.js';
import { NO_ADDRESS_SPACE, Pagemap } from '../kernel/pagemap.js';
import { hugePagePages } from '../kernel/support.js';
import type { AccessCheck, CheckCounters } from './access-check.js';
import { NOT_SAMPLED, SAMPLES } from './access-check.js';
import { ProcessSpace } from './process-space.js';

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
  readonly #process: ProcessSpace;
  #pagemap: Pagemap;
  /** Of each region, the frame of the sampled page. */
  #frames = new Float64Array(0);
  /** Of each region, the frame whose idle bit speaks for that page; ABSENT; or UNSAMPLEABLE. */
  #idleFrames = new Float64Array(0);

  /** @throws PagepulseError `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION` */
  constructor(
    pid: number,
    startTime: string | undefined,
    readonly files: IdleFiles,
    readonly random: RandomGenerator,
    readonly counters: CheckCounters,
  ) {
    this.#process = new ProcessSpace(pid, startTime);
    this.#pagemap = new Pagemap(pid);
  }

  get target() {
    return this.#process.target;
  }

  /**
   * Once a tick and target: two or three system calls a region (pagemap, kpageflags once or twice, the bitmap), one
   * where the page is not present. A frame that the region before has just marked is not marked again.
   */
  prepareAccessChecks(table: RegionTable): void {
    if (this.#frames.length < table.capacity) {
      this.#frames = new Float64Array(table.capacity);
      this.#idleFrames = new Float64Array(table.capacity);
    }
    pickSamples(table, this.random);
    const { samplePage, count } = table;
    const frames = this.#frames;
    const idleFrames = this.#idleFrames;
    const { bitmap, flags } = this.files;
    let marked = -1;
    for (let i = 0; i < count; i++) {
      const frame = this.#pagemap.frameOf(samplePage[i]!);
      if (frame < 0) {
        if (frame === NO_ADDRESS_SPACE) table.status = TargetStatus.STALE;
        idleFrames[i] = ABSENT;
        continue;
      }
      if (frame === 0) throw this.#framesHidden();
      const idleFrame = flags.idleFrameOf(frame);
      frames[i] = frame;
      idleFrames[i] = idleFrame === NO_IDLE_BIT ? UNSAMPLEABLE : idleFrame;
      if (idleFrame === NO_IDLE_BIT || idleFrame === marked) continue;
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
    const frames = this.#frames;
    const idleFrames = this.#idleFrames;
    let checked = -1;
    let accessed = false;
    let unsampleable = 0;
    for (let i = 0; i < count; i++) {
      const idleFrame = idleFrames[i]!;
      if (idleFrame === ABSENT) continue;
      if (idleFrame === UNSAMPLEABLE) {
        unsampleable++;
        continue;
      }
      if (idleFrame !== checked) {
        accessed = !bitmap.isIdle(idleFrame) && this.#pagemap.frameOf(samplePage[i]!) === frames[i];
        checked = idleFrame;
      }
      if (accessed) nrAccesses[i]!++;
    }
    counts[SAMPLES]! += count;
    counts[NOT_SAMPLED]! += unsampleable;
  }

  updateRanges(table: RegionTable): void {
    this.#process.updateRanges(table, () => {
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

/** In the place of a frame: nothing is there to be accessed. */
const ABSENT = -1;
/** In the place of a frame: it is there, and cannot tell. */
const UNSAMPLEABLE = -2;
