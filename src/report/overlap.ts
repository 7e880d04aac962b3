import type { SnapshotColumns } from '../core/snapshot.js';

/**
 * How far two pictures of a process agree on what is accessed: pages that both show accessed, as a share of those that
 * any of them does, 0 .. 1; 1 where neither shows any. Takes pairs of pictures of different processes together.
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

function accessedPages({ startPages, endPages, nrAccesses }: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0; i < startPages.length; i++) if (nrAccesses[i]! > 0) pages += endPages[i]! - startPages[i]!;
  return pages;
}

/** Both are in address order: one pass through the two. */
function sharedPages(a: SnapshotColumns, b: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0, j = 0; i < a.startPages.length && j < b.startPages.length; ) {
    const start = Math.max(a.startPages[i]!, b.startPages[j]!);
    const end = Math.min(a.endPages[i]!, b.endPages[j]!);
    if (end > start && a.nrAccesses[i]! > 0 && b.nrAccesses[j]! > 0) pages += end - start;
    if (a.endPages[i]! < b.endPages[j]!) i++;
    else j++;
  }
  return pages;
}
