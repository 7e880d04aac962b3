import { alignDown, FrameKind, type KPageFlags } from '../../kernel/frames.js';

/** A power of two. */
const SLOTS = 4_096;

/**
 * Remembers, for the place of each huge page in a target, what was found there: so that kpageflags is asked once an
 * update interval and place, and not for every sample. What is remembered may be out of date; `IdlePageCheck` looks
 * again wherever a page seems accessed, which is what a frame without a mark looks like, and says so to `mistaken`.
 */
export class FrameKinds {
  /** The first pages of the places. */
  readonly #places = new Float64Array(SLOTS).fill(-1);
  readonly #kinds = new Uint8Array(SLOTS);

  /** @param hugePages pages in a transparent huge page */
  constructor(
    readonly flags: KPageFlags,
    readonly hugePages: number,
  ) {}

  /** The frame whose idle bit speaks for a page in `frame`, or NO_IDLE_BIT. Hot: once a sample. */
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

  /** Whether the frame without an idle bit that was asked about last is the zero page. */
  get isZeroPage(): boolean {
    return this.flags.isZeroPage;
  }

  /** Pages of several kinds lie there: from now on each is asked about. */
  mistaken(page: number): void {
    const place = alignDown(page, this.hugePages);
    this.#remember(this.#slotOf(place), place, FrameKind.OTHER);
  }

  /** Forgets everything: once an update interval. */
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
