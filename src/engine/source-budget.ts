import type { Attrs } from '../core/attrs.js';
import { AIM, LONGEST_AGGR_US, roundUp } from './budget.js';

/** Costs that leave so much room change the period, others would make it follow every noise. */
const ROOM = 0.3;
/** Weight of a window in what is thought to be spent beside the looks. */
const LATEST = 0.3;
/** Whatever is spent beside the looks, they have this share of the budget: a start, in which V8 compiles, spends several times more. */
const LEAST_FOR_LOOKS = 0.5;
/** A target is looked at once an hour at least, whatever the budget. */
const LONGEST_PERIOD_US = 3_600_000_000;

/** What a window of about a second has cost. Times in microseconds. */
export interface SourceWindow {
  readonly elapsedUs: number;
  /** CPU of all that counts as cost. */
  readonly cpuUs: number;
  /** The part of it that looks took which ended in the window. */
  readonly looksUs: number;
}

/**
 * Keeps what a region source costs within a share of one core. One interval of every target costs what its looks were
 * measured to take; they are made as often as the budget allows. Intervals get longer up to 10 s, for what is counted in
 * much longer ones tells little; beyond that there are pauses between them. The first interval of every target is made
 * whatever it costs.
 */
export class SourceBudget {
  /** Time from one interval of a target to the next. */
  #periodUs = 0;
  #passUs = 0;
  /** What is spent beside the looks, as a share of one core. */
  #beside = 0;

  /**
   * @param share of one core: 0.02 are 2 %
   * @param durationUs of the monitor, which should have some intervals
   */
  constructor(
    readonly share: number,
    readonly durationUs = Number.POSITIVE_INFINITY,
  ) {}

  /** One interval of every target takes this much CPU, as far as it was measured. */
  expect(passUs: number): void {
    this.#passUs = passUs;
    this.#follow();
  }

  measure({ elapsedUs, cpuUs, looksUs }: SourceWindow): void {
    this.#beside += LATEST * (Math.max(0, cpuUs - looksUs) / elapsedUs - this.#beside);
    this.#follow();
  }

  /** The attrs that are wanted, as far as they may be, and in one of how many intervals each target is looked at. */
  allow(wanted: Attrs): { attrs: Attrs; turns: number } {
    const longestUs = Math.max(wanted.aggrUs, Math.min(LONGEST_AGGR_US, this.durationUs / 4));
    const aggrUs = Math.min(longestUs, Math.max(wanted.aggrUs, roundUp(this.#periodUs)));
    const turns = Math.max(1, Math.ceil(this.#periodUs / aggrUs - 0.05));
    return { attrs: { ...wanted, sampleUs: aggrUs, aggrUs }, turns };
  }

  #follow(): void {
    const aim = AIM * this.share;
    const forLooks = Math.max(aim - this.#beside, LEAST_FOR_LOOKS * aim);
    const neededUs = Math.min(LONGEST_PERIOD_US, this.#passUs / forLooks);
    if (neededUs > this.#periodUs || neededUs < (1 - ROOM) * this.#periodUs) this.#periodUs = neededUs;
  }
}
