import { WordFile } from './words.js';

export const IDLE_BITMAP = '/sys/kernel/mm/page_idle/bitmap';

/** Frames that one word speaks for. */
export const FRAMES_PER_WORD = 64;

/**
 * /sys/kernel/mm/page_idle/bitmap (Documentation/admin-guide/mm/idle_page_tracking.rst): a bit a frame, in native
 * 64-bit words at (frame / 64) * 8; since Linux 4.3, with CONFIG_IDLE_PAGE_TRACKING, root only. Only aligned reads
 * and writes of whole words are allowed.
 *
 * Writing a 1 clears the accessed bits in every page table that maps the frame, then marks it idle; zeros leave
 * their frames alone, so one bit can be set without reading the word first. Reading checks all 64 frames: for each
 * idle one the page tables are searched for an access since, which removes its mark. So a read costs a reverse-map walk
 * for each idle neighbour: 64 in long-cold memory, and more visits if processes share them. Cleared bits are handed to
 * reclaim (PG_young), so that watched pages do not look cold to it.
 *
 * Surprises: the tail frames of a compound page, and frames that are on no reclaim list, take no mark and always
 * read 0, like an accessed page (frames.ts identifies them). All users of the bitmap share the marks.
 */
export class IdleBitmap extends WordFile {
  constructor(path = IDLE_BITMAP) {
    super(path, 'r+');
  }
}
