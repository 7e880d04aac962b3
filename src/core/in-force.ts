import type { AdaptationLimits } from './adaptation.js';
import { maxNrAccesses, maxSamples } from './attrs.js';
import { limitsFor } from './region-budget.js';
import type { AttrsInForce } from './stats.js';

/**
 * What a monitor works with: decided when its attrs or the number of its targets change, then passed along as it is. `attrs`
 * are as they were chosen.
 */
export interface InForce extends AttrsInForce {
  /** The bounds of the adaptation, for all targets together. */
  readonly limits: AdaptationLimits;
  /** The same as users are told it: with the region limits that this many targets leave. */
  readonly told: AttrsInForce;
}

export function inForceFor({ attrs, reason, turns }: AttrsInForce, targets: number): InForce {
  const chosen = turns === undefined ? { reason } : { reason, turns };
  const told = { attrs: limitsFor(attrs, targets), ...chosen };
  const { maxRegions } = told.attrs;
  const limits = {
    minRegions: attrs.minRegions,
    maxRegions,
    maxNrAccesses: maxNrAccesses(attrs),
    maxSamples: maxSamples(attrs, maxRegions),
  };
  return { attrs, ...chosen, limits, told };
}
