import type { Mapping } from '../kernel/maps.js';

/**
 * Names that the kernel gives to memory without a file, though they look like the path of a deleted one:
 * mm/shmem.c, ipc/shm.c, mm/memfd.c, fs/hugetlbfs/inode.c, fs/aio.c, fs/anon_inodes.c.
 */
const KERNEL_NAMES: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^\/dev\/zero \(deleted\)$/, '[shared anonymous]'],
  [/^\/SYSV00000000 \(deleted\)$/, '[sysv]'],
  [/^\/SYSV([0-9a-f]{8}) \(deleted\)$/, '[sysv:$1]'],
  [/^\/memfd:(.*) \(deleted\)$/s, '[memfd:$1]'],
  [/^\/anon_hugepage \(deleted\)$/, '[anonymous hugetlb]'],
  [/^\/\[aio\] \(deleted\)$/, '[aio]'],
  [/^anon_inode:(\[.*\])$/s, '$1'],
];

/** The display name of a mapping, from its name in /proc/PID/maps; unnamed memory is `anonymous`. May not be printable. */
export function displayName(name: string): string {
  if (name === '' || name === '/dev/zero') return 'anonymous'; // a private mapping of that device
  if (!name.endsWith(' (deleted)') && !name.startsWith('anon_inode:')) return name;
  for (const [pattern, replacement] of KERNEL_NAMES) {
    if (pattern.test(name)) return name.replace(pattern, replacement);
  }
  return name;
}

/** What most of a range of pages is mapped as. */
export interface NamedRange {
  /** As `displayName` has it; `unmapped` for a range between the mappings. */
  readonly name: string;
  /** Of the largest mapping of that name in it; empty if there is none. */
  readonly permissions: string;
  /** How many other names there are in it. */
  readonly others: number;
}

const UNMAPPED: NamedRange = { name: 'unmapped', permissions: '', others: 0 };

/** @param mappings in address order */
export function namedRange(mappings: readonly Mapping[], startPage: number, endPage: number): NamedRange {
  const first = firstEndingAfter(mappings, startPage);
  const only = mappings[first];
  if (!only || only.startPage >= endPage) return UNMAPPED;
  const next = mappings[first + 1];
  if (!next || next.startPage >= endPage) {
    return { name: displayName(only.name), permissions: only.permissions, others: 0 };
  }
  const { numbers, names, pages, largest, permissions, seen } = namesOf(mappings);
  let count = 0;
  for (let i = first; i < mappings.length; i++) {
    const mapping = mappings[i]!;
    if (mapping.startPage >= endPage) break;
    const overlap = Math.min(mapping.endPage, endPage) - Math.max(mapping.startPage, startPage);
    const name = numbers[i]!;
    if (largest[name] === 0) seen[count++] = name;
    pages[name]! += overlap;
    if (overlap > largest[name]!) {
      largest[name] = overlap;
      permissions[name] = i;
    }
  }
  let most = seen[0]!;
  for (let i = 0; i < count; i++) if (pages[seen[i]!]! > pages[most]!) most = seen[i]!;
  for (let i = 0; i < count; i++) pages[seen[i]!] = largest[seen[i]!] = 0;
  return {
    name: displayName(names[most]!),
    permissions: mappings[permissions[most]!]!.permissions,
    others: count - 1,
  };
}

/** The names of mappings by number, and room for sums of each name. */
interface Names {
  readonly numbers: Uint32Array;
  readonly names: readonly string[];
  readonly pages: Float64Array;
  readonly largest: Float64Array;
  /** The mapping that has them. */
  readonly permissions: Uint32Array;
  readonly seen: Uint32Array;
}

const namesByMappings = new WeakMap<readonly Mapping[], Names>();

/** Every snapshot names its regions over tens of thousands of mappings: with a map keyed by text it would take seconds. */
function namesOf(mappings: readonly Mapping[]): Names {
  const known = namesByMappings.get(mappings);
  if (known?.numbers.length === mappings.length) return known;
  const byName = new Map<string, number>();
  const numbers = new Uint32Array(mappings.length);
  // Loops: the `from` of typed arrays takes twenty times as long, and mappings may change with every snapshot.
  for (let i = 0; i < mappings.length; i++) {
    const { name } = mappings[i]!;
    let number = byName.get(name);
    if (number === undefined) {
      number = byName.size;
      byName.set(name, number);
    }
    numbers[i] = number;
  }
  const count = byName.size;
  const names = {
    numbers,
    names: [...byName.keys()],
    pages: new Float64Array(count),
    largest: new Float64Array(count),
    permissions: new Uint32Array(count),
    seen: new Uint32Array(count),
  };
  namesByMappings.set(mappings, names);
  return names;
}

/** Binary search: a process has up to 65,530 mappings, and every row of a table is looked up. */
function firstEndingAfter(mappings: readonly Mapping[], page: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mappings[middle]!.endPage <= page) low = middle + 1;
    else high = middle;
  }
  return low;
}
