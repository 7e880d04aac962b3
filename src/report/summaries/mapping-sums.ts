import type { MappingKind } from '../region-mappings.js';

/**
 * Mappings that are told together. All bytes are means over the time, of resident memory where it is known what of the
 * regions is resident (since 0.2), else of whole regions. Null is what is not known.
 */
export interface MappingUse {
  readonly name: string;
  readonly kind: MappingKind;
  readonly sizeBytes: number;
  readonly residentBytes: number | null;
  /** Accessed at all in a snapshot's interval. */
  readonly accessedBytes: number | null;
  /** Null also where accesses are counted by mapping: one look a snapshot does not tell how often. */
  readonly hotBytes: number | null;
  readonly warmBytes: number | null;
  readonly rareBytes: number | null;
  readonly coldBytes: number | null;
  /** Resident memory that the check cannot see: neither accessed nor cold. */
  readonly unseenBytes: number | null;
  /** Of accessedBytes, what lies in mappings of files, which other processes may have accessed. */
  readonly sharedFileBytes: number | null;
  /** Resident memory that was cold: at least so much, where what of the regions is resident is not known. */
  readonly coldResidentBytes: number | null;
  /** For how long what was cold at the end had been so, a mean weighted by size; null where nothing was. */
  readonly coldForUs: number | null;
}

export interface MappingsOf {
  /** Of all mappings but reserved ones, which nobody can access. */
  readonly total: MappingUse;
  /** Bytes of address space in regions that lie between the mappings. They count nowhere else. */
  readonly unmappedBytes: number;
  /** By working set (hot and warm, or accessed), then by size. */
  readonly mappings: readonly MappingUse[];
}

/** Of one group of mappings, bytes x microseconds by how they were accessed. */
interface ClassSums {
  hot: number;
  warm: number;
  rare: number;
  cold: number;
  /** In place of hot, warm and rare where accesses are counted. */
  counted: number;
  unseen: number;
  /** In mappings that others may have accessed, in any class but cold. */
  shared: number;
  /** By what the regions say; only a source that counts is exact. */
  countedResident: number;
}

/** What is summed up of one group of mappings: bytes x microseconds. */
export interface Sums extends ClassSums {
  readonly name: string;
  readonly kind: MappingKind;
  size: number;
  resident: number;
  isResidentKnown: boolean;
  /** Something is known of how it was accessed. */
  isKnown: boolean;
  isCounted: boolean;
  /** What of the regions is resident was known. */
  hasMemory: boolean;
  /** In the last snapshot, if that is the one with this number: cold pages, and the sum of their ages in microseconds. */
  last: number;
  lastColdPages: number;
  lastColdAges: number;
}

const CLASS_SUMS = ['hot', 'warm', 'rare', 'cold', 'counted', 'unseen', 'shared', 'countedResident'] as const;

export function groupNamed(groups: Map<string, Sums>, name: string, kind: MappingKind): Sums {
  let sums = groups.get(name);
  if (!sums) {
    sums = emptySums(name, kind);
    groups.set(name, sums);
  }
  return sums;
}

/** Plain numbers: there may be fifty groups of each of hundreds of processes. */
function emptySums(name: string, kind: MappingKind): Sums {
  return {
    name,
    kind,
    size: 0,
    resident: 0,
    isResidentKnown: false,
    isKnown: false,
    isCounted: false,
    hasMemory: false,
    hot: 0,
    warm: 0,
    rare: 0,
    cold: 0,
    counted: 0,
    unseen: 0,
    shared: 0,
    countedResident: 0,
    last: 0,
    lastColdPages: 0,
    lastColdAges: 0,
  };
}

/** @param known what the classes weigh, where less of the time is known of them than of the mappings */
export function addTo(total: Sums, sums: Sums, held: number, known: number): void {
  total.size += held * sums.size;
  total.resident += held * sums.resident;
  total.isResidentKnown ||= sums.isResidentKnown;
  total.isKnown ||= sums.isKnown;
  total.isCounted ||= sums.isCounted;
  total.hasMemory ||= sums.hasMemory;
  for (const name of CLASS_SUMS) total[name] += known * sums[name];
  total.lastColdPages += sums.lastColdPages;
  total.lastColdAges += sums.lastColdAges;
}

export function usesOf(groups: ReadonlyMap<string, Sums>, unmapped: number, us: number): MappingsOf {
  const fitted = Array.from(groups.values(), fittedSums);
  const mappings = fitted.map((sums) => useOf(sums, us));
  mappings.sort((a, b) => workingSetOf(b) - workingSetOf(a) || b.sizeBytes - a.sizeBytes);
  return { total: totalOf(fitted, mappings, us), unmappedBytes: Math.round(unmapped / us), mappings };
}

/** What samples say of a group is never more than what is resident of it. */
function fittedSums(sums: Sums): Sums {
  const { hasMemory, isCounted, isResidentKnown, resident, hot, warm, rare, cold, unseen } = sums;
  if (isCounted) return { ...sums, resident: sums.countedResident, isResidentKnown: true };
  const estimated = hot + warm + rare + cold + unseen;
  if (!hasMemory || !isResidentKnown || estimated <= resident) return sums;
  const fitted = { ...sums };
  for (const name of CLASS_SUMS) fitted[name] *= resident / estimated;
  return fitted;
}

function totalOf(groups: readonly Sums[], uses: readonly MappingUse[], us: number): MappingUse {
  const sums = emptySums('together', 'anonymous');
  for (const group of groups) if (group.kind !== 'reserved') addTo(sums, group, 1, 1);
  // What is surely cold in each of them surely is in all.
  const cold = uses.reduce(
    (sum, { kind, coldResidentBytes }) => sum + (kind === 'reserved' ? 0 : (coldResidentBytes ?? 0)),
    0,
  );
  const total = useOf(sums, us);
  return { ...total, coldResidentBytes: total.coldResidentBytes === null ? null : cold };
}

function useOf(sums: Sums, us: number): MappingUse {
  const { name, kind, isKnown, isCounted, hasMemory, lastColdPages, lastColdAges } = sums;
  const mean = (sum: number) => Math.round(sum / us);
  const known = (sum: number) => (isKnown ? mean(sum) : null);
  const sampled = (sum: number) => (isCounted ? null : known(sum));
  const residentBytes = sums.isResidentKnown ? mean(sums.resident) : null;
  const accessed = mean(sums.hot) + mean(sums.warm) + mean(sums.rare) + mean(sums.counted);
  const spare = Math.max(0, Math.min(mean(sums.cold), (residentBytes ?? 0) - accessed));
  const isColdKnown = isKnown && (hasMemory || residentBytes !== null);
  return {
    name,
    kind,
    sizeBytes: mean(sums.size),
    residentBytes,
    accessedBytes: isKnown ? accessed : null,
    hotBytes: sampled(sums.hot),
    warmBytes: sampled(sums.warm),
    rareBytes: sampled(sums.rare),
    coldBytes: known(sums.cold),
    unseenBytes: hasMemory ? mean(sums.unseen) : null,
    sharedFileBytes: known(sums.shared),
    coldResidentBytes: isColdKnown ? (hasMemory ? mean(sums.cold) : spare) : null,
    coldForUs: lastColdPages > 0 ? Math.round(lastColdAges / lastColdPages) : null,
  };
}

/** What was hot or warm, or where accesses are counted, all that was accessed; 0 where nothing is known. */
export function workingSetOf({ hotBytes, warmBytes, accessedBytes }: MappingUse): number {
  return hotBytes === null || warmBytes === null ? (accessedBytes ?? 0) : hotBytes + warmBytes;
}
