import type { Attrs } from '../core/attrs.js';
import { AIM, LONGEST_AGGR_US, roundUp } from './budget.js';

/** The period shrinks only if it could be this share shorter; otherwise it would follow all noise. */
const ROOM = 0.3;
/** Weight of a window in the estimated cost besides reads. */
const LATEST = 0.3;
/** Reads get at least this share of the budget: while V8 compiles at the start, other costs are several times higher. */
const LEAST_FOR_READS = 0.5;
/** Whatever the budget, a target is read at least once an hour. */
const LONGEST_PERIOD_US = 3_600_000_000;

/** The cost of a window of about a second. Times in microseconds. */
export interface SourceWindow {
  readonly elapsedUs: number;
  /** CPU time that counts as cost. */
  readonly cpuUs: number;
  /** CPU time of reads that ended in the window. */
  readonly readsUs: number;
}

/**
 * Keeps the cost of a region source within a share of one core. The cost of an interval is the measured cost of its reads, and
 * intervals come as often as the budget allows.
 *
 * Intervals get longer up to 10 s, because counts of much longer ones say little. Beyond that, there are pauses between
 * intervals. The first interval of every target runs at any cost.
 */
export class SourceBudget {
  /** Time from one interval of a target to the next. */
  #periodUs = 0;
  #passUs = 0;
  /** Cost besides reads, as a share of one core. */
  #beside = 0;

  /**
   * @param share of one core: 0.02 is 2 %
   * @param durationUs of the monitor, which needs several intervals
   */
  constructor(
    readonly share: number,
    readonly durationUs = Number.POSITIVE_INFINITY,
  ) {}

  /** Takes the CPU time of one interval of every target, as far as measured. */
  expect(passUs: number): void {
    this.#passUs = passUs;
    this.#follow();
  }

  measure({ elapsedUs, cpuUs, readsUs }: SourceWindow): void {
    this.#beside += LATEST * (Math.max(0, cpuUs - readsUs) / elapsedUs - this.#beside);
    this.#follow();
  }

  /** The wanted attrs, as far as the budget allows. Each target is watched in one of `turns` intervals. */
  allow(wanted: Attrs): { attrs: Attrs; turns: number } {
    const longestUs = Math.max(wanted.aggrUs, Math.min(LONGEST_AGGR_US, this.durationUs / 4));
    const aggrUs = Math.min(longestUs, Math.max(wanted.aggrUs, roundUp(this.#periodUs)));
    const turns = Math.max(1, Math.ceil(this.#periodUs / aggrUs - 0.05));
    return { attrs: { ...wanted, sampleUs: aggrUs, aggrUs }, turns };
  }

  #follow(): void {
    const aim = AIM * this.share;
    const forReads = Math.max(aim - this.#beside, LEAST_FOR_READS * aim);
    const neededUs = Math.min(LONGEST_PERIOD_US, this.#passUs / forReads);
    if (neededUs > this.#periodUs || neededUs < (1 - ROOM) * this.#periodUs) this.#periodUs = neededUs;
  }
}
