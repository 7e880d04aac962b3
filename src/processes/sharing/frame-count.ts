import { alignDown, type KPageFlags, NO_PAGE, ZERO_PAGE } from '../../kernel/frames.js';
import { EXCLUSIVE, frameOfHalves, isPresentIn, OF_FILE } from '../../kernel/pagemap.js';
import { WordRun } from '../../kernel/words.js';
import { FrameSet } from './frame-set.js';
import { indexAbove, type PageVisitor } from './pages.js';

/** Spans with at most this many pages between them are read again by one call. */
const JOINED_GAP_PAGES = 256;

/**
 * The first pass: counts the pages of one target after the other, and every frame once.
 *
 * Whether a frame is another target's as well is known only when all have been seen. So the first pass notes which
 * frames several targets have, and where in a target there are pages that others may map (bit 56 says that they
 * cannot: nearly all of most processes); a second one reads these places again (SharedCount). That is cheaper than
 * remembering whose each frame is, which takes 32 times the memory, or than reading everything twice.
 */
export class FrameCount implements PageVisitor {
  /** Frames of all targets so far. */
  readonly resident = new FrameSet();
  /** Frames in their working sets. */
  readonly working = new FrameSet();
  /** Frames of more than one target. */
  readonly several = new FrameSet();
  /** Frames that the current target had first and may share: it can map them twice itself. */
  readonly #own = new FrameSet();
  #workingSet: ArrayLike<number> = [];

  residentPages = 0;
  workingSetPages = 0;
  /** [start, end) pairs of pages of the current target that others may map. */
  spans: number[] = [];

  /** First frame that is not the machine's memory. */
  endFrame = 0;

  constructor(readonly zeros: ZeroFrames) {}

  get allocatedBytes(): number {
    const sets = [this.resident, this.working, this.several, this.#own];
    return sets.reduce((sum, set) => sum + set.allocatedBytes, 0);
  }

  clear(): void {
    for (const set of [this.resident, this.working, this.several]) set.clear();
  }

  /** From now on pages are those of another target. */
  begin(workingSet: ArrayLike<number>): void {
    this.#own.clear();
    this.#workingSet = workingSet;
    this.residentPages = 0;
    this.workingSetPages = 0;
    this.spans = [];
  }

  visit(halves: Int32Array, first: number, count: number): number {
    let present = 0;
    for (let from = 0; from < count; ) {
      const edge = indexAbove(this.#workingSet, first + from);
      const to = edge < this.#workingSet.length ? Math.min(count, this.#workingSet[edge]! - first) : count;
      present += this.#count(halves, first, from, to, edge % 2 === 1);
      from = to;
    }
    return present;
  }

  /** Pages that are all in the working set, or all not. Hot: a few ns a page. */
  #count(halves: Int32Array, first: number, from: number, to: number, isWorking: boolean): number {
    let [present, counted] = [0, 0];
    let [firstMaybe, lastMaybe] = [-1, -1];
    for (let i = from; i < to; i++) {
      const high = halves[2 * i + 1]!;
      if (!isPresentIn(high)) continue;
      present++;
      const frame = frameOfHalves(halves[2 * i]!, high);
      if (frame >= this.endFrame) continue;
      if ((high & EXCLUSIVE) !== 0) {
        this.resident.add(frame);
      } else {
        if ((high & OF_FILE) === 0 && this.zeros.has(frame)) continue;
        if (this.zeros.hasHuge(first + i, frame)) continue;
        if (this.resident.add(frame)) this.#own.add(frame);
        else if (!this.#own.has(frame)) this.several.add(frame);
        if (firstMaybe < 0) firstMaybe = i;
        lastMaybe = i;
      }
      counted++;
      if (isWorking) this.working.add(frame);
    }
    this.residentPages += counted;
    if (isWorking) this.workingSetPages += counted;
    if (firstMaybe >= 0) this.#note(first + firstMaybe, first + lastMaybe + 1);
    return present;
  }

  #note(start: number, end: number): void {
    const last = this.spans.length - 1;
    const before = this.spans[last];
    if (before !== undefined && start >= before && start - before <= JOINED_GAP_PAGES) this.spans[last] = end;
    else this.spans.push(start, end);
  }
}

/** The second pass: counts the pages of a target whose frames several targets have. */
export class SharedCount implements PageVisitor {
  pages = 0;

  constructor(readonly several: FrameSet) {}

  visit(halves: Int32Array, _first: number, count: number): number {
    let present = 0;
    for (let i = 0; i < count; i++) {
      const high = halves[2 * i + 1]!;
      if (!isPresentIn(high)) continue;
      present++;
      if ((high & EXCLUSIVE) !== 0) continue;
      if (this.several.has(frameOfHalves(halves[2 * i]!, high))) this.pages++;
    }
    return present;
  }
}

/** Frames whose flags are read at once: 4 KiB of them. */
const BLOCK_ORDER = 9;
const BLOCK_FRAMES = 2 ** BLOCK_ORDER;

/**
 * Frames in page tables that are not memory of a process: the zero page, the huge zero page, and memory of devices, which
 * has no page. kpageflags is read once for each block of frames: the zero page stays where it is. The huge zero page comes
 * and goes, and is looked for at each huge page's place in every survey.
 */
export class ZeroFrames {
  readonly #frames = new FrameSet();
  readonly #readBlocks = new FrameSet();
  readonly #flags = new WordRun(BLOCK_FRAMES);
  #hugeZeroFrame = -1;

  /** @param hugeFrames frames in a transparent huge page, a power of two */
  constructor(
    readonly kpageflags: KPageFlags,
    readonly hugeFrames: number,
  ) {}

  /** Before a survey: the huge zero page may be another one. */
  forgetHuge(): void {
    this.#hugeZeroFrame = -1;
  }

  /** For frames that pagemap says are neither of a file nor mapped here alone. Hot: once a page that a fork shares. */
  has(frame: number): boolean {
    const block = frame < 2 ** 31 ? frame >>> BLOCK_ORDER : Math.floor(frame / BLOCK_FRAMES);
    if (!this.#readBlocks.has(block)) this.#readBlock(block);
    return this.#frames.has(frame);
  }

  /** Whether a page that others may map lies in the huge zero page. Call it for its first page before. */
  hasHuge(page: number, frame: number): boolean {
    const isFirst = (frame & (this.hugeFrames - 1)) === 0 && alignDown(page, this.hugeFrames) === page;
    if (isFirst && frame !== this.#hugeZeroFrame) {
      if (this.kpageflags.read(frame) && (this.kpageflags.low & ZERO_PAGE) !== 0) this.#hugeZeroFrame = frame;
    }
    const first = this.#hugeZeroFrame;
    return first >= 0 && frame >= first && frame < first + this.hugeFrames;
  }

  #readBlock(block: number): void {
    this.#readBlocks.add(block);
    const first = block * BLOCK_FRAMES;
    const count = this.kpageflags.readRun(this.#flags, first, BLOCK_FRAMES);
    for (let i = 0; i < BLOCK_FRAMES; i++) {
      const flags = i < count ? this.#flags.halves[2 * i]! : NO_PAGE;
      if ((flags & (NO_PAGE | ZERO_PAGE)) !== 0) this.#frames.add(first + i);
    }
  }
}
