import type { AdaptationName } from './adaptation.js';
import { PagepulseError } from './errors.js';
import { brokenRule, integerIn, numberIn, type RulesOf } from './rules.js';

/** How a monitor watches: DAMON's attributes. Intervals in microseconds. */
export interface Attrs {
  /** One page of each region is checked once in it. Default 5,000. */
  readonly sampleUs: number;
  /** Its end yields a snapshot; a whole number of sampling intervals. Default 100,000. */
  readonly aggrUs: number;
  /** How often the targets' mappings are read again. Default 1,000,000. */
  readonly updateUs: number;
  /** Regions that each target has at least, where its size allows. At least 3. Default 10. */
  readonly minRegions: number;
  /** Regions of all targets together, at most. Default 1,000. */
  readonly maxRegions: number;
  /**
   * Samples a second in all targets together, at most: from the second aggregation interval on, and only with the
   * adaptation `evidence`, whose regions are not all asked in every sampling interval. Default maxRegions a sampling
   * interval.
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

/** A day: above this an interval is a typing error, and timers lose their range. */
const MAX_INTERVAL_US = 86_400_000_000;

/** Nothing could make more. */
const MAX_SAMPLES_PER_SECOND = 1e9;

/** More would not fit the counters, and no machine could check them. */
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
 * The defaults with what is given in their place, refused where they contradict each other. An aggregation
 * interval that is no whole number of sampling intervals is rounded down to one.
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

/** The same with another sampling interval, and as many of them in an aggregation interval as before. */
export function withSampleUs(attrs: Attrs, sampleUs: number): Attrs {
  return { ...attrs, sampleUs, aggrUs: maxNrAccesses(attrs) * sampleUs };
}

/** The same for a source that has no sampling interval: what is looked at once is an aggregation interval. */
export function withoutSampling(attrs: Attrs): Attrs {
  return { ...attrs, sampleUs: attrs.aggrUs };
}

/** The nrAccesses of a region that is found accessed in every sampling interval of an aggregation interval. */
export function maxNrAccesses(attrs: Attrs): number {
  return Math.max(1, Math.floor(attrs.aggrUs / attrs.sampleUs));
}

/**
 * The pages that may be asked about in an aggregation interval.
 *
 * @param maxRegions of all targets
 */
export function maxSamples(attrs: Attrs, maxRegions: number): number {
  const ofRegions = maxRegions * maxNrAccesses(attrs);
  const { maxSamplesPerSecond, aggrUs } = attrs;
  if (maxSamplesPerSecond === undefined) return ofRegions;
  return Math.max(1, Math.min(ofRegions, Math.floor((maxSamplesPerSecond * aggrUs) / 1e6)));
}

/** @throws PagepulseError `ATTRS` where an adaptation does not know what is given */
export function requireKnownTo(adaptation: AdaptationName, { maxSamplesPerSecond }: Partial<Attrs>): void {
  if (maxSamplesPerSecond === undefined || adaptation === 'evidence') return;
  throw refuse(
    `a limit of samples is for the adaptation evidence; with ${adaptation} every region is asked once in a sampling ` +
      'interval: give a smaller maxRegions or longer intervals, or choose evidence',
  );
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', reason);
}
