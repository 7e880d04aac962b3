import { mixed, SPARSE_GROUP, sparseGroup } from '../../core/sampling.js';
import { alignDown } from '../../kernel/frames.js';
import { frameOfHalves, isPresentIn, isSharedHigh, type Pagemap } from '../../kernel/pagemap.js';
import { WordRun } from '../../kernel/words.js';

/** A region has about so many pages to be asked about, or all that it has. */
const MIN_CANDIDATES = 4;

/**
 * Of neighbouring pages that many processes map, the one that is asked about: always the same, whichever process is asked
 * for it and wherever it has them.
 *
 * To read a mark visits every process for every frame of its word that is marked: with a hundred workers that ask about
 * other pages of a library each, all 64 are, and one read takes milliseconds. So the choice is by frame number: the frame
 * whose number, mixed, is least, of those that a window of the region holds. Which that is depends on nothing that a
 * program does.
 */
export class CommonPages {
  /** The frame of the page that was picked last. */
  frame = 0;
  readonly #run = new WordRun(SPARSE_GROUP);

  /**
   * Once a sample of a page that many map, whose turn it is: one system call for up to 64 words.
   *
   * @param page in the region [start, end)
   * @param frame of that page
   */
  pick(pagemap: Pick<Pagemap, 'readRun'>, page: number, frame: number, start: number, end: number): number {
    const window = sparseGroup(end - start, MIN_CANDIDATES);
    const aligned = alignDown(page, window);
    const first = Math.max(start, aligned);
    const words = pagemap.readRun(this.#run, first, Math.min(end, aligned + window) - first);
    const { halves } = this.#run;
    let picked = page;
    this.frame = frame;
    let least = mixed(frame, 0) >>> 0;
    for (let i = 0; i < words; i++) {
      const high = halves[2 * i + 1]!;
      if (!isPresentIn(high) || !isSharedHigh(high)) continue;
      const other = frameOfHalves(halves[2 * i]!, high);
      const rank = mixed(other, 0) >>> 0;
      if (rank >= least) continue;
      least = rank;
      picked = first + i;
      this.frame = other;
    }
    return picked;
  }
}

/** A page that up to this many processes map is asked about in every tick. */
const FREELY = 16;
/** However many map it: what is asked about more rarely tells too little of an aggregation interval. */
const MOST_TICKS = 4;

/**
 * In how many ticks a page that `mappers` page tables map is asked about once; the answer then counts as many times. Each of
 * them is visited to mark the page and again to read its mark, so the visits stay about as many as 16 mappers cause.
 *
 * Which tick it is depends on the tick and the region alone, neither of which knows about accesses. So the expected nrAccesses
 * is the same, and only its variance grows. Always a divisor of `ticks`, so that a page that is always accessed counts exactly
 * `ticks`.
 *
 * @param ticks in an aggregation interval
 */
export function ticksBetween(mappers: number, ticks: number): number {
  let between = Math.max(1, Math.min(MOST_TICKS, Math.ceil(mappers / FREELY), ticks));
  while (ticks % between !== 0) between--;
  return between;
}
