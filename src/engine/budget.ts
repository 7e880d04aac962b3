import { type Attrs, withSampleUs } from '../core/attrs.js';

/** What is aimed at: the rest is for what varies, so that any 10 s stay within the budget x 1.1. */
export const AIM = 0.82;
/** Above this expected share of the budget the intervals get longer. */
const TOO_MUCH = 0.95;
/** Below this share, for so long, there is room: not before, or it would be taken again. */
const ROOM = 0.6;
const CALM_US = 3_000_000;
/** Reading mappings may take this share of what is aimed at before it is done less often. */
const UPDATE_SHARE = 0.25;
/** What ticks cost is told from the windows of this time, and from three at least. */
const MEMORY_US = 10_000_000;
const MIN_WINDOWS = 3;
/** A window so many times as dear as the others is left out; costs that are so many times the mean have jumped. */
const OUTLIER = 2;
const JUMP = 1.5;
/** Intervals that differ by this factor tell what follows ticks from what does not. */
const DISTINCT = 1.5;
/** However much does not follow ticks, longer intervals than so many times what the ticks alone need save next to nothing. */
const MOST_STRETCH = 10;
/** A window makes the interval at most so many times as long: at the start, when V8 compiles, it seems to need far more. */
const MOST_STEP = 4;
/** Weight of the latest window in what an update is thought to cost. */
const LATEST = 0.3;
/** Pictures still have to come: an aggregation interval gets longer than this only where fewer regions do not help. */
export const LONGEST_AGGR_US = 10_000_000;
/** Aggregation intervals and ticks that a monitor of a given duration should have at least. */
export const LEAST_INTERVALS = 4;
const LEAST_TICKS = 8;
/** The longest sampling interval: what a tick a minute leaves is not a cost of ticks. */
const LONGEST_SAMPLE_US = 60_000_000;

/** What a window of about a second has cost. Times in microseconds. */
export interface Window {
  /** Sampling intervals that passed in it, at least 1: not all need have been of the same length. */
  readonly intervals: number;
  readonly elapsedUs: number;
  readonly cpuUs: number;
  /** How often the mappings of all were read in it (a half: of half of them), and the CPU time that took. */
  readonly updates: number;
  readonly updateCpuUs: number;
  /** At its end. */
  readonly regions: number;
  /** Sampling intervals of it that were left out because ticks took too long. */
  readonly overruns?: number;
}

interface Remembered extends Pick<Window, 'intervals' | 'elapsedUs'> {
  readonly tickUs: number;
}

/**
 * Keeps what watching costs within a share of one core, from what it is measured to cost; knows no clock and no threads.
 *
 * A window costs a us a tick and a constant share b, beside the updates, whose cost is measured. With one interval a and b
 * cannot be told apart, and all is taken to be ticks; as soon as there was a clearly different one, its windows and the
 * latest give both, and the interval goes to a / (aim - b).
 *
 * Intervals are stretched first. Beyond an aggregation interval of 10 s, maxRegions is lowered as well, down to minRegions of
 * every target; then intervals grow further, up to a sampling interval of a minute. So the budget holds over 10 s or one
 * sampling interval, whichever is longer. What was taken is given back in the reverse order.
 */
export class Budget {
  /** The latest windows of about the same interval, the last at the end: CPU time of a sampling interval, and how long. */
  readonly #windows: Remembered[] = [];
  /** What a sampling interval has cost when it was clearly longer or shorter than now, and how long it was. */
  #before: { readonly costUs: number; readonly sampleUs: number } | undefined;
  /** CPU time of reading all mappings once, in microseconds. */
  #updateUs = 0;
  #shortestSampleUs = 0;
  #shortestUpdateUs = 0;
  #maxRegions = Number.POSITIVE_INFINITY;
  #calmUs = 0;

  /**
   * @param share of one core: 0.02 are 2 %
   * @param durationUs of the monitor, which should have some aggregation intervals
   */
  constructor(
    readonly share: number,
    readonly durationUs = Number.POSITIVE_INFINITY,
  ) {}

  /** The attrs that are wanted, as far as the budget allows. aggregation / sampling interval stays. */
  allow(wanted: Attrs): Attrs {
    const sampleUs = Math.max(wanted.sampleUs, roundUp(this.#shortestSampleUs));
    const updateUs = Math.max(wanted.updateUs, roundUp(this.#shortestUpdateUs));
    const maxRegions = Math.min(wanted.maxRegions, Math.max(this.#maxRegions, wanted.minRegions));
    return { ...withSampleUs(wanted, sampleUs), updateUs, maxRegions };
  }

  /**
   * Takes what a window has cost.
   *
   * @param leastRegions that maxRegions is not lowered below: minRegions of every target
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
      // Ticks that come late leave no room for more of them, however little CPU they got.
      if (window.overruns) this.#calmUs = 0;
      if (this.#calmUs < CALM_US) return;
      this.#calmUs = 0;
      this.#relax(updateShare, expected, wanted);
    }
  }

  /** Sees to the update interval; returns what updates will cost, as a share of one core. */
  #updateShare({ updates, updateCpuUs }: Window, wanted: Attrs): number {
    if (updates > 0) this.#updateUs = blend(this.#updateUs, updateCpuUs / updates);
    const neededUs = this.#updateUs / (UPDATE_SHARE * AIM * this.share);
    // Given back only where much of it is not needed: else it would follow every noise.
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
   * What a tick is taken to cost: the mean, without one window that was far dearer than the others, for that one says
   * nothing (V8 was compiling). Where the cost has jumped, the median of the last three, which shows that in the second
   * window.
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

  /** The sampling interval of the windows that are remembered; 0 without any. */
  #sampleUs(): number {
    let [elapsedUs, intervals] = [0, 0];
    for (const window of this.#windows) {
      elapsedUs += window.elapsedUs;
      intervals += window.intervals;
    }
    return intervals > 0 ? elapsedUs / intervals : 0;
  }

  /** What follows the ticks, for each of them, and what is spent however long the intervals are, as a share of one core. */
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

  /** The sampling interval in which ticks and updates cost together what is aimed at. */
  #sampleUsFor(updateShare: number): number {
    const { tickUs, constant } = this.#costs();
    const aim = AIM * this.share - updateShare;
    const longestUs = Math.min(LONGEST_SAMPLE_US, this.durationUs / LEAST_TICKS);
    return Math.min(longestUs, tickUs / Math.max(aim - constant, aim / MOST_STRETCH));
  }

  /** Beyond this, regions are given up before the sampling interval gets longer. */
  #longestSampleUs({ sampleUs, aggrUs }: Attrs): number {
    const longestAggrUs = Math.min(LONGEST_AGGR_US, this.durationUs / LEAST_INTERVALS);
    return Math.max(sampleUs, (longestAggrUs * sampleUs) / aggrUs);
  }
}

/** What a sampling interval costs at the least: the threads wake, and each region is marked and checked. */
const LEAST_TICK_US = 40;
const LEAST_REGION_US = 2;

/**
 * The smallest budget that these regions can be sampled with, as a share of one core: with the longest sampling interval. A
 * lower bound from the fastest machine measured (docs/cost.md).
 */
export function leastShareFor(regions: number): number {
  return (LEAST_TICK_US + regions * LEAST_REGION_US) / LONGEST_SAMPLE_US;
}

function blend(before: number, latest: number): number {
  return before === 0 ? latest : before + LATEST * (latest - before);
}

/**
 * To two digits, for intervals are read by people, and change less often so. Above a second to a whole part of 10 s: else
 * some 10 s had a tick more than others, which is a lot where there are few.
 */
export function roundUp(us: number): number {
  if (us <= 100) return Math.ceil(us);
  if (us > 1e6 && us <= 10e6) return Math.ceil(10e6 / Math.floor(10e6 / us));
  const step = 10 ** (Math.floor(Math.log10(us)) - 1);
  return Math.ceil(us / step) * step;
}
