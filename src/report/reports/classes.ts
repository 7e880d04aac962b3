import type { Snapshot } from '../../core/snapshot.js';

/**
 * Where memory is taken to be hot, warm, rare or cold, by its access share: nrAccesses / maxNrAccesses, 0 .. 1. Cold was
 * not accessed at all; what was, but below `warmShare`, is rare. Warm and hot memory are the working set.
 */
export interface AccessLimits {
  /** 0: any access makes it warm. */
  readonly warmShare: number;
  readonly hotShare: number;
}

/** Hot is what half of the samples found accessed. */
export const DEFAULT_LIMITS: AccessLimits = { warmShare: 0, hotShare: 0.5 };

export const CLASSES = ['hot', 'warm', 'rare', 'cold'] as const;
export type AccessClass = (typeof CLASSES)[number];

export function classOf(nrAccesses: number, maxNrAccesses: number, limits: AccessLimits): AccessClass {
  if (nrAccesses === 0) return 'cold';
  const share = nrAccesses / maxNrAccesses;
  return share < limits.warmShare ? 'rare' : share < limits.hotShare ? 'warm' : 'hot';
}

/** For how long a region has been accessed about as it is, or untouched, by the intervals in force. */
export function ageUs({ stats }: Snapshot, age: number): number {
  return age * stats.inForce.attrs.aggrUs;
}
