import { Barrier } from './barrier.js';
import { Mailbox } from './mailbox.js';
import { type Phase, Phases } from './phases.js';
import { Slots } from './slots.js';

const WORDS = Mailbox.WORDS + Phases.WORDS + Barrier.WORDS;
const BYTES_PER_SLOT = 8 * Slots.NUMBERS_PER_SLOT + 4;

/**
 * The memory that a monitor's threads share, besides the region tables. One SharedArrayBuffer holds numbers (Float64) and words
 * (Int32), and each part has its own.
 */
export class SharedState {
  readonly mailbox: Mailbox;
  readonly slots: Slots;
  readonly phases: Phases;
  readonly barrier: Barrier;

  constructor(readonly buffer: SharedArrayBuffer) {
    const slots = (buffer.byteLength - 8 * Barrier.NUMBERS - 4 * WORDS) / BYTES_PER_SLOT;
    const numbers = Barrier.NUMBERS + Slots.NUMBERS_PER_SLOT * slots;
    let at = 8 * numbers;
    const words = (count: number) => {
      const taken = new Int32Array(buffer, at, count);
      at += taken.byteLength;
      return taken;
    };
    this.mailbox = new Mailbox(words(Mailbox.WORDS));
    const ofSlots = new Float64Array(buffer, 8 * Barrier.NUMBERS, Slots.NUMBERS_PER_SLOT * slots);
    this.slots = new Slots(words(slots), ofSlots);
    this.phases = new Phases(words(Phases.WORDS), this.slots);
    const ofBarrier = new Float64Array(buffer, 0, Barrier.NUMBERS);
    this.barrier = new Barrier(words(Barrier.WORDS), ofBarrier, this.phases);
  }

  static create(slots: number): SharedState {
    return new SharedState(new SharedArrayBuffer(8 * Barrier.NUMBERS + 4 * WORDS + BYTES_PER_SLOT * slots));
  }

  /** Coordinator: starts a phase (Barrier.reset). */
  begin(phase: Phase, samplers: number, intervals: number, ticks: number): void {
    this.barrier.reset(samplers, intervals, ticks);
    this.phases.begin(phase);
  }

  /** Coordinator: aborts the current phase, so that samplers do not wait for one that is lost. */
  breakOff(): void {
    this.phases.breakOff();
    this.barrier.wake();
  }

  /** Coordinator: revokes the slot's sampler. */
  revoke(slot: number): void {
    this.slots.revoke(slot);
    this.phases.wake();
  }

  /** Main thread: the thread of this slot has ended. */
  ended(slot: number): void {
    this.slots.ended(slot);
    this.mailbox.wake();
  }
}
