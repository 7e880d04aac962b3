import { WordFile } from './words.js';

export const KPAGEFLAGS = '/proc/kpageflags';

/** The frame cannot carry the idle bit. */
export const NO_IDLE_BIT = -1;

const LRU = 1 << 5;
const COMPOUND_HEAD = 1 << 15;
const COMPOUND_TAIL = 1 << 16;
const HUGETLB = 1 << 17;
const THP = 1 << 22;

/** Compound pages are aligned to their size, a power of two up to 2^10 frames here (2^9 is 2 MiB of 4 KiB pages). */
const LARGEST_ORDER = 10;

/**
 * /proc/kpageflags (Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a frame, at frame * 8; root only.
 * Bits used: 5 LRU (on a reclaim list), 15 compound head, 16 compound tail, 17 hugetlb, 22 transparent huge page.
 *
 * Which frame speaks for a page, and whether it can: the idle bit of a compound page is kept by its head alone
 * (since Linux 5.18 as a folio's), and only frames on a reclaim list have one (page_idle.c refuses the others: a
 * page that waits in a processor's batch to be put on the list, the zero page, hugetlb, device memory). A refused
 * frame's bit always reads 0, which is what an access looks like.
 */
export class KPageFlags {
  readonly #words: WordFile;
  readonly #hugeOrder: number;

  /**
   * @param hugePagePages pages in a transparent huge page: the order tried first
   * @throws the system's error
   */
  constructor(hugePagePages: number) {
    this.#words = new WordFile(KPAGEFLAGS);
    this.#hugeOrder = Math.log2(hugePagePages);
  }

  /**
   * The frame whose idle bit speaks for `frame`: itself, or the head of its compound page; NO_IDLE_BIT where none
   * does. One read for a plain page, two for a huge page, up to ten inside other large folios.
   */
  idleFrameOf(frame: number): number {
    const flags = this.#flagsOf(frame);
    if ((flags & COMPOUND_TAIL) === 0) return carriesIdleBit(flags) ? frame : NO_IDLE_BIT;
    if ((flags & HUGETLB) !== 0) return NO_IDLE_BIT;
    if ((flags & THP) !== 0) {
      const head = alignDown(frame, this.#hugeOrder);
      const headFlags = this.#flagsOf(head);
      if ((headFlags & COMPOUND_HEAD) !== 0) return carriesIdleBit(headFlags) ? head : NO_IDLE_BIT;
    }
    // Naturally aligned: every frame between the head and this one is a tail, so the first that is not is the head.
    for (let order = 1; order <= LARGEST_ORDER; order++) {
      const head = alignDown(frame, order);
      const headFlags = this.#flagsOf(head);
      if ((headFlags & COMPOUND_TAIL) !== 0) continue;
      return carriesIdleBit(headFlags) ? head : NO_IDLE_BIT;
    }
    return NO_IDLE_BIT;
  }

  close(): void {
    this.#words.close();
  }

  /** All flags used lie in the low half; 0 (no flag) for a frame that does not exist. */
  #flagsOf(frame: number): number {
    return this.#words.read(frame) ? this.#words.low : 0;
  }
}

function carriesIdleBit(flags: number): boolean {
  return (flags & LRU) !== 0 && (flags & HUGETLB) === 0;
}

/** Frames exceed 32 bits, so this divides instead of masking. */
function alignDown(frame: number, order: number): number {
  const size = 2 ** order;
  return Math.floor(frame / size) * size;
}
