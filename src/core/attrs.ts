import type { AdaptationName } from './adaptation.js';
import { PagepulseError } from './errors.js';
import { brokenRule, integerIn, numberIn, type RulesOf } from './rules.js';

/** DAMON's monitoring attributes: intervals in microseconds, and limits on the number of regions. */
export interface Attrs {
  /** Sampling interval, 1 us to 1 day: each region has one page checked per interval. Default 5,000. */
  readonly sampleUs: number;
  /** Aggregation interval, up to 1 day: ends with a snapshot. Rounded down to whole sampling intervals. Default 100,000. */
  readonly aggrUs: number;
  /** Update interval, 1 us to 1 day: how often the mappings of the targets are read again. Default 1,000,000. */
  readonly updateUs: number;
  /** Fewest regions per target, if its size allows. From 3 to 1,000,000. Default 10. */
  readonly minRegions: number;
  /** Most regions of all targets together. From 3 to 1,000,000, and at least minRegions. Default 1,000. */
  readonly maxRegions: number;
  /**
   * Most samples per second over all targets, from 1 to 10^9. Only the `evidence` adaptation accepts it, because it need not
   * sample every region in every interval. It holds from the second aggregation interval on. Default: maxRegions samples per
   * sampling interval.
   */
  readonly maxSamplesPerSecond?: number;
}

export const DEFAULT_ATTRS: Attrs = {
  sampleUs: 5_000,
  aggrUs: 100_000,
  updateUs: 1_000_000,
  minRegions: 10,
  maxRegions: 1_000,
};

/** One day. A longer interval is most likely a typing error, and exceeds the range of timers. */
const MAX_INTERVAL_US = 86_400_000_000;

/** More than any machine can make. */
const MAX_SAMPLES_PER_SECOND = 1e9;

/** More would not fit the counters, and no machine can check them. */
const MAX_REGIONS = 1_000_000;

const INTERVAL = numberIn(1, MAX_INTERVAL_US, 'from 1 us to 1 day, in microseconds');

export const ATTRS_RULES: RulesOf<Attrs> = {
  sampleUs: INTERVAL,
  aggrUs: INTERVAL,
  updateUs: INTERVAL,
  minRegions: integerIn(3, MAX_REGIONS, `an integer from 3 to ${MAX_REGIONS}`),
  maxRegions: integerIn(3, MAX_REGIONS, `an integer from 3 to ${MAX_REGIONS}`),
  maxSamplesPerSecond: integerIn(1, MAX_SAMPLES_PER_SECOND, `an integer from 1 to ${MAX_SAMPLES_PER_SECOND}`),
};

/**
 * Fills in defaults, and rejects attrs that contradict each other. The aggregation interval is rounded down to a whole number
 * of sampling intervals.
 *
 * @throws PagepulseError with code `ATTRS`
 */
export function completeAttrs(given: Partial<Attrs>, defaults: Attrs = DEFAULT_ATTRS): Attrs {
  const attrs = { ...defaults, ...given };
  const broken = brokenRule(attrs, ATTRS_RULES);
  if (broken) throw refuse(broken);
  for (const name of ['sampleUs', 'aggrUs', 'updateUs'] as const) attrs[name] = Math.round(attrs[name]);
  if (attrs.aggrUs < attrs.sampleUs) {
    throw refuse(
      `the aggregation interval (${attrs.aggrUs} us) is below the sampling interval (${attrs.sampleUs} us); ` +
        'make it at least as long',
    );
  }
  if (attrs.maxRegions < attrs.minRegions) {
    throw refuse(
      `maxRegions (${attrs.maxRegions}) is below minRegions (${attrs.minRegions}); make it at least as large`,
    );
  }
  attrs.aggrUs -= attrs.aggrUs % attrs.sampleUs;
  return attrs;
}

export function sameAttrs(a: Attrs, b: Attrs): boolean {
  const names = [...(Object.keys(DEFAULT_ATTRS) as (keyof Attrs)[]), 'maxSamplesPerSecond'] as const;
  return names.every((name) => a[name] === b[name]);
}

/** Changes the sampling interval, and keeps the number of sampling intervals per aggregation interval. */
export function withSampleUs(attrs: Attrs, sampleUs: number): Attrs {
  return { ...attrs, sampleUs, aggrUs: maxNrAccesses(attrs) * sampleUs };
}

/** For a source without a sampling interval: it reads once per aggregation interval. */
export function withoutSampling(attrs: Attrs): Attrs {
  return { ...attrs, sampleUs: attrs.aggrUs };
}

/** The nrAccesses of a region that is accessed in every sampling interval of an aggregation interval. */
export function maxNrAccesses(attrs: Attrs): number {
  return Math.max(1, Math.floor(attrs.aggrUs / attrs.sampleUs));
}

/**
 * Most samples per aggregation interval.
 *
 * @param maxRegions for all targets together
 */
export function maxSamples(attrs: Attrs, maxRegions: number): number {
  const ofRegions = maxRegions * maxNrAccesses(attrs);
  const { maxSamplesPerSecond, aggrUs } = attrs;
  if (maxSamplesPerSecond === undefined) return ofRegions;
  return Math.max(1, Math.min(ofRegions, Math.floor((maxSamplesPerSecond * aggrUs) / 1e6)));
}

/** @throws PagepulseError `ATTRS` if the adaptation does not support a given attribute */
export function requireKnownTo(adaptation: AdaptationName, { maxSamplesPerSecond }: Partial<Attrs>): void {
  if (maxSamplesPerSecond === undefined || adaptation === 'evidence') return;
  throw refuse(
    `a sample limit needs the evidence adaptation: ${adaptation} samples every region once per sampling interval; ` +
      'choose evidence, lower maxRegions or give longer intervals',
  );
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', reason);
}
