import { printable } from '../core/printable.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { isMemory, type Mapping } from '../kernel/maps.js';
import { displayName, namedRange } from '../processes/mapping-names.js';
import type { ObservedMapping } from '../record/observed-memory.js';
import { clip, columnsOf } from './terminal-text.js';

/**
 * Visits each overlap of a region with a mapping. Both are in address order, so one pass is enough; it is made for every
 * snapshot of a record.
 *
 * @param visit takes the indices of the region and the mapping, and the pages they share, at least 1
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
 * The name that most of a range of pages is mapped under, and the number of other names in it: `libc.so.6 +2 more`.
 * Printable, and at most `columns` wide: a path that is wider is cut to its last part.
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

/** Which mappings form a group: those of one name, those of one kind, or each by itself. */
export const GROUPINGS = ['name', 'kind', 'mapping'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** `shared` is memory that processes share without a file on a disk; its pages may be swapped out. */
export type MappingKind =
  | 'heap'
  | 'stack'
  | 'anonymous'
  | 'named'
  | 'shared'
  | 'file'
  | 'kernel'
  | 'reserved';

/** The kind of a mapping, by its line in /proc/PID/maps. */
export function kindOf({ name: maps, permissions }: Pick<Mapping, 'name' | 'permissions'>): MappingKind {
  // No process can access it: address space that is kept free.
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

/** Whether regions over mapped memory lie over it, as `AccessibleRanges` chooses. */
export function isCovered(mapping: Pick<Mapping, 'name' | 'permissions'>): boolean {
  return kindOf(mapping) !== 'reserved' && isMemory(mapping.name);
}

/** The name of a mapping's group. Printable. */
export function groupNameOf(mapping: ObservedMapping, grouping: Grouping, pageSize: number): string {
  const kind = kindOf(mapping);
  if (grouping === 'kind') return kind;
  const name = NAMED_BY_ITSELF.has(kind) ? printable(displayName(mapping.name)) : kind;
  return grouping === 'name' ? name : `${(mapping.startPage * pageSize).toString(16)} ${name}`;
}

const NAMED_BY_ITSELF: ReadonlySet<MappingKind> = new Set(['anonymous', 'file', 'named', 'shared', 'kernel']);

/**
 * Whether other processes may have accessed the pages of a mapping. All processes that map a file share its pages in the
 * page cache, and the kernel does not remember who accessed them. Private writable pages count as the process's own.
 */
export function isSharedFile(mapping: ObservedMapping): boolean {
  const { permissions } = mapping;
  return kindOf(mapping) === 'file' && (permissions[3] === 's' || permissions[1] !== 'w');
}
