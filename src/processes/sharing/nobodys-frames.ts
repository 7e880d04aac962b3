import { alignDown, type KPageFlags, NO_PAGE, ZERO_PAGE } from '../../kernel/kpageflags.js';
import { WordRun } from '../../kernel/words.js';
import { FrameSet } from './frame-set.js';

/** Frames asked about at once: whose flags are 4 KiB. */
const BLOCK_ORDER = 9;
const BLOCK_FRAMES = 2 ** BLOCK_ORDER;

/**
 * The frames that page tables name and that are nobody's memory: the zero page, the huge zero page, and memory of
 * devices, which has no page. kpageflags tells, and is asked about each block of frames once and never again: the zero
 * page stays where it is. The huge zero page comes and goes, and is asked for at each huge page's place of a survey.
 */
export class NobodysFrames {
  readonly #frames = new FrameSet();
  readonly #askedBlocks = new FrameSet();
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
    if (!this.#askedBlocks.has(block)) this.#ask(block);
    return this.#frames.has(frame);
  }

  /** Whether a page that others may map lies in the huge zero page. Its first page has to be asked about before. */
  hasHuge(page: number, frame: number): boolean {
    const isFirst = (frame & (this.hugeFrames - 1)) === 0 && alignDown(page, this.hugeFrames) === page;
    if (isFirst && frame !== this.#hugeZeroFrame) {
      if (this.kpageflags.read(frame) && (this.kpageflags.low & ZERO_PAGE) !== 0) this.#hugeZeroFrame = frame;
    }
    const first = this.#hugeZeroFrame;
    return first >= 0 && frame >= first && frame < first + this.hugeFrames;
  }

  #ask(block: number): void {
    this.#askedBlocks.add(block);
    const first = block * BLOCK_FRAMES;
    const count = this.kpageflags.readRun(this.#flags, first, BLOCK_FRAMES);
    for (let i = 0; i < BLOCK_FRAMES; i++) {
      const flags = i < count ? this.#flags.halves[2 * i]! : NO_PAGE;
      if ((flags & (NO_PAGE | ZERO_PAGE)) !== 0) this.#frames.add(first + i);
    }
  }
}
