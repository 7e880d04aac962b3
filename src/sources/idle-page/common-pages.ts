import { mixed, SPARSE_GROUP, sparseGroup } from '../../core/sampling.js';
import { alignDown } from '../../kernel/frames.js';
import { frameOfHalves, isPresentIn, isSharedHigh, type Pagemap } from '../../kernel/pagemap.js';
import { WordRun } from '../../kernel/words.js';

/** About the fewest candidate pages of a region; a smaller region uses all of its pages. */
const MIN_CANDIDATES = 4;

/**
 * Chooses which of several neighbouring pages with many mappers is sampled. It is always the same page, in every process and
 * wherever the process has mapped it.
 *
 * Reading a mark visits every process for every marked frame in the same word. If a hundred workers each sampled different
 * pages of a library, all 64 frames would be marked and one read would take milliseconds. So the choice is by frame number:
 * the frame in a window of the region whose hash is least. It does not depend on what a program does.
 */
export class CommonPages {
  /** The frame of the last picked page. */
  frame = 0;
  readonly #run = new WordRun(SPARSE_GROUP);

  /**
   * Called for each due sample of a page with many mappers. One system call for up to 64 words.
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

/** A page with up to this many mappers is sampled in every tick. */
const FREELY = 16;
/** The limit, however many mappers there are: rarer samples say too little about an aggregation interval. */
const MOST_TICKS = 4;

/**
 * The number of ticks between two samples of a page in `mappers` page tables. Each answer then counts that many times. Marking
 * a page and reading its mark both visit every mapper, so this keeps the visits at about those of 16 mappers.
 *
 * The tick is chosen by tick number and region alone, independently of accesses. So the expected nrAccesses stays the same and
 * only its variance grows. The result always divides `ticks`, so that a page that is always accessed counts exactly `ticks`.
 *
 * @param ticks in an aggregation interval
 */
export function ticksBetween(mappers: number, ticks: number): number {
  let between = Math.max(1, Math.min(MOST_TICKS, Math.ceil(mappers / FREELY), ticks));
  while (ticks % between !== 0) between--;
  return between;
}
