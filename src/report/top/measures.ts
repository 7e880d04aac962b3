import type { Snapshot } from '../../core/snapshot.js';
import { accessedPagesOf, coldPagesOf } from '../../core/working-set.js';

/** Memory that was not accessed for so long is cold. */
export const COLD_US = 300e6;
/** Regions that were found accessed in at least this share of the samples are hot. */
export const HOT_SHARE = 0.5;

/** What a snapshot says of a process in a few numbers; of what is resident, where the snapshot tells that. */
export interface Measures {
  /** In regions that were accessed at all in the last aggregation interval. */
  readonly workingSetBytes: number;
  /** In regions that were found accessed in at least half of its samples; undefined where there is one look an interval. */
  readonly hotBytes: number | undefined;
  /** In regions that were not accessed for 5 minutes or more. */
  readonly coldBytes: number;
  /** Resident, and not to be seen; undefined where that is not known. */
  readonly unseenBytes: number | undefined;
}

/** One pass over the regions, some nanoseconds each, once a snapshot. */
export function measure(snapshot: Snapshot): Measures {
  const { columns, maxNrAccesses, pageSize, stats } = snapshot;
  const { startPages, nrAccesses, ages, accessedPages, unseenPages } = columns;
  const hotFrom = maxNrAccesses * HOT_SHARE;
  const coldFrom = COLD_US / stats.inForce.attrs.aggrUs;
  let hotPages = 0;
  let coldPages = 0;
  for (let i = 0; i < startPages.length; i++) {
    const count = nrAccesses[i]!;
    if (count > 0 && count >= hotFrom) hotPages += accessedPagesOf(columns, i);
    if (count === 0 && ages[i]! >= coldFrom) coldPages += coldPagesOf(columns, i);
  }
  const workingSetBytes = snapshot.workingSetBytes();
  return {
    workingSetBytes,
    hotBytes: accessedPages ? undefined : Math.min(workingSetBytes, Math.round(hotPages * pageSize)),
    coldBytes: Math.round(coldPages * pageSize),
    unseenBytes: unseenPages ? snapshot.unseenBytes() : undefined,
  };
}
