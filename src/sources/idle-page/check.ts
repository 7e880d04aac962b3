import { PagepulseError } from '../../core/errors.js';
import { NOT_ASKED } from '../../core/evidence/columns.js';
import { Answer, Residence, type Samples } from '../../core/sampling.js';
import { TargetStatus } from '../../core/table-header.js';
import { KPageCount, KPageFlags, NO_IDLE_BIT, speaksForPage, ZERO_PAGE } from '../../kernel/frames.js';
import { IdleBitmap } from '../../kernel/idle-bitmap.js';
import { frameIn, isSharedIn, NOT_PRESENT, Pagemap } from '../../kernel/pagemap.js';
import { hugePagePages } from '../../kernel/support.js';
import type { ProcessSpace } from '../process-space.js';
import type { AddressSpace, PageCheck } from '../source.js';
import { CommonPages, ticksBetween } from './common-pages.js';
import { FrameKinds } from './frame-kinds.js';
import { KnownFrames } from './known-frames.js';
import { Marked } from './marked.js';

/** The part of the bitmap that the check uses. */
export type IdleBits = Pick<IdleBitmap, 'readBatch' | 'writeBatch'>;

/** System-wide files, opened once per sampler and shared by its targets. Tests use others. */
export class IdleFiles {
  readonly bitmap: IdleBits;
  readonly flags: KPageFlags;
  readonly mappers: KPageCount;
  readonly known = new KnownFrames();
  /** Pages in a transparent huge page. */
  readonly hugePages: number;
  readonly openPagemap: (pid: number) => Pagemap;

  /** @throws the system's error; `idlePageSupport` reports it beforehand */
  constructor(files: Partial<Omit<IdleFiles, 'known'>> = {}) {
    this.hugePages = files.hugePages ?? hugePagePages();
    this.bitmap = files.bitmap ?? new IdleBitmap();
    this.flags = files.flags ?? new KPageFlags(this.hugePages);
    this.mappers = files.mappers ?? new KPageCount();
    this.openPagemap = files.openPagemap ?? ((pid) => new Pagemap(pid));
  }
}

/**
 * Checks single pages through the idle bitmap. src/kernel/idle-bitmap.ts, pagemap.ts and frames.ts describe each file and
 * its cost.
 *
 * Works file by file, not region by region. With native/words.c, one call then reads or writes many words of a file. Without
 * it, the code of each reader stays in the CPU caches.
 */
export class IdlePageCheck implements PageCheck {
  readonly delivers = 'pages';
  readonly repeatsPages = true;
  #pagemap: Pagemap;
  /** Whether the address space of the open pagemap is gone. */
  #isStale = false;
  #marked = new Marked(0);
  readonly #kinds: FrameKinds;
  readonly #common = new CommonPages();
  #tick = 0;
  /** This target's owner number in `files.known`. */
  #owner: number;
  /** The monitor's time when frames were looked up. */
  #resolvedUs = 0;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION` */
  constructor(
    readonly process: ProcessSpace,
    readonly files: IdleFiles,
  ) {
    const { pid } = process;
    this.#pagemap = files.openPagemap(pid);
    this.#kinds = new FrameKinds(files.flags, files.hugePages);
    this.#owner = files.known.newOwner();
  }

  get target() {
    return this.process.target;
  }

  /**
   * System calls per region: two (pagemap, the bitmap), or one if the page's frame is known or the page is not present. One
   * more if other processes may map the page (kpagecount), another if many do, and occasionally one to three for kpageflags.
   */
  mark(samples: Samples, nowUs: number): boolean {
    this.resolve(samples, nowUs);
    this.writeMarks();
    return !this.#isStale;
  }

  /** The first half of marking: finds the idle bit of each page. */
  resolve(samples: Samples, nowUs: number): void {
    const { count, pages, startPages, endPages, answers, residence, weights, maxNrAccesses } = samples;
    const { known } = this.files;
    if (this.#marked.capacity < samples.capacity) this.#marked = new Marked(samples.capacity);
    const marked = this.#marked;
    const { asked, mappers } = marked;
    const slots = marked.known;
    this.#resolvedUs = nowUs;
    this.#askFrames(samples);
    this.#tick++;
    let shared = 0;
    let row = -1;
    marked.clear();
    for (let i = 0; i < count; i++) {
      const page = pages[i]!;
      if (page === NOT_ASKED) continue;
      const slot = slots[i]!;
      if (slot >= 0) {
        residence[i] = Residence.PRESENT;
        marked.add(i, known.frameAt(slot), known.idleFrameAt(slot));
        continue;
      }
      row++;
      let frame = frameIn(asked, row);
      if (frame === NOT_PRESENT) {
        residence[i] = Residence.ABSENT;
        answers[i] = Answer.MISS;
        continue;
      }
      if (frame === 0) throw this.#framesHidden();
      residence[i] = Residence.PRESENT;
      const ticks = isSharedIn(asked, row) ? ticksBetween(mappers.halves[2 * shared++]!, maxNrAccesses) : 1;
      if (ticks > 1) {
        if ((this.#tick + i) % ticks !== 0) continue;
        pages[i] = this.#common.pick(this.#pagemap, page, frame, startPages[i]!, endPages[i]!);
        frame = this.#common.frame;
        weights[i] = ticks;
      }
      const idleFrame = this.#kinds.idleFrameOf(pages[i]!, frame);
      if (idleFrame !== NO_IDLE_BIT) marked.add(i, frame, idleFrame);
      // The zero page backs pages that were never written, and takes no memory.
      else residence[i] = this.#kinds.isZeroPage ? Residence.ABSENT : Residence.UNSEEN;
    }
  }

  /** Reads the frames of unknown pages, and the mapper counts of those that may be shared: one row each, in order. */
  #askFrames({ count, pages }: Samples): void {
    const { known, mappers: counts } = this.files;
    const { asked, mappers, known: slots } = this.#marked;
    asked.count = mappers.count = 0;
    for (let i = 0; i < count; i++) {
      const page = pages[i]!;
      if (page === NOT_ASKED) continue;
      slots[i] = known.find(this.#owner, page, this.#resolvedUs);
      if (slots[i]! < 0) asked.indices[asked.count++] = page;
    }
    if (this.#pagemap.readBatch(asked) < asked.count) this.#isStale = true;
    for (let row = 0; row < asked.count; row++) {
      const frame = frameIn(asked, row);
      if (frame > 0 && isSharedIn(asked, row)) mappers.indices[mappers.count++] = frame;
    }
    counts.readBatch(mappers);
  }

  /** The second half of marking: sets the idle bits. */
  writeMarks(): void {
    this.files.bitmap.writeBatch(this.#marked.words);
  }

  /**
   * System calls per present page: one, another if the page seems accessed, and a third if its frame was not known. A frame
   * without an idle bit also seems accessed, and so does one that the kernel took away (reclaim, migration, exit).
   */
  answer({ pages, answers, residence, weights }: Samples, nowUs: number): void {
    const { known, flags, bitmap } = this.files;
    const marked = this.#marked;
    const { asked, region, frame, idleFrame, known: slots } = marked;
    bitmap.readBatch(marked.words);
    const rows = marked.count;
    let seeming = 0;
    for (let row = 0; row < rows; row++) {
      const i = region[row]!;
      answers[i] = Answer.MISS;
      if (!marked.isIdle(row)) marked.move(row, seeming++);
      else if (slots[i]! < 0) this.#remember(pages[i]!, weights[i]!, row, this.#resolvedUs);
    }
    asked.count = seeming;
    for (let row = 0; row < seeming; row++) asked.indices[row] = pages[region[row]!]!;
    this.#pagemap.readBatch(asked);
    let there = 0;
    for (let row = 0; row < seeming; row++) {
      if (frameIn(asked, row) === frame[row]) marked.move(row, there++);
      else known.distrust(this.#owner, pages[region[row]!]!, nowUs);
    }
    asked.count = 0;
    for (let row = 0; row < there; row++) {
      if (slots[region[row]!]! < 0) asked.indices[asked.count++] = idleFrame[row]!;
    }
    flags.readBatch(asked);
    let unknown = 0;
    for (let row = 0; row < there; row++) {
      const i = region[row]!;
      const frameFlags = slots[i]! >= 0 ? 0 : asked.halves[2 * unknown++]!;
      const speaks = slots[i]! >= 0 || speaksForPage(frameFlags, idleFrame[row] === frame[row]);
      if (speaks) {
        answers[i] = Answer.HIT;
        this.#remember(pages[i]!, weights[i]!, row, nowUs);
      } else {
        answers[i] = Answer.NONE;
        residence[i] = (frameFlags & ZERO_PAGE) === 0 ? Residence.UNSEEN : Residence.ABSENT;
        this.#kinds.mistaken(pages[i]!);
      }
    }
  }

  /** Does not remember pages that many processes map: their choice and weight are determined anew at every tick. */
  #remember(page: number, weight: number, row: number, atUs: number): void {
    const { frame, idleFrame } = this.#marked;
    if (weight === 1) this.files.known.remember(this.#owner, page, frame[row]!, idleFrame[row]!, atUs);
  }

  readSpace(): AddressSpace {
    this.#kinds.clear();
    const space = this.process.read(this.#isStale ? () => this.#reopen() : undefined);
    // A pagemap opened in the middle of an exec may belong to the old address space.
    this.#isStale = space.status === TargetStatus.STALE;
    return space;
  }

  #reopen(): void {
    const pagemap = this.files.openPagemap(this.process.pid);
    this.#pagemap.close();
    this.#pagemap = pagemap;
    this.#owner = this.files.known.newOwner();
  }

  close(): void {
    this.#pagemap.close();
  }

  #framesHidden(): PagepulseError {
    return new PagepulseError(
      'PERMISSION',
      `the kernel hides the frame numbers of process ${this.process.pid} (pagemap reads 0); run as root or with ` +
        'CAP_SYS_ADMIN',
    );
  }
}
