import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { accessedPagesOf, sizeOf } from '../core/working-set.js';

/**
 * How far two pictures of a process agree on what is accessed: pages that both show accessed, as a share of those that
 * any of them does, 0 .. 1; 1 where neither shows any. Takes pairs of pictures of different processes together.
 *
 * A region's pages are those that count in the working set, spread over it evenly; of what two pictures show of one place,
 * as much is taken for the same as can be.
 */
export function overlapOf(pairs: Iterable<readonly [SnapshotColumns, SnapshotColumns]>): number {
  let shared = 0;
  let either = 0;
  for (const [a, b] of pairs) {
    const both = sharedPages(a, b);
    shared += both;
    either += accessedPages(a) + accessedPages(b) - both;
  }
  return either === 0 ? 1 : shared / either;
}

function accessedPages(columns: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0; i < columns.startPages.length; i++) pages += accessedPagesOf(columns, i);
  return pages;
}

/** Both are in address order: one pass through the two. */
function sharedPages(a: SnapshotColumns, b: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0, j = 0; i < a.startPages.length && j < b.startPages.length; ) {
    const start = Math.max(a.startPages[i]!, b.startPages[j]!);
    const end = Math.min(a.endPages[i]!, b.endPages[j]!);
    if (end > start)
      pages +=
        (end - start) * Math.min(accessedPagesOf(a, i) / sizeOf(a, i), accessedPagesOf(b, j) / sizeOf(b, j));
    if (a.endPages[i]! < b.endPages[j]!) i++;
    else j++;
  }
  return pages;
}
