import { mixed } from '../../core/sampling.js';

/** Pages remembered for all targets of a sampler, a power of two; takes 1.5 MiB. */
const SLOTS = 32_768;

/** A slot is a row of numbers, so that everything about a page lies in one or two cache lines. */
const WIDTH = 6;
const PAGE = 0;
const OWNER = 1;
const FRAME = 2;
const IDLE_FRAME = 3;
/** When the page was first and last found in the frame. */
const FIRST_US = 4;
const LAST_US = 5;

/** A page that has had a frame for some time is assumed to keep it, without another lookup, for an eighth of that time. */
const TRUST = 1 / 8;
/** The longest time without another lookup. */
const MOST_US = 4_000_000;
/**
 * A sample of a frame that the page no longer has counts as not accessed. Some programs keep returning and touching the same
 * pages (malloc and free of large buffers), and occasionally get the same frame again. So a page that changed its frame is
 * looked up every time for this long.
 */
const DISTRUST_US = 20_000_000;

/**
 * Remembers the frame of a page, since when the page has it, and whose idle bit covers it. Newer pages may replace older ones.
 * Only frames that a check has proved to carry an idle bit are remembered.
 *
 * Each target has an owner number. A new number makes the table forget everything about the target.
 */
export class KnownFrames {
  /** Filled, so that it is resident from the start: a monitor's memory must not grow while it runs. */
  readonly #rows = new Float64Array(SLOTS * WIDTH).fill(0);
  #owners = 0;

  /** A new owner number, counted from 1, for a target without remembered frames. */
  newOwner(): number {
    this.#owners++;
    return this.#owners;
  }

  /**
   * The index of a page's frame for `frameAt` and `idleFrameAt`, valid until the next `remember`; -1 if the frame is unknown.
   * Hot: once per sample.
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

  /** The page was in this frame at `atUs`. Hot: once per sample. */
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
