import { mixed } from '../../core/sampling.js';

/** A power of two: pages that are remembered, of all targets of a sampler; 1.5 MiB. */
const SLOTS = 32_768;

/** A slot is a row: one line of the processor's cache for all that is asked of a page. */
const WIDTH = 6;
const PAGE = 0;
const OWNER = 1;
const FRAME = 2;
const IDLE_FRAME = 3;
/** When the page was first and last found in the frame. */
const FIRST_US = 4;
const LAST_US = 5;

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
  /** Filled, so that it is resident from the start: what a monitor takes must not grow while it runs. */
  readonly #rows = new Float64Array(SLOTS * WIDTH).fill(0);
  #owners = 0;

  /** A number, from 1 on, for a target of which nothing is known. */
  newOwner(): number {
    this.#owners++;
    return this.#owners;
  }

  /**
   * Where the frame of a page is known: for `frameAt` and `idleFrameAt`, until something is remembered; -1 where it is not.
   * Hot: once a sample.
   */
  find(owner: number, page: number, nowUs: number): number {
    const rows = this.#rows;
    const row = rowOf(owner, page);
    if (rows[row + PAGE] !== page || rows[row + OWNER] !== owner) return -1;
    const lastUs = rows[row + LAST_US]!;
    const trustUs = Math.min(MOST_US, TRUST * (lastUs - rows[row + FIRST_US]!));
    return trustUs > 0 && nowUs - lastUs <= trustUs ? row : -1;
  }

  frameAt(row: number): number {
    return this.#rows[row + FRAME]!;
  }

  idleFrameAt(row: number): number {
    return this.#rows[row + IDLE_FRAME]!;
  }

  /** The page was found in this frame at `atUs`. Hot: once a sample. */
  remember(owner: number, page: number, frame: number, idleFrame: number, atUs: number): void {
    const rows = this.#rows;
    const row = rowOf(owner, page);
    const isThere = rows[row + PAGE] === page && rows[row + OWNER] === owner;
    rows[row + LAST_US] = atUs;
    if (isThere && rows[row + FRAME] === frame && rows[row + IDLE_FRAME] === idleFrame) return;
    rows[row + FIRST_US] = isThere ? Math.max(atUs, rows[row + FIRST_US]!) : atUs;
    rows[row + PAGE] = page;
    rows[row + OWNER] = owner;
    rows[row + FRAME] = frame;
    rows[row + IDLE_FRAME] = idleFrame;
  }

  /** The page was found in another frame. */
  distrust(owner: number, page: number, atUs: number): void {
    const rows = this.#rows;
    const row = rowOf(owner, page);
    if (rows[row + PAGE] === page && rows[row + OWNER] === owner) rows[row + FIRST_US] = atUs + DISTRUST_US;
  }
}

function rowOf(owner: number, page: number): number {
  return (mixed(page, owner) & (SLOTS - 1)) * WIDTH;
}
