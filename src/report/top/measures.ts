import type { Snapshot } from '../../core/snapshot.js';

/** Memory that was not accessed for so long is cold. */
export const COLD_US = 300e6;
/** Regions that were found accessed in at least this share of the samples are hot. */
export const HOT_SHARE = 0.5;

/** What a snapshot says of a process in a few numbers. Bytes of regions, which may hold pages that are not resident. */
export interface Measures {
  /** In regions that were accessed at all in the last aggregation interval. */
  readonly workingSetBytes: number;
  /** In regions that were found accessed in at least half of its samples. */
  readonly hotBytes: number;
  /** In regions that were not accessed for 5 minutes or more. */
  readonly coldBytes: number;
}

/** One pass over the regions, some nanoseconds each, once a snapshot. */
export function measure({ columns, maxNrAccesses, pageSize, stats }: Snapshot): Measures {
  const { startPages, endPages, nrAccesses, ages } = columns;
  const hotFrom = maxNrAccesses * HOT_SHARE;
  const coldFrom = COLD_US / stats.inForce.attrs.aggrUs;
  let accessedPages = 0;
  let hotPages = 0;
  let coldPages = 0;
  for (let i = 0; i < startPages.length; i++) {
    const pages = endPages[i]! - startPages[i]!;
    const count = nrAccesses[i]!;
    if (count > 0) accessedPages += pages;
    if (count > 0 && count >= hotFrom) hotPages += pages;
    if (count === 0 && ages[i]! >= coldFrom) coldPages += pages;
  }
  return {
    workingSetBytes: accessedPages * pageSize,
    hotBytes: hotPages * pageSize,
    coldBytes: coldPages * pageSize,
  };
}
