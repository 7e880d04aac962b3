import type { Snapshot } from '../../core/snapshot.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import { forEachOverlap } from '../region-mappings.js';
import { kindOf } from './mapping-kinds.js';

/**
 * Whether other processes may have accessed the pages of a mapping: those of files are in the page cache, which all that map
 * the file share, and the kernel remembers an access of any of them. Private pages that may be written are taken for own ones.
 */
export function isSharedFile(mapping: ObservedMapping): boolean {
  const { permissions } = mapping;
  return kindOf(mapping) === 'file' && (permissions[3] === 's' || permissions[1] !== 'w');
}

/** Accessed bytes of a snapshot that counts them which lie in such mappings. */
export function sharedFileBytes(
  { columns, pageSize }: Snapshot,
  mappings: readonly ObservedMapping[],
): number | undefined {
  const { accessedPages, startPages, endPages } = columns;
  if (!accessedPages || mappings.length === 0) return undefined;
  let shared = 0;
  forEachOverlap(columns, mappings, (region, mapping, pages) => {
    if (accessedPages[region]! === 0 || !isSharedFile(mappings[mapping]!)) return;
    shared += (accessedPages[region]! * pages) / (endPages[region]! - startPages[region]!);
  });
  return Math.round(shared * pageSize);
}
