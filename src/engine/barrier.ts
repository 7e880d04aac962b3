import { monotonicMs } from './clock.js';
import type { Phases } from './phases.js';

/** Samplers in the current phase. */
const SAMPLERS = 0;
/** Samplers that must still check before any may prepare, and the number of times that all have checked. */
const UNCHECKED = 1;
const CHECKS = 2;
/** Samplers that must still prepare before the next tick is set, and the number of times that all have prepared. */
const UNPREPARED = 3;
const PREPARES = 4;
/** Sampling intervals and ticks left in the current phase, which ends when either reaches 0. */
const INTERVALS_LEFT = 5;
const TICKS_LEFT = 6;
/** Ticks made, and sampling intervals passed, in the current phase. */
const TICKS = 7;
const INTERVALS = 8;

/** When the next tick is due, by the monitor's clock and by monotonicMs, and the sampling interval. */
const DUE_US = 0;
const DUE_MS = 1;
const INTERVAL_MS = 2;
const INTERVAL_US = 3;
/** Delay from a tick's due time until all samplers have checked: sum, maximum, and number of ticks. */
const LATE_SUM_MS = 4;
const LATE_MAX_MS = 5;
const LATE_TICKS = 6;

/** A tick is skipped if less than this share of the interval is left in which pages can be accessed. */
const LEAST_WINDOW = 0.25;

/**
 * Synchronizes the ticks of a phase, which samplers make without the coordinator: wait until the tick is due, check, wait until
 * all have checked, prepare, wait until all have prepared. Processes share pages, and a mark erases what another sampler is
 * about to see. So no sampler prepares before all have checked.
 */
export class Barrier {
  static readonly WORDS = 9;
  static readonly NUMBERS = 7;

  constructor(
    readonly words: Int32Array,
    readonly numbers: Float64Array,
    readonly phases: Phases,
  ) {}

  // The coordinator's side, between phases.

  /** The monitor's time at the current or next tick. Time stands still within a tick. */
  get dueUs(): number {
    return this.numbers[DUE_US]!;
  }

  /**
   * Sets the next tick.
   *
   * @param dueMs the same time by monotonicMs; undefined on virtual time, where nothing waits
   */
  setDue(dueUs: number, dueMs: number | undefined, intervalUs: number): void {
    this.numbers[DUE_US] = dueUs;
    this.numbers[DUE_MS] = dueMs ?? 0;
    this.numbers[INTERVAL_US] = intervalUs;
    this.numbers[INTERVAL_MS] = dueMs === undefined ? 0 : intervalUs / 1_000;
  }

  /** The sampling interval in milliseconds; 0 if time is virtual. */
  get intervalMs(): number {
    return this.numbers[INTERVAL_MS]!;
  }

  /**
   * Sets the barrier up for a phase.
   *
   * @param samplers how many take part
   * @param intervals sampling intervals until the samplers park again
   * @param ticks ticks until they park even if fewer intervals have passed
   */
  reset(samplers: number, intervals: number, ticks: number): void {
    const { words } = this;
    words[SAMPLERS] = words[UNCHECKED] = words[UNPREPARED] = samplers;
    words[INTERVALS_LEFT] = intervals;
    words[TICKS_LEFT] = ticks;
    words[TICKS] = words[INTERVALS] = 0;
  }

  /** Wakes samplers that wait for each other, after the phase was aborted. */
  wake(): void {
    Atomics.notify(this.words, CHECKS);
    Atomics.notify(this.words, PREPARES);
  }

  /** Ticks in the current phase. */
  get ticks(): number {
    return Atomics.load(this.words, TICKS);
  }

  /** Sampling intervals that passed in the current phase, with or without a tick. */
  get intervals(): number {
    return Atomics.load(this.words, INTERVALS);
  }

  /** Mean delay from a tick's due time until the last sampler has finished its check; 0 before the first. */
  get meanLateUs(): number {
    return (1e3 * this.numbers[LATE_SUM_MS]!) / Math.max(1, this.numbers[LATE_TICKS]!);
  }

  get maxLateUs(): number {
    return 1e3 * this.numbers[LATE_MAX_MS]!;
  }

  /** Counts the delay of the tick that all samplers have just checked. */
  countLateness(): void {
    const { numbers } = this;
    if (numbers[INTERVAL_MS] === 0) return;
    const lateMs = monotonicMs() - numbers[DUE_MS]!;
    numbers[LATE_SUM_MS]! += lateMs;
    numbers[LATE_TICKS]!++;
    if (lateMs > numbers[LATE_MAX_MS]!) numbers[LATE_MAX_MS] = lateMs;
  }

  // A sampler's side. Hot: each runs once per tick, without allocation.

  /** Sleeps until the next tick is due or the phase is aborted. */
  awaitDue(): void {
    if (this.numbers[INTERVAL_MS] !== 0) this.phases.sleep(this.numbers[DUE_MS]! - monotonicMs());
  }

  /** Blocks until every sampler has checked. @returns false if the phase was aborted */
  awaitChecked(): boolean {
    const { words } = this;
    const before = Atomics.load(words, CHECKS);
    if (Atomics.sub(words, UNCHECKED, 1) === 1) this.#releaseChecked();
    else this.#awaitOthers(CHECKS, before);
    return !this.phases.isBroken;
  }

  #releaseChecked(): void {
    this.countLateness();
    this.#release(UNCHECKED, CHECKS);
  }

  /**
   * Blocks until every sampler has prepared. The last one sets the next tick.
   *
   * @param hasChecked false for the marking before the first tick
   * @returns whether another tick follows in this phase
   */
  awaitPrepared(hasChecked: boolean): boolean {
    const { words } = this;
    const before = Atomics.load(words, PREPARES);
    if (Atomics.sub(words, UNPREPARED, 1) === 1) {
      this.#setNext(hasChecked);
      this.#release(UNPREPARED, PREPARES);
    } else {
      this.#awaitOthers(PREPARES, before);
    }
    const isOver = Atomics.load(words, INTERVALS_LEFT) <= 0 || Atomics.load(words, TICKS_LEFT) <= 0;
    return !isOver && !this.phases.isBroken;
  }

  /**
   * Sets the next tick, on the grid. Skips ticks for which too little time is left after marking; they count as intervals
   * without a tick.
   */
  #setNext(hasChecked: boolean): void {
    const { words, numbers } = this;
    const intervalMs = numbers[INTERVAL_MS]!;
    const nowMs = monotonicMs();
    let passed = hasChecked ? 1 : 0;
    if (intervalMs > 0) {
      const dueMs = numbers[DUE_MS]! + passed * intervalMs;
      const late = nowMs + LEAST_WINDOW * intervalMs - dueMs;
      if (late > 0) passed += Math.ceil(late / intervalMs);
    }
    numbers[DUE_US]! += passed * numbers[INTERVAL_US]!;
    numbers[DUE_MS]! += passed * intervalMs;
    if (hasChecked) {
      words[TICKS]!++;
      words[TICKS_LEFT]!--;
    }
    words[INTERVALS]! += passed;
    words[INTERVALS_LEFT]! -= passed;
  }

  #release(counter: number, rounds: number): void {
    const { words } = this;
    Atomics.store(words, counter, words[SAMPLERS]!);
    Atomics.add(words, rounds, 1);
    Atomics.notify(words, rounds);
  }

  #awaitOthers(rounds: number, before: number): void {
    while (Atomics.load(this.words, rounds) === before && !this.phases.isBroken)
      Atomics.wait(this.words, rounds, before);
  }
}
