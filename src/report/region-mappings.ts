import { printable } from '../core/printable.js';
import type { Snapshot } from '../core/snapshot.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { Mapping } from '../kernel/mapping.js';
import { displayName, namedRange } from '../processes/mapping-names.js';
import type { ObservedMapping } from '../record/observed-memory.js';
import { clip, columnsOf } from './terminal-text.js';

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

/**
 * What a range of pages belongs to: the name that most of it is mapped under, and how many other names there are in it
 * (`libc.so.6 +2 more`). Printable, and at most `columns` wide: a path is cut down to its last part where it would be wider.
 *
 * @param mappings in address order
 */
export function nameOfRange(
  mappings: readonly Mapping[],
  startPage: number,
  endPage: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const range = namedRange(mappings, startPage, endPage);
  let name = printable(range.name);
  const others = range.others > 0 ? ` +${range.others} more` : '';
  if (columnsOf(name) + others.length > columns && name.startsWith('/')) {
    name = name.slice(name.lastIndexOf('/') + 1);
  }
  const forName = columns - others.length;
  return forName < 4 ? clip(name, columns) : clip(name, forName) + others;
}

/** What is told together: all mappings of one name, all of one kind, or each mapping by itself. */
export const GROUPINGS = ['name', 'kind', 'mapping'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** `shared` is memory that processes share and no file on a disk has; its pages may be swapped out. */
export type MappingKind =
  | 'heap'
  | 'stack'
  | 'anonymous'
  | 'named'
  | 'shared'
  | 'file'
  | 'kernel'
  | 'reserved';

/** What memory is, by its line in /proc/PID/maps. */
export function kindOf({ name: maps, permissions }: ObservedMapping): MappingKind {
  // Nobody can access it: address space that is kept free.
  if (permissions.startsWith('---')) return 'reserved';
  const name = displayName(maps);
  if (name === 'anonymous') return 'anonymous';
  if (name === '[anonymous hugetlb]') return permissions[3] === 's' ? 'shared' : 'anonymous';
  if (name === '[heap]') return 'heap';
  if (name.startsWith('[stack')) return 'stack';
  if (/^\[(?:shared|sysv|memfd|anon_shmem)\b|^\/dev\/shm\//.test(name)) return 'shared';
  if (name.startsWith('[anon')) return 'named';
  return name.startsWith('[') ? 'kernel' : 'file';
}

/** What a mapping is called in a report; those of one name are told together. Printable. */
export function groupNameOf(mapping: ObservedMapping, grouping: Grouping, pageSize: number): string {
  const kind = kindOf(mapping);
  if (grouping === 'kind') return kind;
  const name = NAMED_BY_ITSELF.has(kind) ? printable(displayName(mapping.name)) : kind;
  return grouping === 'name' ? name : `${(mapping.startPage * pageSize).toString(16)} ${name}`;
}

const NAMED_BY_ITSELF: ReadonlySet<MappingKind> = new Set(['anonymous', 'file', 'named', 'shared', 'kernel']);

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
