import { printable } from '../../core/printable.js';
import { displayName } from '../../processes/mapping-names.js';
import type { ObservedMapping } from '../../record/observed-memory.js';

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
