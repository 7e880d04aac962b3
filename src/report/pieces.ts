import type { Snapshot } from '../core/snapshot.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { ObservedMapping } from '../record/observed-memory.js';
import { isCovered } from './region-mappings.js';

const cut = new WeakMap<SnapshotColumns, SnapshotColumns>();

/**
 * The regions of a snapshot as ranges of addresses without gaps: what reports by address count. A region that reaches over
 * gaps is cut into the parts of it that are mapped, and its bytes are divided by their sizes. Without mappings it stays whole.
 * Made once for each snapshot, in one pass over regions and mappings.
 */
export function piecesOf({ columns }: Snapshot, mappings: readonly ObservedMapping[]): SnapshotColumns {
  if (!columns.mappedPages) return columns;
  let pieces = cut.get(columns);
  if (!pieces) {
    pieces = cutAtGaps(columns, mappings);
    cut.set(columns, pieces);
  }
  return pieces;
}

function cutAtGaps(columns: SnapshotColumns, mappings: readonly ObservedMapping[]): SnapshotColumns {
  const { startPages, endPages } = columns;
  const regions: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const covered = new Float64Array(startPages.length);
  let first = 0;
  for (let i = 0; i < startPages.length; i++) {
    const [regionStart, regionEnd] = [startPages[i]!, endPages[i]!];
    while (first < mappings.length && mappings[first]!.endPage <= regionStart) first++;
    const from = regions.length;
    for (let m = first; m < mappings.length && mappings[m]!.startPage < regionEnd; m++) {
      if (!isCovered(mappings[m]!)) continue;
      const start = Math.max(regionStart, mappings[m]!.startPage);
      const end = Math.min(regionEnd, mappings[m]!.endPage);
      const last = regions.length - 1;
      if (last >= from && ends[last] === start) ends[last] = end;
      else {
        regions.push(i);
        starts.push(start);
        ends.push(end);
      }
      covered[i]! += end - start;
    }
    if (regions.length > from) continue;
    regions.push(i);
    starts.push(regionStart);
    ends.push(regionEnd);
    covered[i] = regionEnd - regionStart;
  }
  const part = (at: number) => (ends[at]! - starts[at]!) / covered[regions[at]!]!;
  const divided = (column: Float64Array) => Float64Array.from(regions, (i, at) => column[i]! * part(at));
  const repeated = (column: Uint32Array) => Uint32Array.from(regions, (i) => column[i]!);
  const { samples, deviations, unlike, residentPages, unseenPages } = columns;
  return {
    startPages: Float64Array.from(starts),
    endPages: Float64Array.from(ends),
    nrAccesses: repeated(columns.nrAccesses),
    ages: repeated(columns.ages),
    ...(samples && { samples: repeated(samples) }),
    // Only the first piece begins where the region does.
    ...(deviations && {
      deviations: Float32Array.from(regions, (i, at) => (regions[at - 1] === i ? 0 : deviations[i]!)),
    }),
    ...(unlike && { unlike: Float32Array.from(regions, (i, at) => unlike[i]! * part(at)) }),
    ...(residentPages && { residentPages: divided(residentPages) }),
    ...(unseenPages && { unseenPages: divided(unseenPages) }),
  };
}
