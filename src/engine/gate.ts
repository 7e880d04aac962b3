import type { CheckCounters } from '../sources/page-check.js';

/**
 * The beat: one SharedArrayBuffer on which coordinator and samplers wait for each other with Atomics, and which the
 * main thread touches to be heard. Phases follow each other, never overlap, and each ends when every sampler has said
 * so. Between phases all samplers are parked, and the coordinator alone touches the region tables.
 *
 * Words (Int32): the running phase and its number, the calls the main thread has made, the snapshots it has not taken
 * yet, how far the ticks of the phase are, and a slot for each sampler with the number of the phase it finished last.
 * Numbers (Float64): when the next tick is due, how late ticks were, and for each slot what its sampler counted and which
 * target it is at.
 */
export const Phase = {
  /** Mark a page of every region old; then ticks on the grid, as many as the coordinator has nothing to do at. */
  PREPARE_AND_TICK: 1,
  /** The ticks alone: the pages have been marked before. */
  TICK: 2,
  /** Look which of the marked pages were accessed, and mark no others. */
  CHECK: 3,
  /** Read the mappings of a part of the targets again. */
  UPDATE: 4,
  /** Read those again whose address space was found gone. */
  REFRESH: 5,
  /** Answer calls until the next phase begins. */
  CONTROL: 6,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

const EPOCH = 0;
const PHASE = 1;
const CALLS = 2;
const UNTAKEN = 3;
/** Samplers in the running phase. */
const SAMPLERS = 4;
/** Samplers that have still to check before any may prepare, and how often all had. */
const UNCHECKED = 5;
const CHECKS = 6;
/** Samplers that have still to prepare before the next tick is set, and how often all had. */
const UNPREPARED = 7;
const PREPARES = 8;
/** The last phase that was broken off. */
const BROKEN = 9;
/** Sampling intervals and ticks that the running phase is still good for: it ends with whichever is used up first. */
const INTERVALS_LEFT = 10;
const TICKS_LEFT = 11;
/** Of the running phase: ticks, and sampling intervals that have passed. */
const TICKS = 12;
const INTERVALS = 13;
/** Of an update: which part of the targets it is for, of how many. */
const UPDATE_PART = 14;
const UPDATE_PARTS = 15;
const FIRST_SLOT = 16;

/** A slot that no sampler has had yet. */
const FREE = 0;
/** The sampler in this slot was given up: should it wake, it must touch nothing. */
const REVOKED = -1;
/** The thread of this slot has ended. */
const ENDED = -2;

/** When the next tick is due, by the monitor's clock and by monotonicMs, and the sampling interval. */
const DUE_US = 0;
const DUE_MS = 1;
const INTERVAL_MS = 2;
const INTERVAL_US = 3;
/** How long after they were due ticks were checked by all: the sum, the longest, and of how many ticks. */
const LATE_SUM_MS = 4;
const LATE_MAX_MS = 5;
const LATE_TICKS = 6;
const FIRST_OF_SLOTS = 7;
/** Of each slot: the two counters of checks, and the target that its sampler is at, as id + 1. */
const NUMBERS_PER_SLOT = 3;
const COUNTERS = 2;
const AT_TARGET = 2;

/** A tick is left out where less than this share of the interval is left for pages to be accessed in. */
const LEAST_WINDOW = 0.25;

/** Phase numbers start again after this: a slot holds them beside the marks below zero. */
const LAST_EPOCH = 0x3fff_ffff;

/** What the phase's number is called where only equality matters. */
export type Epoch = number;

/**
 * CLOCK_MONOTONIC in milliseconds: the same in all threads, as performance.now() is not. Optimised code keeps the pair
 * out of the heap where it is read by index; taking it apart by a pattern would allocate.
 */
export function monotonicMs(): number {
  const time = process.hrtime();
  return time[0] * 1e3 + time[1] / 1e6;
}

export class Gate {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly slots: number;
  #usedSlots = 0;

  constructor(readonly buffer: SharedArrayBuffer) {
    const bytesPerSlot = 8 * NUMBERS_PER_SLOT + 4;
    this.slots = (buffer.byteLength - 8 * FIRST_OF_SLOTS - 4 * FIRST_SLOT) / bytesPerSlot;
    const numbers = FIRST_OF_SLOTS + NUMBERS_PER_SLOT * this.slots;
    this.#numbers = new Float64Array(buffer, 0, numbers);
    this.#words = new Int32Array(buffer, 8 * numbers);
  }

  static create(slots: number): Gate {
    const numbers = FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slots;
    return new Gate(new SharedArrayBuffer(8 * numbers + 4 * (FIRST_SLOT + slots)));
  }

  /** The monitor's time at the tick that runs or comes next: whatever happens in a tick happens at the same time. */
  get dueUs(): number {
    return this.#numbers[DUE_US]!;
  }

  /**
   * Sets the next tick.
   *
   * @param dueMs the same by monotonicMs; undefined where time is virtual and nothing is waited for
   */
  setDue(dueUs: number, dueMs: number | undefined, intervalUs: number): void {
    this.#numbers[DUE_US] = dueUs;
    this.#numbers[DUE_MS] = dueMs ?? 0;
    this.#numbers[INTERVAL_US] = intervalUs;
    this.#numbers[INTERVAL_MS] = dueMs === undefined ? 0 : intervalUs / 1_000;
  }

  /** The sampling interval in milliseconds; 0 where time is virtual. */
  get intervalMs(): number {
    return this.#numbers[INTERVAL_MS]!;
  }

  countersOf(slot: number): CheckCounters {
    const from = FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot;
    return { counts: this.#numbers.subarray(from, from + COUNTERS) };
  }

  /** Called by a sampler before it works on a target, so that it is known of which one it died or hangs. Hot: one store. */
  isAt(slot: number, targetId: number): void {
    this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + AT_TARGET] = targetId + 1;
  }

  isAtNone(slot: number): void {
    this.isAt(slot, -1);
  }

  /** The target that the slot's sampler works on, or did when it ended; undefined for none. */
  targetOf(slot: number): number | undefined {
    const at = this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + AT_TARGET]!;
    return at > 0 ? at - 1 : undefined;
  }

  /** What all samplers that there are or were have counted. Of the gate that reserved their slots. */
  sumOf(counter: number): number {
    let sum = 0;
    for (let slot = 0; slot < this.#usedSlots; slot++) {
      sum += this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + counter]!;
    }
    return sum;
  }

  /** How long after it was due a tick had been checked by all samplers, in the mean; 0 before the first. */
  get meanLateUs(): number {
    return (1e3 * this.#numbers[LATE_SUM_MS]!) / Math.max(1, this.#numbers[LATE_TICKS]!);
  }

  get maxLateUs(): number {
    return 1e3 * this.#numbers[LATE_MAX_MS]!;
  }

  // The coordinator's side.

  get epoch(): Epoch {
    return Atomics.load(this.#words, EPOCH);
  }

  /**
   * Starts a phase: all samplers wake.
   *
   * @param samplers how many there are
   * @param intervals sampling intervals to pass before the samplers park again, in phases with ticks
   * @param ticks of these, ticks before they park all the same
   */
  begin(phase: Phase, samplers: number, intervals: number, ticks: number): void {
    const words = this.#words;
    words[SAMPLERS] = words[UNCHECKED] = words[UNPREPARED] = samplers;
    words[INTERVALS_LEFT] = intervals;
    words[TICKS_LEFT] = ticks;
    words[TICKS] = words[INTERVALS] = 0;
    Atomics.store(words, PHASE, phase);
    Atomics.store(words, EPOCH, words[EPOCH]! >= LAST_EPOCH ? 1 : words[EPOCH]! + 1);
    Atomics.notify(words, EPOCH);
  }

  /** Says whose mappings the next update reads: targets whose id leaves `part` when it is divided by `parts`. */
  setUpdate(part: number, parts: number): void {
    this.#words[UPDATE_PART] = part;
    this.#words[UPDATE_PARTS] = parts;
  }

  /** Whether the running update is for this target. */
  isUpdated(id: number): boolean {
    return id % this.#words[UPDATE_PARTS]! === this.#words[UPDATE_PART];
  }

  /** Whether the sampler in this slot has finished the running phase. */
  isDone(slot: number): boolean {
    return Atomics.load(this.#words, FIRST_SLOT + slot) === this.#words[EPOCH];
  }

  isEnded(slot: number): boolean {
    return Atomics.load(this.#words, FIRST_SLOT + slot) === ENDED;
  }

  /** Waits until the sampler in this slot has finished the running phase or has ended; false after `timeoutMs`. */
  awaitDone(slot: number, timeoutMs: number): boolean {
    const words = this.#words;
    const at = FIRST_SLOT + slot;
    const epoch = words[EPOCH]!;
    for (;;) {
      const seen = Atomics.load(words, at);
      if (seen === epoch) return true;
      if (seen < 0) return false;
      if (Atomics.wait(words, at, seen, timeoutMs) === 'timed-out') return false;
    }
  }

  /** Ticks of the running phase, and the sampling intervals that passed with them. */
  get ticks(): number {
    return Atomics.load(this.#words, TICKS);
  }

  get intervals(): number {
    return Atomics.load(this.#words, INTERVALS);
  }

  /** Lets the samplers that wait for one another in the running phase go: one of them will never come. */
  breakOff(): void {
    const words = this.#words;
    Atomics.store(words, BROKEN, this.epoch);
    // Whatever a sampler waits on in a phase with ticks: a tick that is due, or the others.
    Atomics.notify(words, BROKEN);
    Atomics.notify(words, CHECKS);
    Atomics.notify(words, PREPARES);
  }

  get isBroken(): boolean {
    return Atomics.load(this.#words, BROKEN) === this.epoch;
  }

  /** The first slot whose thread, if there ever was one, has ended; undefined where all are taken. */
  freeSlot(taken: (slot: number) => boolean): number | undefined {
    for (let slot = 0; slot < this.slots; slot++) {
      const word = Atomics.load(this.#words, FIRST_SLOT + slot);
      if ((word === FREE || word === ENDED) && !taken(slot)) return slot;
    }
    return undefined;
  }

  /** Takes a free slot for a thread that is about to start. */
  reserve(slot: number): void {
    this.#usedSlots = Math.max(this.#usedSlots, slot + 1);
    this.isAtNone(slot);
    Atomics.store(this.#words, FIRST_SLOT + slot, FREE);
  }

  /** Makes the slot's sampler part of the phases that begin from now on. */
  admit(slot: number): void {
    // Where its thread has ended just now, that stays to be seen.
    Atomics.compareExchange(this.#words, FIRST_SLOT + slot, FREE, this.epoch);
  }

  /** Gives the slot's sampler up. */
  revoke(slot: number): void {
    if (!this.isEnded(slot)) Atomics.store(this.#words, FIRST_SLOT + slot, REVOKED);
    Atomics.notify(this.#words, EPOCH);
  }

  /** The calls made so far. */
  get calls(): number {
    return Atomics.load(this.#words, CALLS);
  }

  /** Sleeps until there are more calls than `answered`, or `timeoutMs` have passed. True if there are. */
  sleep(answered: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, CALLS, answered, timeoutMs) !== 'timed-out';
  }

  /** Snapshots that the main thread has been sent and its user has not taken. */
  get untaken(): number {
    return Atomics.load(this.#words, UNTAKEN);
  }

  sent(snapshots: number): void {
    Atomics.add(this.#words, UNTAKEN, snapshots);
  }

  /** Waits until a snapshot is taken, or `timeoutMs` have passed. */
  awaitTaken(untaken: number, timeoutMs: number): void {
    Atomics.wait(this.#words, UNTAKEN, untaken, timeoutMs);
  }

  // A sampler's side.

  /** Blocks until a phase other than `last` runs, or the sampler in this slot is given up. */
  awaitPhase(slot: number, last: Epoch): Epoch {
    const words = this.#words;
    for (;;) {
      const epoch = Atomics.load(words, EPOCH);
      if (epoch !== last || this.isRevoked(slot)) return epoch;
      Atomics.wait(words, EPOCH, last);
    }
  }

  /**
   * Resolves when a phase other than `last` runs, or the sampler in this slot is given up; the thread goes on answering calls
   * meanwhile. Asks again after each wake-up: that another sampler is given up wakes all.
   */
  async awaitPhaseAnswering(slot: number, last: Epoch): Promise<void> {
    while (this.epoch === last && !this.isRevoked(slot)) {
      const { value } = Atomics.waitAsync(this.#words, EPOCH, last);
      await value;
    }
  }

  get phase(): Phase {
    return Atomics.load(this.#words, PHASE) as Phase;
  }

  isRevoked(slot: number): boolean {
    return Atomics.load(this.#words, FIRST_SLOT + slot) < 0;
  }

  /** Sleeps until the next tick is due, or the phase is broken off. */
  awaitDue(): void {
    if (this.#numbers[INTERVAL_MS] === 0) return;
    // Read before it is compared: a break-off in between changes the word, and the wait returns at once.
    const broken = Atomics.load(this.#words, BROKEN);
    const ms = this.#numbers[DUE_MS]! - monotonicMs();
    if (ms > 0 && broken !== this.epoch) Atomics.wait(this.#words, BROKEN, broken, ms);
  }

  /**
   * Blocks until every sampler has checked: pages are shared, and a mark erases what others look for.
   *
   * @returns false where the phase was broken off
   */
  awaitChecked(): boolean {
    const words = this.#words;
    const before = Atomics.load(words, CHECKS);
    if (Atomics.sub(words, UNCHECKED, 1) === 1) this.#releaseChecked();
    else this.#awaitOthers(CHECKS, before);
    return !this.isBroken;
  }

  /** Lets all prepare. */
  #releaseChecked(): void {
    this.countLateness();
    this.#release(UNCHECKED, CHECKS);
  }

  /** How late the tick is that all have just checked. */
  countLateness(): void {
    const numbers = this.#numbers;
    if (numbers[INTERVAL_MS] === 0) return;
    const lateMs = monotonicMs() - numbers[DUE_MS]!;
    numbers[LATE_SUM_MS]! += lateMs;
    numbers[LATE_TICKS]!++;
    if (lateMs > numbers[LATE_MAX_MS]!) numbers[LATE_MAX_MS] = lateMs;
  }

  /**
   * Blocks until every sampler has prepared; the last of them sets the next tick.
   *
   * @param hasChecked whether that was a tick, and not the marking before the first
   * @returns whether another tick follows in this phase
   */
  awaitPrepared(hasChecked: boolean): boolean {
    const words = this.#words;
    const before = Atomics.load(words, PREPARES);
    if (Atomics.sub(words, UNPREPARED, 1) === 1) {
      this.#setNext(hasChecked);
      this.#release(UNPREPARED, PREPARES);
    } else {
      this.#awaitOthers(PREPARES, before);
    }
    return !this.isBroken && Atomics.load(words, INTERVALS_LEFT) > 0 && Atomics.load(words, TICKS_LEFT) > 0;
  }

  /**
   * The next tick is on the grid. Where pages were marked so late that hardly any time is left in which they could be
   * seen accessed, it and those after it are left out until there is time enough; that shows as intervals without tick.
   */
  #setNext(hasChecked: boolean): void {
    const words = this.#words;
    const numbers = this.#numbers;
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
    const words = this.#words;
    Atomics.store(words, counter, words[SAMPLERS]!);
    Atomics.add(words, rounds, 1);
    Atomics.notify(words, rounds);
  }

  #awaitOthers(rounds: number, before: number): void {
    while (Atomics.load(this.#words, rounds) === before && !this.isBroken)
      Atomics.wait(this.#words, rounds, before);
  }

  /** Says that this sampler has finished the phase; false where it was given up meanwhile, and must end. */
  finish(slot: number, last: Epoch, epoch: Epoch): boolean {
    const at = FIRST_SLOT + slot;
    if (Atomics.compareExchange(this.#words, at, last, epoch) !== last) return false;
    Atomics.notify(this.#words, at);
    return true;
  }

  // The main thread's side.

  /** Rings for a call that has just been posted: the coordinator may be asleep for seconds. */
  ring(): void {
    Atomics.add(this.#words, CALLS, 1);
    Atomics.notify(this.#words, CALLS);
  }

  taken(): void {
    Atomics.sub(this.#words, UNTAKEN, 1);
    Atomics.notify(this.#words, UNTAKEN);
  }

  /** Says that the thread of this slot has ended. */
  ended(slot: number): void {
    Atomics.store(this.#words, FIRST_SLOT + slot, ENDED);
    Atomics.notify(this.#words, FIRST_SLOT + slot);
    Atomics.notify(this.#words, CALLS);
  }
}
