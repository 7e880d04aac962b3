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
