import type { SnapshotColumns } from '../core/snapshot.js';
import type { Mapping } from '../kernel/mapping.js';

/**
 * Goes through regions and mappings side by side, and tells of each overlap: a region that spans several mappings is
 * divided among them. Both are in address order, so it is one pass; it is made for every snapshot of a record.
 *
 * @param visit gets the index of the region, that of the mapping, and the pages they share, at least 1
 */
export function forEachOverlap(
  { startPages, endPages }: Pick<SnapshotColumns, 'startPages' | 'endPages'>,
  mappings: readonly Pick<Mapping, 'startPage' | 'endPage'>[],
  visit: (region: number, mapping: number, pages: number) => void,
): void {
  for (let i = 0, j = 0; i < startPages.length && j < mappings.length; ) {
    const mapping = mappings[j]!;
    const start = Math.max(startPages[i]!, mapping.startPage);
    const end = Math.min(endPages[i]!, mapping.endPage);
    if (end > start) visit(i, j, end - start);
    if (endPages[i]! < mapping.endPage) i++;
    else j++;
  }
}
