import { readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';
import { WordFile } from './words.js';

export const KPAGEFLAGS = '/proc/kpageflags';

/** The frame cannot carry the idle bit. */
export const NO_IDLE_BIT = -1;

const LRU = 1 << 5;
const COMPOUND_HEAD = 1 << 15;
const COMPOUND_TAIL = 1 << 16;
const HUGETLB = 1 << 17;
/** There is no page for this frame: a hole, or memory of a device. */
export const NO_PAGE = 1 << 20;
/** The zero page, or a part of the huge zero page (since Linux 4.0). */
export const ZERO_PAGE = 1 << 24;

/** Compound pages are aligned to their size, a power of two up to 2^10 frames here (2^9 is 2 MiB of 4 KiB pages). */
const LARGEST_ORDER = 10;

/** What a frame is part of. */
export const FrameKind = {
  /** A page of its own. */
  PLAIN: 0,
  /** A transparent huge page, or a larger folio: the frame at a huge page's boundary speaks for it. */
  HUGE: 1,
  /** Any other compound page, or a frame that has no idle bit. */
  OTHER: 2,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/**
 * /proc/kpageflags (Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a frame, at frame * 8; root only.
 * Bits used: 5 LRU (on a reclaim list), 15 compound head, 16 compound tail, 17 hugetlb, 20 no page, 24 zero
 * page. All lie in the low half.
 *
 * Which frame speaks for a page, and whether it can: the idle bit of a compound page is kept by its head alone
 * (since Linux 5.18 as a folio's), and only frames on a reclaim list have one (page_idle.c refuses the others: a
 * page that waits in a processor's batch to be put on the list, the zero page, hugetlb, device memory). A refused
 * frame's bit always reads 0, which is what an access looks like.
 */
export class KPageFlags extends WordFile {
  /** What the frame last asked about is part of. */
  kind: FrameKind = FrameKind.OTHER;
  /** Whether it is the zero page, which belongs to no process. */
  isZeroPage = false;
  readonly #hugeFrames: number;

  /**
   * @param hugeFrames frames in a transparent huge page
   * @throws the system's error
   */
  constructor(hugeFrames: number, path = KPAGEFLAGS) {
    super(path);
    this.#hugeFrames = hugeFrames;
  }

  /**
   * The frame whose idle bit speaks for `frame`: itself, or the head of its compound page; NO_IDLE_BIT if none
   * does. Sets `kind` and `isZeroPage`. One read for a plain page, three for a huge page, up to ten inside other large folios.
   */
  idleFrameOf(frame: number): number {
    this.kind = FrameKind.OTHER;
    const flags = this.#flagsOf(frame);
    this.isZeroPage = (flags & ZERO_PAGE) !== 0;
    if ((flags & COMPOUND_TAIL) === 0) {
      if (!carriesIdleBit(flags)) return NO_IDLE_BIT;
      if ((flags & COMPOUND_HEAD) === 0) this.kind = FrameKind.PLAIN;
      return frame;
    }
    if ((flags & HUGETLB) !== 0) return NO_IDLE_BIT;
    // Naturally aligned: only a page of at least this size reaches across the middle of a huge page's place.
    const huge = alignDown(frame, this.#hugeFrames);
    const isHuge = (this.#flagsOf(huge + this.#hugeFrames / 2) & COMPOUND_TAIL) !== 0;
    // Every frame between the head and this one is a tail, so the first that is not is the head.
    for (let frames = isHuge ? this.#hugeFrames : 2; frames <= 2 ** LARGEST_ORDER; frames *= 2) {
      const head = alignDown(frame, frames);
      const headFlags = this.#flagsOf(head);
      if ((headFlags & COMPOUND_TAIL) !== 0) continue;
      if (!carriesIdleBit(headFlags)) return NO_IDLE_BIT;
      if (head === huge && isHuge) this.kind = FrameKind.HUGE;
      return head;
    }
    return NO_IDLE_BIT;
  }

  /** All flags used lie in the low half; 0 (no flag) for a frame that does not exist. */
  #flagsOf(frame: number): number {
    return this.read(frame) ? this.low : 0;
  }
}

/** Whether a frame with these flags speaks for a page in another frame, or in itself. */
export function speaksForPage(flags: number, isItself: boolean): boolean {
  const isRightPart = isItself ? (flags & COMPOUND_TAIL) === 0 : (flags & COMPOUND_HEAD) !== 0;
  return isRightPart && carriesIdleBit(flags);
}

function carriesIdleBit(flags: number): boolean {
  return (flags & LRU) !== 0 && (flags & HUGETLB) === 0;
}

/** @param frames a power of two. The mask takes the low 32 bits of a frame number of any size. */
export function alignDown(frame: number, frames: number): number {
  return frame - (frame & (frames - 1));
}

/**
 * /proc/kpagecount (Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a frame, at frame * 8: how many page
 * tables map it. Root only. Reading an idle bit costs a walk through all of them, which is why this is read.
 * Surprise: kernels built without per-page map counts (CONFIG_PAGE_MAPCOUNT off, from 6.16) answer with an average
 * over the large folio.
 */
export class KPageCount extends WordFile {
  constructor(path = '/proc/kpagecount') {
    super(path);
  }

  /** How many times the frame is mapped; 0 for a frame that does not exist. */
  mapCountOf(frame: number): number {
    return this.read(frame) ? this.low : 0;
  }
}

/**
 * The first frame number above all memory of the machine, from /proc/zoneinfo (proc(5)): a block a zone, which begins
 * with `Node 0, zone   Normal` and says how many frames the zone spans, holes included (`spanned`), and its first
 * (`start_pfn`). Readable by all users. Zone `Device` is left out: memory of devices is not the machine's, and may lie
 * anywhere. Memory that is added while the machine runs makes a zone grow.
 *
 * @throws the system's error
 */
export function readEndFrame(): number {
  return parseEndFrame(readTextFile('/proc/zoneinfo', SYSTEM_FILE_LIMIT));
}

const FIELD = /(?:^|\n)(?:Node \d+, zone +(\S+)| +(spanned|start_pfn:?) +(\d+))/g;

export function parseEndFrame(text: string): number {
  let [endFrame, zone, spanned] = [0, '', 0];
  for (const [, name, field, value] of text.matchAll(FIELD)) {
    if (name !== undefined) {
      [zone, spanned] = [name, 0];
    } else if (field === 'spanned') {
      spanned = Number(value);
    } else if (zone !== 'Device' && spanned > 0) {
      endFrame = Math.max(endFrame, Number(value) + spanned);
    }
  }
  return endFrame;
}
