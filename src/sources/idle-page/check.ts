import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { PagepulseError } from '../../core/errors.js';
import { NOT_ASKED } from '../../core/evidence/columns.js';
import { type RegionTable, TargetStatus } from '../../core/region-table.js';
import { pickSparseSamples } from '../../core/sampling.js';
import { turnsFor } from '../../core/turns.js';
import { KPageCount, KPageFlags, NO_IDLE_BIT, speaksForPage, ZERO_PAGE } from '../../kernel/frames.js';
import { IdleBitmap } from '../../kernel/idle-bitmap.js';
import { frameIn, isSharedIn, NOT_PRESENT, Pagemap } from '../../kernel/pagemap.js';
import { hugePagePages } from '../../kernel/support.js';
import type { AccessCheck, CheckCounters } from '../page-check.js';
import { NOT_SAMPLED, SAMPLES } from '../page-check.js';
import type { ProcessSpace } from '../process-space.js';
import { CommonPages } from './common-pages.js';
import { FrameKinds } from './frame-kinds.js';
import { KnownFrames } from './known-frames.js';
import { Marked } from './marked.js';

/** What the check asks of the bitmap. */
export type IdleBits = Pick<IdleBitmap, 'readBatch' | 'writeBatch'>;

/** The files of the whole machine, opened once a sampler and shared by its targets. */
export class IdleFiles {
  readonly hugePages = hugePagePages();
  readonly bitmap: IdleBits;
  readonly flags: KPageFlags;
  readonly mappers = new KPageCount();
  readonly known = new KnownFrames();

  /** @throws the system's error; `supportOf('idle-page')` tells beforehand what it would be */
  constructor(bitmap: IdleBits = new IdleBitmap()) {
    this.bitmap = bitmap;
    this.flags = new KPageFlags(this.hugePages);
  }
}

/**
 * Accessed or not, page by page, through the idle bitmap (src/kernel/idle-bitmap.ts, pagemap.ts and frames.ts say
 * what each file does and costs). File by file, not region by region: so one call reads or writes many words of a file
 * where native/words.c is built, and the code of each reader stays in the caches where it is not.
 */
export class IdlePageCheck implements AccessCheck {
  readonly delivers = 'pages';
  readonly name = 'idle-page';
  #pagemap: Pagemap;
  #marked = new Marked(0);
  readonly #kinds: FrameKinds;
  readonly #common = new CommonPages();
  readonly #salt: number;
  #tick = 0;
  /** This target's number among those of `files.known`. */
  #owner: number;
  /** The monitor's time when frames were asked for. */
  #resolvedUs = 0;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION` */
  constructor(
    readonly process: ProcessSpace,
    readonly files: IdleFiles,
    readonly random: RandomGenerator,
    readonly counters: CheckCounters,
  ) {
    const { pid } = process.target;
    this.#pagemap = new Pagemap(pid);
    this.#kinds = new FrameKinds(files.flags, files.hugePages);
    this.#salt = random.next();
    this.#owner = files.known.newOwner();
  }

  get target() {
    return this.process.target;
  }

  /**
   * Once a tick and target: two system calls a region (pagemap, the bitmap), one where the page's frame is known or the
   * page is not present; one more where others may map it (kpagecount), another where many do, and now and then one to
   * three for kpageflags.
   */
  prepareAccessChecks(table: RegionTable, nowUs: number): void {
    this.resolve(table, nowUs);
    this.mark();
  }

  /** The first half of preparing: picks pages, and finds out which idle bits speak for them. */
  resolve(table: RegionTable, nowUs: number): void {
    const { count, samplePage, startPage, endPage } = table;
    const { known } = this.files;
    if (this.#marked.capacity < table.capacity) this.#marked = new Marked(table.capacity);
    const marked = this.#marked;
    const { asked, mappers } = marked;
    const slots = marked.known;
    this.#resolvedUs = nowUs;
    pickSparseSamples(table, this.random, this.#salt);
    this.#askFrames(table);
    this.#tick++;
    let unsampleable = 0;
    let shared = 0;
    let row = -1;
    marked.clear();
    for (let i = 0; i < count; i++) {
      const page = samplePage[i]!;
      if (page === NOT_ASKED) continue;
      const slot = slots[i]!;
      if (slot >= 0) {
        table.countPresent(i);
        marked.add(i, known.frameAt(slot), known.idleFrameAt(slot));
        continue;
      }
      row++;
      let frame = frameIn(asked, row);
      if (frame === NOT_PRESENT) {
        table.countAbsent(i);
        continue;
      }
      if (frame === 0) throw this.#framesHidden();
      let turns = 1;
      if (isSharedIn(asked, row))
        turns = turnsFor(mappers.halves[2 * shared++]!, table.maxNrAccesses / table.turns);
      // What says nothing in this tick must not be taken for an answer.
      if (turns > 1 && (this.#tick + i) % turns !== 0) {
        table.countPresent(i);
        samplePage[i] = NOT_ASKED;
        continue;
      }
      if (turns > 1) {
        samplePage[i] = this.#common.pick(this.#pagemap, page, frame, startPage[i]!, endPage[i]!);
        frame = this.#common.frame;
      }
      const idleFrame = this.#kinds.idleFrameOf(samplePage[i]!, frame);
      if (idleFrame === NO_IDLE_BIT) {
        unsampleable++;
        samplePage[i] = NOT_ASKED;
        // The zero page is mapped where nothing was ever written: it takes no memory.
        if (this.#kinds.isZeroPage) table.countAbsent(i);
        else table.countUnseen(i);
      } else {
        table.countPresent(i);
        marked.add(i, frame, idleFrame, turns);
      }
    }
    this.counters.counts[NOT_SAMPLED]! += unsampleable;
  }

  /** Asks for the frames of the pages that are not known, and how many map those that others may: a row each, in order. */
  #askFrames(table: RegionTable): void {
    const { count, samplePage } = table;
    const { known, mappers: counts } = this.files;
    const { asked, mappers, known: slots } = this.#marked;
    asked.count = mappers.count = 0;
    for (let i = 0; i < count; i++) {
      const page = samplePage[i]!;
      if (page === NOT_ASKED) continue;
      slots[i] = known.find(this.#owner, page, this.#resolvedUs);
      if (slots[i]! < 0) asked.indices[asked.count++] = page;
    }
    if (this.#pagemap.readBatch(asked) < asked.count) table.status = TargetStatus.STALE;
    for (let row = 0; row < asked.count; row++) {
      const frame = frameIn(asked, row);
      if (frame > 0 && isSharedIn(asked, row)) mappers.indices[mappers.count++] = frame;
    }
    counts.readBatch(mappers);
  }

  /** The second: sets the idle bits that were found. */
  mark(): void {
    this.files.bitmap.writeBatch(this.#marked.words);
  }

  /**
   * Once a tick and target: one system call a present page, another where it seems accessed, and a third where its frame
   * was not known. A frame that the kernel has taken away since (reclaim, migration, exit) looks like that, and so does one
   * that has no idle bit.
   */
  checkAccesses(table: RegionTable, nowUs: number): void {
    const { samplePage } = table;
    const { counts } = this.counters;
    const { known, flags, bitmap } = this.files;
    const marked = this.#marked;
    const { asked, region, frame, idleFrame, weight, known: slots } = marked;
    bitmap.readBatch(marked.words);
    const rows = marked.count;
    let seeming = 0;
    for (let row = 0; row < rows; row++) {
      if (!marked.isIdle(row)) marked.move(row, seeming++);
      else if (slots[region[row]!]! < 0) this.#remember(samplePage[region[row]!]!, row, this.#resolvedUs);
    }
    asked.count = seeming;
    for (let row = 0; row < seeming; row++) asked.indices[row] = samplePage[region[row]!]!;
    this.#pagemap.readBatch(asked);
    let there = 0;
    for (let row = 0; row < seeming; row++) {
      if (frameIn(asked, row) === frame[row]) marked.move(row, there++);
      else known.distrust(this.#owner, samplePage[region[row]!]!, nowUs);
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
        table.countAccess(i, weight[row]!);
        this.#remember(samplePage[i]!, row, nowUs);
      } else {
        counts[NOT_SAMPLED]!++;
        // It was counted as present.
        if ((frameFlags & ZERO_PAGE) === 0) table.unseen[i]!++;
        else table.present[i]!--;
        this.#kinds.mistaken(samplePage[i]!);
        samplePage[i] = NOT_ASKED;
      }
    }
    counts[SAMPLES]! += table.asked;
  }

  /** What many map is not remembered: how often it is asked about, and which of it, is found out every time. */
  #remember(page: number, row: number, atUs: number): void {
    const { weight, frame, idleFrame } = this.#marked;
    if (weight[row] === 1) this.files.known.remember(this.#owner, page, frame[row]!, idleFrame[row]!, atUs);
  }

  updateRanges(table: RegionTable): void {
    this.#kinds.clear();
    this.process.updateRanges(table, () => {
      const pagemap = new Pagemap(this.target.pid);
      this.#pagemap.close();
      this.#pagemap = pagemap;
      this.#owner = this.files.known.newOwner();
    });
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
