import type { MappingKind } from '../region-mappings.js';

/**
 * From which access share on (nrAccesses / maxNrAccesses, 0 .. 1) memory is warm, and hot. Memory that was accessed, but
 * less, is rare; cold memory was not accessed at all. Warm and hot memory are the working set.
 */
export interface AccessLimits {
  /** 0: any access makes it warm. */
  readonly warmShare: number;
  readonly hotShare: number;
}

export const DEFAULT_LIMITS: AccessLimits = { warmShare: 0, hotShare: 0.5 };

export function classOf(
  nrAccesses: number,
  maxNrAccesses: number,
  { warmShare, hotShare }: AccessLimits,
): 'hot' | 'warm' | 'rare' | 'cold' {
  if (nrAccesses === 0) return 'cold';
  const share = nrAccesses / maxNrAccesses;
  return share < warmShare ? 'rare' : share < hotShare ? 'warm' : 'hot';
}

/**
 * How the mappings of one group are used. Bytes are means over the time: of resident memory if it is known how much of
 * each region is resident (records since 0.2), else of whole regions. Null is not known.
 */
export interface MappingUse {
  readonly name: string;
  readonly kind: MappingKind;
  readonly sizeBytes: number;
  readonly residentBytes: number | null;
  /** Accessed at all in a snapshot's interval. */
  readonly accessedBytes: number | null;
  /** Null also if accesses are counted by mapping: one look a snapshot does not tell how often. */
  readonly hotBytes: number | null;
  readonly warmBytes: number | null;
  readonly rareBytes: number | null;
  readonly coldBytes: number | null;
  /** Resident memory that the check cannot see: neither accessed nor cold. */
  readonly unseenBytes: number | null;
  /** The part of accessedBytes in mappings of files, which other processes may have accessed. */
  readonly sharedFileBytes: number | null;
  /** Resident memory that was cold: at least this much if the resident part of regions is not known. */
  readonly coldResidentBytes: number | null;
  /** For how long the memory that was cold at the end had been cold, weighted by size; null without any. */
  readonly coldForUs: number | null;
}

export interface MappingsOf {
  /** Of all mappings but the reserved ones, which no process can access. */
  readonly total: MappingUse;
  /** Bytes of regions that lie between the mappings. They count nowhere else. */
  readonly unmappedBytes: number;
  /** By working set (hot and warm, or accessed), then by size. */
  readonly mappings: readonly MappingUse[];
}

const CLASS_SUMS = ['hot', 'warm', 'rare', 'cold', 'counted', 'unseen', 'shared', 'countedResident'] as const;

/**
 * Bytes x microseconds of one group. `counted` takes the place of hot, warm and rare if accesses are counted; `shared` is
 * what other processes may have accessed; `countedResident` is resident by the regions, exact if accesses are counted.
 */
export interface GroupSums extends Record<(typeof CLASS_SUMS)[number], number> {
  readonly name: string;
  readonly kind: MappingKind;
  size: number;
  resident: number;
  isResidentKnown: boolean;
  /** Whether anything is known of its accesses. */
  isKnown: boolean;
  isCounted: boolean;
  /** Whether the resident part of regions is known. */
  hasMemory: boolean;
  /** The number of the last snapshot in which it had cold pages: how many, and the sum of their ages in microseconds. */
  last: number;
  lastColdPages: number;
  lastColdAges: number;
}

export function groupNamed(groups: Map<string, GroupSums>, name: string, kind: MappingKind): GroupSums {
  let sums = groups.get(name);
  if (!sums) {
    sums = emptySums(name, kind);
    groups.set(name, sums);
  }
  return sums;
}

function emptySums(name: string, kind: MappingKind): GroupSums {
  return {
    ...{ name, kind, size: 0, resident: 0 },
    ...{ isResidentKnown: false, isKnown: false, isCounted: false, hasMemory: false },
    ...{ hot: 0, warm: 0, rare: 0, cold: 0, counted: 0, unseen: 0, shared: 0, countedResident: 0 },
    ...{ last: 0, lastColdPages: 0, lastColdAges: 0 },
  };
}

/** Adds all but the last snapshot, weighted: classes by `known`, for less of the time may be known of them. */
export function addScaled(total: GroupSums, sums: GroupSums, held: number, known: number): void {
  total.size += held * sums.size;
  total.resident += held * sums.resident;
  total.isResidentKnown ||= sums.isResidentKnown;
  total.isKnown ||= sums.isKnown;
  total.isCounted ||= sums.isCounted;
  total.hasMemory ||= sums.hasMemory;
  for (const name of CLASS_SUMS) total[name] += known * sums[name];
}

/** @param us the time over which the sums were taken */
export function usesOf(groups: ReadonlyMap<string, GroupSums>, unmapped: number, us: number): MappingsOf {
  const total = emptySums('total', 'anonymous');
  // Memory that is surely cold in one group is surely cold in all.
  let surelyCold = 0;
  const mappings = Array.from(groups.values(), (group) => {
    const sums = fitted(group);
    const use = useOf(sums, us);
    if (group.kind !== 'reserved') {
      addScaled(total, sums, 1, 1);
      total.lastColdPages += sums.lastColdPages;
      total.lastColdAges += sums.lastColdAges;
      surelyCold += use.coldResidentBytes ?? 0;
    }
    return use;
  }).sort((a, b) => workingSetOf(b) - workingSetOf(a) || b.sizeBytes - a.sizeBytes);
  const all = useOf(total, us);
  return {
    total: { ...all, coldResidentBytes: all.coldResidentBytes === null ? null : surelyCold },
    unmappedBytes: Math.round(unmapped / us),
    mappings,
  };
}

/** Scaled down so that the estimates from samples do not exceed the resident memory that was read. */
function fitted(sums: GroupSums): GroupSums {
  const { hasMemory, isCounted, isResidentKnown, resident, hot, warm, rare, cold, unseen } = sums;
  if (isCounted) return { ...sums, resident: sums.countedResident, isResidentKnown: true };
  const estimated = hot + warm + rare + cold + unseen;
  if (!hasMemory || !isResidentKnown || estimated <= resident) return sums;
  const scaled = { ...sums };
  for (const name of CLASS_SUMS) scaled[name] *= resident / estimated;
  return scaled;
}

function useOf(sums: GroupSums, us: number): MappingUse {
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

/** Hot and warm memory, or all accessed memory if accesses are counted; 0 if nothing is known. */
export function workingSetOf({ hotBytes, warmBytes, accessedBytes }: MappingUse): number {
  return hotBytes === null || warmBytes === null ? (accessedBytes ?? 0) : hotBytes + warmBytes;
}
