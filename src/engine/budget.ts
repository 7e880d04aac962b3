import { type Attrs, withSampleUs } from '../core/attrs.js';

/** The share of the budget to aim for. The rest allows for variation, so that any 10 s stay within the budget x 1.1. */
export const AIM = 0.82;
/** Above this expected share of the budget, intervals get longer. */
const TOO_MUCH = 0.95;
/** Below this share for CALM_US, intervals get shorter again. Sooner, the change would soon be reversed. */
const ROOM = 0.6;
const CALM_US = 3_000_000;
/** Reading mappings may take this share of the aim before it becomes less frequent. */
const UPDATE_SHARE = 0.25;
/** The cost of a tick is estimated from the windows of this time, and from at least three. */
const MEMORY_US = 10_000_000;
const MIN_WINDOWS = 3;
/** A window this many times as expensive as the others is left out. A median this many times the mean is a jump in cost. */
const OUTLIER = 2;
const JUMP = 1.5;
/** Intervals that differ by this factor separate the cost of ticks from the constant cost. */
const DISTINCT = 1.5;
/** However large the constant cost, an interval longer than this multiple of what ticks alone need saves almost nothing. */
const MOST_STRETCH = 10;
/** One window lengthens the interval at most by this factor: at the start, while V8 compiles, it seems to need far more. */
const MOST_STEP = 4;
/** Weight of the latest window in the estimated cost of an update. */
const LATEST = 0.3;
/** Snapshots must keep coming: aggregation intervals get longer than this only if fewer regions do not help. */
export const LONGEST_AGGR_US = 10_000_000;
/** The fewest aggregation intervals and ticks for a monitor with a given duration. */
export const LEAST_INTERVALS = 4;
const LEAST_TICKS = 8;
/** The longest sampling interval: with one tick a minute, the remaining cost is not that of ticks. */
const LONGEST_SAMPLE_US = 60_000_000;

/** The cost of a window of about a second. Times in microseconds. */
export interface Window {
  /** Sampling intervals that passed in the window, at least 1. They may differ in length. */
  readonly intervals: number;
  readonly elapsedUs: number;
  readonly cpuUs: number;
  /** How often the mappings of all targets were read; 0.5 if those of half the targets were. */
  readonly updates: number;
  /** CPU time of reading them. */
  readonly updateCpuUs: number;
  /** At the end of the window. */
  readonly regions: number;
  /** Sampling intervals of the window that were skipped because ticks took too long. */
  readonly overruns?: number;
}

interface Remembered extends Pick<Window, 'intervals' | 'elapsedUs'> {
  readonly tickUs: number;
}

/**
 * Keeps the measured cost of watching within a share of one core. Uses no clock and no threads.
 *
 * A window costs a us per tick plus a constant share b, besides the updates, whose cost is measured. With a single interval, a
 * and b cannot be separated, so all cost counts as ticks. After a clearly different interval, its windows and the latest give
 * both, and the interval becomes a / (aim - b).
 *
 * Intervals are stretched first. Beyond an aggregation interval of 10 s, maxRegions shrinks as well, down to minRegions of every
 * target. Then intervals grow further, up to a sampling interval of a minute. So the budget holds over 10 s or one sampling
 * interval, whichever is longer. Relaxing happens in the reverse order.
 */
export class Budget {
  /** The latest windows of about the same interval, the newest last. */
  readonly #windows: Remembered[] = [];
  /** The cost and length of a sampling interval when it last was clearly longer or shorter than now. */
  #before: { readonly costUs: number; readonly sampleUs: number } | undefined;
  /** CPU time of reading all mappings once, in microseconds. */
  #updateUs = 0;
  #shortestSampleUs = 0;
  #shortestUpdateUs = 0;
  #maxRegions = Number.POSITIVE_INFINITY;
  #calmUs = 0;

  /**
   * @param share of one core: 0.02 is 2 %
   * @param durationUs of the monitor, which needs several aggregation intervals
   */
  constructor(
    readonly share: number,
    readonly durationUs = Number.POSITIVE_INFINITY,
  ) {}

  /** The wanted attrs, as far as the budget allows. The ratio of aggregation to sampling interval stays the same. */
  allow(wanted: Attrs): Attrs {
    const sampleUs = Math.max(wanted.sampleUs, roundUp(this.#shortestSampleUs));
    const updateUs = Math.max(wanted.updateUs, roundUp(this.#shortestUpdateUs));
    const maxRegions = Math.min(wanted.maxRegions, Math.max(this.#maxRegions, wanted.minRegions));
    return { ...withSampleUs(wanted, sampleUs), updateUs, maxRegions };
  }

  /**
   * Takes the cost of a window.
   *
   * @param leastRegions the lower limit of maxRegions: minRegions of every target
   */
  measure(window: Window, wanted: Attrs, leastRegions: number): void {
    const { intervals, elapsedUs, cpuUs, updateCpuUs } = window;
    const updateShare = this.#updateShare(window, wanted);
    this.#remember({ tickUs: Math.max(0, cpuUs - updateCpuUs) / intervals, elapsedUs, intervals });

    const { tickUs, constant } = this.#costs();
    const expected = tickUs / Math.max(this.#shortestSampleUs, wanted.sampleUs) + constant + updateShare;
    if (expected > TOO_MUCH * this.share) {
      this.#calmUs = 0;
      this.#tighten(updateShare, window.regions, wanted, leastRegions);
    } else if (expected >= ROOM * this.share) {
      this.#calmUs = 0;
    } else {
      this.#calmUs += elapsedUs;
      // Late ticks leave no room for more ticks, however little CPU time they used.
      if (window.overruns) this.#calmUs = 0;
      if (this.#calmUs < CALM_US) return;
      this.#calmUs = 0;
      this.#relax(updateShare, expected, wanted);
    }
  }

  /** Adjusts the update interval. @returns the expected cost of updates, as a share of one core */
  #updateShare({ updates, updateCpuUs }: Window, wanted: Attrs): number {
    if (updates > 0) this.#updateUs = blend(this.#updateUs, updateCpuUs / updates);
    const neededUs = this.#updateUs / (UPDATE_SHARE * AIM * this.share);
    // Relaxed only if far longer than needed; otherwise it would follow all noise.
    if (neededUs > this.#shortestUpdateUs || neededUs < ROOM * AIM * this.#shortestUpdateUs) {
      this.#shortestUpdateUs = neededUs / AIM;
    }
    return this.#updateUs / Math.max(wanted.updateUs, this.#shortestUpdateUs);
  }

  #remember(latest: Remembered): void {
    const windows = this.#windows;
    const [sampleUs, latestUs] = [this.#sampleUs(), latest.elapsedUs / latest.intervals];
    if (sampleUs > 0 && Math.max(latestUs / sampleUs, sampleUs / latestUs) >= DISTINCT) {
      this.#before = { costUs: this.#tickCost(), sampleUs };
      windows.length = 0;
    }
    windows.push(latest);
    let rememberedUs = 0;
    for (const window of windows) rememberedUs += window.elapsedUs;
    while (windows.length > MIN_WINDOWS && rememberedUs - windows[0]!.elapsedUs >= MEMORY_US) {
      rememberedUs -= windows.shift()!.elapsedUs;
    }
  }

  /**
   * The estimated cost of a tick: the mean, leaving out one window that was far more expensive than the others, for example
   * because V8 was compiling. After a jump in cost, the median of the last three windows, which shows it in the second one.
   */
  #tickCost(): number {
    const costs = this.#windows.map(({ tickUs }) => tickUs);
    if (costs.length === 0) return 0;
    const latest = costs.slice(-MIN_WINDOWS).sort((a, b) => a - b);
    const median = latest[(latest.length - 1) >> 1]!;
    const sum = costs.reduce((total, cost) => total + cost, 0);
    const dearest = Math.max(...costs);
    const others = (sum - dearest) / Math.max(1, costs.length - 1);
    const mean = dearest > OUTLIER * others ? others : sum / costs.length;
    return median > JUMP * mean ? median : mean;
  }

  /** The mean sampling interval of the remembered windows; 0 without any. */
  #sampleUs(): number {
    let [elapsedUs, intervals] = [0, 0];
    for (const window of this.#windows) {
      elapsedUs += window.elapsedUs;
      intervals += window.intervals;
    }
    return intervals > 0 ? elapsedUs / intervals : 0;
  }

  /** The cost of each tick in microseconds, and the constant cost as a share of one core. */
  #costs(): { tickUs: number; constant: number } {
    const costUs = this.#tickCost();
    const sampleUs = this.#sampleUs();
    if (!this.#before || sampleUs === 0) return { tickUs: costUs, constant: 0 };
    const slope = (costUs - this.#before.costUs) / (sampleUs - this.#before.sampleUs);
    const most = Math.min(costUs / sampleUs, this.#before.costUs / this.#before.sampleUs);
    const constant = Math.max(0, Math.min(slope, most));
    return { tickUs: costUs - constant * sampleUs, constant };
  }

  #tighten(updateShare: number, regions: number, wanted: Attrs, leastRegions: number): void {
    const neededUs = this.#sampleUsFor(updateShare);
    const mostUs = MOST_STEP * Math.max(this.#shortestSampleUs, wanted.sampleUs);
    this.#shortestSampleUs = Math.max(this.#shortestSampleUs, Math.min(neededUs, mostUs));
    const longestUs = this.#longestSampleUs(wanted);
    if (neededUs <= longestUs) return;
    const regionsFor = Math.max(leastRegions, Math.floor((regions * longestUs) / neededUs));
    this.#maxRegions = Math.min(this.#maxRegions, regionsFor);
  }

  #relax(updateShare: number, expected: number, wanted: Attrs): void {
    const isFar = this.#shortestSampleUs > this.#longestSampleUs(wanted);
    if (!isFar && this.#maxRegions < wanted.maxRegions) {
      const room = (AIM * this.share) / Math.max(expected, 1e-9);
      this.#maxRegions = Math.ceil(this.#maxRegions * Math.max(1, Math.min(2, room)));
    } else {
      this.#shortestSampleUs = Math.max(this.#sampleUsFor(updateShare), this.#shortestSampleUs / 2);
    }
    if (this.#maxRegions >= wanted.maxRegions) this.#maxRegions = Number.POSITIVE_INFINITY;
  }

  /** The sampling interval with which ticks and updates together cost the aim. */
  #sampleUsFor(updateShare: number): number {
    const { tickUs, constant } = this.#costs();
    const aim = AIM * this.share - updateShare;
    const longestUs = Math.min(LONGEST_SAMPLE_US, this.durationUs / LEAST_TICKS);
    return Math.min(longestUs, tickUs / Math.max(aim - constant, aim / MOST_STRETCH));
  }

  /** Beyond this sampling interval, regions are reduced before it gets longer. */
  #longestSampleUs({ sampleUs, aggrUs }: Attrs): number {
    const longestAggrUs = Math.min(LONGEST_AGGR_US, this.durationUs / LEAST_INTERVALS);
    return Math.max(sampleUs, (longestAggrUs * sampleUs) / aggrUs);
  }
}

/** The least cost of a sampling interval: waking the threads, and marking and checking each region. */
const LEAST_TICK_US = 40;
const LEAST_REGION_US = 2;

/**
 * The smallest budget for sampling this number of regions, as a share of one core, with the longest sampling interval. A lower
 * bound from the fastest machine measured (docs/cost.md).
 */
export function leastShareFor(regions: number): number {
  return (LEAST_TICK_US + regions * LEAST_REGION_US) / LONGEST_SAMPLE_US;
}

function blend(before: number, latest: number): number {
  return before === 0 ? latest : before + LATEST * (latest - before);
}

/**
 * Rounds up to two digits, so that intervals are readable and change less often. From 1 s to 10 s, rounds up to a whole
 * fraction of 10 s: otherwise some spans of 10 s would have an extra tick, which matters if there are few.
 */
export function roundUp(us: number): number {
  if (us <= 100) return Math.ceil(us);
  if (us > 1e6 && us <= 10e6) return Math.ceil(10e6 / Math.floor(10e6 / us));
  const step = 10 ** (Math.floor(Math.log10(us)) - 1);
  return Math.ceil(us / step) * step;
}
