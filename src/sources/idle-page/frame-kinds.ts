import { alignDown, FrameKind, type KPageFlags } from '../../kernel/frames.js';

/** A power of two. */
const SLOTS = 4_096;

/**
 * Remembers the kind of frames in each place where a huge page can lie. So kpageflags is read once per update interval and
 * place, not for every sample. The memory may be out of date: a frame without a mark seems accessed. So `IdlePageCheck` checks
 * pages that seem accessed again, and reports errors to `mistaken`.
 */
export class FrameKinds {
  /** The first page of each place. */
  readonly #places = new Float64Array(SLOTS).fill(-1);
  readonly #kinds = new Uint8Array(SLOTS);

  /** @param hugePages pages in a transparent huge page */
  constructor(
    readonly flags: KPageFlags,
    readonly hugePages: number,
  ) {}

  /** The frame whose idle bit covers a page in `frame`, or NO_IDLE_BIT. Hot: once per sample. */
  idleFrameOf(page: number, frame: number): number {
    const place = alignDown(page, this.hugePages);
    const slot = this.#slotOf(place);
    const isKnown = this.#places[slot] === place;
    if (isKnown && this.#kinds[slot] === FrameKind.PLAIN) return frame;
    if (isKnown && this.#kinds[slot] === FrameKind.HUGE) return alignDown(frame, this.hugePages);
    const idleFrame = this.flags.idleFrameOf(frame);
    if (!isKnown) this.#remember(slot, place, this.flags.kind);
    return idleFrame;
  }

  /** Whether the last frame found without an idle bit is the zero page. */
  get isZeroPage(): boolean {
    return this.flags.isZeroPage;
  }

  /** This place has pages of several kinds: from now on, kpageflags is read for each of them. */
  mistaken(page: number): void {
    const place = alignDown(page, this.hugePages);
    this.#remember(this.#slotOf(place), place, FrameKind.OTHER);
  }

  /** Forgets everything; called once per update interval. */
  clear(): void {
    this.#places.fill(-1);
  }

  #slotOf(place: number): number {
    return (place / this.hugePages) & (SLOTS - 1);
  }

  #remember(slot: number, place: number, kind: FrameKind): void {
    this.#places[slot] = place;
    this.#kinds[slot] = kind;
  }
}
