import type { CheckCounters } from '../checks/access-check.js';

/**
 * The beat: one SharedArrayBuffer on which coordinator and samplers wait for each other with Atomics, and which the
 * main thread touches to be heard. Phases follow each other, never overlap, and each ends when every sampler has said
 * so. Between phases all samplers are parked, and the coordinator alone touches the region tables.
 *
 * Words (Int32): the running phase and its number, the calls the main thread has made, the snapshots it has not taken
 * yet, and a slot for each sampler with the number of the phase it finished last. Numbers (Float64): the time of the
 * tick, and for each slot what its sampler counted.
 */
export const Phase = {
  /** Pick a page of every region and mark it old. */
  PREPARE: 1,
  /** Look which of them were accessed. */
  CHECK: 2,
  /** Both: check, wait until every sampler has, prepare. Spares waking everyone twice where nothing lies between. */
  CHECK_AND_PREPARE: 3,
  /** Read the mappings of all targets again. */
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
/** Samplers that have still to check before any may prepare, and the last phase in which all had. */
const UNCHECKED = 4;
const CHECKED = 5;
const FIRST_SLOT = 6;

/** A slot that no sampler has had yet. */
const FREE = 0;
/** The sampler in this slot was given up: should it wake, it must touch nothing. */
const REVOKED = -1;
/** The thread of this slot has ended. */
const ENDED = -2;

const TICK_US = 0;
const FIRST_OF_SLOTS = 1;
const NUMBERS_PER_SLOT = 3;
/** After the two counters of a slot: when its sampler finished the last phase. */
const FINISHED_MS = 2;

/** Phase numbers start again after this: a slot holds them beside the marks below zero. */
const LAST_EPOCH = 0x3fff_ffff;

/** What the phase's number is called where only equality matters. */
export type Epoch = number;

const [seconds, nanoseconds] = process.hrtime();
const originMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

/** CLOCK_MONOTONIC in milliseconds: the same in all threads, as performance.now() is not. Allocates nothing. */
export function monotonicMs(): number {
  return originMs + performance.now();
}

export class Gate {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly slots: number;

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

  /** The monitor's time at the tick that runs: every phase of a tick has the same. */
  get tickUs(): number {
    return this.#numbers[TICK_US]!;
  }

  set tickUs(nowUs: number) {
    this.#numbers[TICK_US] = nowUs;
  }

  countersOf(slot: number): CheckCounters {
    const from = FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot;
    return { counts: this.#numbers.subarray(from, from + FINISHED_MS) };
  }

  countOf(slot: number, counter: number): number {
    return this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + counter]!;
  }

  // The coordinator's side.

  get epoch(): Epoch {
    return Atomics.load(this.#words, EPOCH);
  }

  /** Starts a phase, for so many samplers: all wake. */
  begin(phase: Phase, samplers: number): void {
    const words = this.#words;
    Atomics.store(words, UNCHECKED, samplers);
    Atomics.store(words, PHASE, phase);
    Atomics.store(words, EPOCH, words[EPOCH]! >= LAST_EPOCH ? 1 : words[EPOCH]! + 1);
    Atomics.notify(words, EPOCH);
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

  /** When the sampler in this slot finished the last phase (monotonicMs). */
  finishedMs(slot: number): number {
    return this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + FINISHED_MS]!;
  }

  /** Lets the samplers prepare that wait for one which will never have checked. */
  releaseChecked(): void {
    Atomics.store(this.#words, CHECKED, this.epoch);
    Atomics.notify(this.#words, CHECKED);
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
    Atomics.store(this.#words, FIRST_SLOT + slot, FREE);
  }

  /** Makes the slot's sampler part of the phases that begin from now on. */
  admit(slot: number): void {
    Atomics.store(this.#words, FIRST_SLOT + slot, this.epoch);
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

  sent(): void {
    Atomics.add(this.#words, UNTAKEN, 1);
  }

  /** Waits until a snapshot is taken, or `timeoutMs` have passed. */
  awaitTaken(untaken: number, timeoutMs: number): void {
    Atomics.wait(this.#words, UNTAKEN, untaken, timeoutMs);
  }

  // A sampler's side.

  /** Blocks until a phase other than `last` runs. */
  awaitPhase(last: Epoch): Epoch {
    const words = this.#words;
    for (;;) {
      const epoch = Atomics.load(words, EPOCH);
      if (epoch !== last) return epoch;
      Atomics.wait(words, EPOCH, last);
    }
  }

  /** Resolves when a phase other than `last` runs; the thread goes on answering calls meanwhile. */
  async awaitPhaseAnswering(last: Epoch): Promise<void> {
    const { value } = Atomics.waitAsync(this.#words, EPOCH, last);
    await value;
  }

  get phase(): Phase {
    return Atomics.load(this.#words, PHASE) as Phase;
  }

  isRevoked(slot: number): boolean {
    return Atomics.load(this.#words, FIRST_SLOT + slot) < 0;
  }

  /** Blocks until every sampler has checked in this phase: pages are shared, and a mark erases what others look for. */
  awaitChecked(epoch: Epoch): void {
    const words = this.#words;
    if (Atomics.sub(words, UNCHECKED, 1) === 1) {
      Atomics.store(words, CHECKED, epoch);
      Atomics.notify(words, CHECKED);
      return;
    }
    for (;;) {
      const seen = Atomics.load(words, CHECKED);
      if (seen === epoch) return;
      Atomics.wait(words, CHECKED, seen);
    }
  }

  /** Says that this sampler has finished the phase; false where it was given up meanwhile, and must end. */
  finish(slot: number, last: Epoch, epoch: Epoch): boolean {
    const at = FIRST_SLOT + slot;
    this.#numbers[FIRST_OF_SLOTS + NUMBERS_PER_SLOT * slot + FINISHED_MS] = monotonicMs();
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
  }
}
