import type { AccessRegion } from './access.js';

export const ACCESS_KEYS = ['address', 'size', 'access', 'age', 'mapping'] as const;
export type AccessKey = (typeof ACCESS_KEYS)[number];

/** From one value to another, both included. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Which regions are shown, and in which order. What is left out bounds nothing. */
export interface AccessQuery {
  readonly sort: AccessKey;
  readonly reverse?: boolean;
  /** The region's first byte. */
  readonly address?: Bounds;
  /** Bytes. */
  readonly size?: Bounds;
  /** Shares, 0 .. 1. */
  readonly access?: Bounds;
  /** Microseconds; what has no age is in no bounds. */
  readonly age?: Bounds;
  /** Found in the name. */
  readonly mapping?: RegExp;
}

const VALUES = {
  address: ({ startAddress }: AccessRegion) => startAddress,
  size: ({ sizeBytes }: AccessRegion) => sizeBytes,
  access: ({ accessShare }: AccessRegion) => accessShare,
  age: ({ ageUs }: AccessRegion) => ageUs ?? Number.NaN,
};

/** Addresses and names from the first on, all else from the largest on. */
export function selectRegions(regions: readonly AccessRegion[], query: AccessQuery): AccessRegion[] {
  const chosen = regions.filter(
    (region) =>
      (['address', 'size', 'access', 'age'] as const).every((key) =>
        isWithin(VALUES[key](region), query[key]),
      ) &&
      (query.mapping === undefined || query.mapping.test(region.mapping ?? '')),
  );
  const { sort } = query;
  const sign = query.reverse ? -1 : 1;
  return chosen.sort(
    (a, b) => sign * (compare(a, b, sort) || a.pid - b.pid || a.startAddress - b.startAddress),
  );
}

function compare(a: AccessRegion, b: AccessRegion, sort: AccessKey): number {
  if (sort === 'mapping') return (a.mapping ?? '').localeCompare(b.mapping ?? '', 'en');
  if (sort === 'address') return a.startAddress - b.startAddress;
  const value = VALUES[sort];
  const [ofA, ofB] = [value(a), value(b)].map((each) => (Number.isNaN(each) ? -1 : each)) as [number, number];
  return ofB - ofA;
}

function isWithin(value: number, bounds: Bounds | undefined): boolean {
  return bounds === undefined || (value >= bounds.from && value <= bounds.to);
}
