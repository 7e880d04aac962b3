import { WordFile } from './words.js';

export const KPAGECOUNT = '/proc/kpagecount';

/**
 * /proc/kpagecount (Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a frame, at frame * 8: how many page
 * tables map it. Root only. Reading an idle bit costs a walk through all of them, which is what this is asked for.
 * Surprise: kernels built without per-page map counts (CONFIG_PAGE_MAPCOUNT off, from 6.16) answer with an average
 * over the large folio.
 */
export class KPageCount extends WordFile {
  constructor() {
    super(KPAGECOUNT);
  }

  /** How many times the frame is mapped; 0 for a frame that does not exist. */
  mapCountOf(frame: number): number {
    return this.read(frame) ? this.low : 0;
  }
}
