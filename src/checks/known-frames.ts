import { mixed } from '../core/sampling.js';

/** A power of two: pages that are remembered, of all targets of a sampler; 2.9 MiB once all are used. */
const SLOTS = 65_536;

/** A frame that has been a page's for some time is taken to be so for another eighth of that without asking. */
const TRUST = 1 / 8;
/** But for no longer than this, however old it is. */
const MOST_US = 4_000_000;
/**
 * Who asks about a frame that is the page's no longer learns nothing, and that counts as not accessed. Some programs give
 * the same pages back and touch them again all the time (malloc and free of large buffers), and now and then get the same
 * frame: so a page that was found in another one is asked about every time for so long.
 */
const DISTRUST_US = 20_000_000;

/**
 * In which frames pages were found, since when, and which idle bits spoke for them, as long as nothing that came later took
 * the place. Only what a check has proved is remembered: the frame carries an idle bit.
 *
 * Each target has a number, and gets another one when what is known of it is to be forgotten.
 */
export class KnownFrames {
  readonly #page = new Float64Array(SLOTS);
  readonly #owner = new Uint32Array(SLOTS);
  readonly #frame = new Float64Array(SLOTS);
  readonly #idleFrame = new Float64Array(SLOTS);
  /** When the page was first and last found in the frame. */
  readonly #firstUs = new Float64Array(SLOTS);
  readonly #lastUs = new Float64Array(SLOTS);
  #owners = 0;

  /** A number for a target of which nothing is known. */
  newOwner(): number {
    this.#owners = this.#owners === 0xffff_ffff ? 1 : this.#owners + 1;
    return this.#owners;
  }

  /**
   * Where the frame of a page is known: for `frameAt` and `idleFrameAt`, until something is remembered; -1 where it is not.
   * Hot: twice a sample.
   */
  find(owner: number, page: number, nowUs: number): number {
    const slot = slotOf(owner, page);
    if (this.#page[slot] !== page || this.#owner[slot] !== owner) return -1;
    const lastUs = this.#lastUs[slot]!;
    const trustUs = Math.min(MOST_US, TRUST * (lastUs - this.#firstUs[slot]!));
    return trustUs > 0 && nowUs - lastUs <= trustUs ? slot : -1;
  }

  frameAt(slot: number): number {
    return this.#frame[slot]!;
  }

  idleFrameAt(slot: number): number {
    return this.#idleFrame[slot]!;
  }

  /** The page was found in this frame at `atUs`. Hot: once a sample. */
  remember(owner: number, page: number, frame: number, idleFrame: number, atUs: number): void {
    const slot = slotOf(owner, page);
    const isThere = this.#page[slot] === page && this.#owner[slot] === owner;
    this.#lastUs[slot] = atUs;
    if (isThere && this.#frame[slot] === frame && this.#idleFrame[slot] === idleFrame) return;
    this.#firstUs[slot] = isThere ? Math.max(atUs, this.#firstUs[slot]!) : atUs;
    this.#page[slot] = page;
    this.#owner[slot] = owner;
    this.#frame[slot] = frame;
    this.#idleFrame[slot] = idleFrame;
  }

  /** The page was found in another frame. */
  distrust(owner: number, page: number, atUs: number): void {
    const slot = slotOf(owner, page);
    if (this.#page[slot] === page && this.#owner[slot] === owner) this.#firstUs[slot] = atUs + DISTRUST_US;
  }
}

function slotOf(owner: number, page: number): number {
  return mixed(page, owner) & (SLOTS - 1);
}
