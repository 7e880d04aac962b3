import { monotonicMs } from './clock.js';
import type { Phases } from './phases.js';

/** Samplers in the running phase. */
const SAMPLERS = 0;
/** Samplers that have still to check before any may prepare, and how often all had. */
const UNCHECKED = 1;
const CHECKS = 2;
/** Samplers that have still to prepare before the next tick is set, and how often all had. */
const UNPREPARED = 3;
const PREPARES = 4;
/** Sampling intervals and ticks that the running phase is still good for: it ends with whichever is used up first. */
const INTERVALS_LEFT = 5;
const TICKS_LEFT = 6;
/** Of the running phase: ticks, and sampling intervals that have passed. */
const TICKS = 7;
const INTERVALS = 8;

/** When the next tick is due, by the monitor's clock and by monotonicMs, and the sampling interval. */
const DUE_US = 0;
const DUE_MS = 1;
const INTERVAL_MS = 2;
const INTERVAL_US = 3;
/** How long after they were due ticks were checked by all: the sum, the longest, and of how many ticks. */
const LATE_SUM_MS = 4;
const LATE_MAX_MS = 5;
const LATE_TICKS = 6;

/** A tick is left out if less than this share of the interval is left for pages to be accessed in. */
const LEAST_WINDOW = 0.25;

/**
 * The ticks of a phase, which the samplers make by themselves: wait until the tick is due, check, wait until all have checked,
 * prepare, wait until all have prepared. Pages are shared between processes, and a mark erases what another sampler is about to
 * see; so nobody prepares before everybody has checked.
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

  /** The monitor's time at the tick that runs or comes next: whatever happens in a tick happens at the same time. */
  get dueUs(): number {
    return this.numbers[DUE_US]!;
  }

  /**
   * Sets the next tick.
   *
   * @param dueMs the same by monotonicMs; undefined if time is virtual and nothing is waited for
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
   * @param intervals sampling intervals to pass before they park again
   * @param ticks of these, ticks before they park all the same
   */
  reset(samplers: number, intervals: number, ticks: number): void {
    const { words } = this;
    words[SAMPLERS] = words[UNCHECKED] = words[UNPREPARED] = samplers;
    words[INTERVALS_LEFT] = intervals;
    words[TICKS_LEFT] = ticks;
    words[TICKS] = words[INTERVALS] = 0;
  }

  /** Wakes those that wait for one another: the phase was broken off. */
  wake(): void {
    Atomics.notify(this.words, CHECKS);
    Atomics.notify(this.words, PREPARES);
  }

  /** Ticks of the running phase, and the sampling intervals that passed with them. */
  get ticks(): number {
    return Atomics.load(this.words, TICKS);
  }

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

  /** Counts how late the tick is that all have just checked. */
  countLateness(): void {
    const { numbers } = this;
    if (numbers[INTERVAL_MS] === 0) return;
    const lateMs = monotonicMs() - numbers[DUE_MS]!;
    numbers[LATE_SUM_MS]! += lateMs;
    numbers[LATE_TICKS]!++;
    if (lateMs > numbers[LATE_MAX_MS]!) numbers[LATE_MAX_MS] = lateMs;
  }

  // A sampler's side. Hot: once a tick each; nothing is allocated.

  /** Sleeps until the next tick is due, or the phase is broken off. */
  awaitDue(): void {
    if (this.numbers[INTERVAL_MS] !== 0) this.phases.sleep(this.numbers[DUE_MS]! - monotonicMs());
  }

  /** Blocks until every sampler has checked. @returns false if the phase was broken off */
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
   * Blocks until every sampler has prepared; the last of them sets the next tick.
   *
   * @param hasChecked whether that was a tick, and not the marking before the first
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
   * The next tick is on the grid. If pages were marked so late that hardly any time is left to see them accessed, it and those
   * after it are left out until there is time enough; they count as intervals without a tick.
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
