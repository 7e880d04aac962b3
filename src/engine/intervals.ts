import { type Attrs, completeAttrs } from '../core/attrs.js';

/** What the access check of one tick may cost by default, as a share of one core. */
const DEFAULT_SHARE = 0.05;

/** Derived intervals are whole multiples of this: they are read by people. */
const STEP_US = 5_000;

/**
 * The sampling interval in which ticks of this cost take a twentieth of a core, where the default would take more. The
 * aggregation interval stays as many sampling intervals as it was, unless it was given.
 *
 * @param costUs CPU time of a tick, in microseconds, that does not depend on the number of regions
 */
export function derivedAttrs(attrs: Attrs, costUs: number, aggrGiven: boolean): Attrs {
  const sampleUs = Math.max(attrs.sampleUs, Math.ceil(costUs / DEFAULT_SHARE / STEP_US) * STEP_US);
  if (aggrGiven) return completeAttrs({ ...attrs, sampleUs: Math.min(sampleUs, attrs.aggrUs) });
  return completeAttrs({ ...attrs, sampleUs, aggrUs: Math.floor(attrs.aggrUs / attrs.sampleUs) * sampleUs });
}
