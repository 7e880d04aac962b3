import { printable } from '../mapping-names.js';
import type { ObservedMapping } from '../source/observation.js';

/** What is told together: all mappings of one name, all of one kind, or each mapping by itself. */
export const GROUPINGS = ['name', 'kind', 'mapping'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export type MappingKind = 'heap' | 'stack' | 'anonymous' | 'named' | 'file' | 'kernel' | 'reserved';

/** What memory is, by its line in /proc/PID/maps. */
export function kindOf({ name, permissions }: ObservedMapping): MappingKind {
  // Nobody can access it: address space that is kept free.
  if (permissions.startsWith('---')) return 'reserved';
  if (name === '') return 'anonymous';
  if (name === '[heap]') return 'heap';
  if (name.startsWith('[stack')) return 'stack';
  if (name.startsWith('[anon')) return 'named';
  return name.startsWith('[') ? 'kernel' : 'file';
}

/** What a mapping is called in a report; those of one name are told together. Printable. */
export function groupNameOf(mapping: ObservedMapping, grouping: Grouping, pageSize: number): string {
  const kind = kindOf(mapping);
  if (grouping === 'kind') return kind;
  const name = NAMED_BY_ITSELF.has(kind) ? printable(mapping.name) : kind;
  return grouping === 'name' ? name : `${(mapping.startPage * pageSize).toString(16)} ${name}`;
}

const NAMED_BY_ITSELF: ReadonlySet<MappingKind> = new Set(['file', 'named', 'kernel']);
