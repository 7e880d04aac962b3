import type { Slots } from './slots.js';

/**
 * What all samplers do at the same time. Phases follow each other and never overlap; each ends when every sampler has said so.
 * Between phases all samplers are parked, and the coordinator alone touches the region tables.
 */
export const Phase = {
  /** Mark a page of every region old; then ticks on the grid, until the coordinator has work to do on the tables. */
  PREPARE_AND_TICK: 1,
  /** The ticks alone: the pages have been marked before. */
  TICK: 2,
  /** Look which of the marked pages were accessed, and mark no others. */
  CHECK: 3,
  /** Read the mappings of a part of the targets again. */
  UPDATE: 4,
  /** Read the mappings of those targets again whose address space was found gone. */
  REFRESH: 5,
  /** Answer calls until the next phase begins. */
  CONTROL: 6,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** The number of a phase, where only equality matters. */
export type Epoch = number;

const EPOCH = 0;
const PHASE = 1;
/** The last phase that was broken off. */
const BROKEN = 2;
/** Of an update: which part of the targets it is for, of how many. */
const UPDATE_PART = 3;
const UPDATE_PARTS = 4;

/** Phase numbers start again after this: a slot holds them beside the marks below zero. */
export const LAST_EPOCH = 0x3fff_ffff;

/** Which phase runs, and how samplers are woken for it. */
export class Phases {
  static readonly WORDS = 5;

  constructor(
    readonly words: Int32Array,
    readonly slots: Slots,
  ) {}

  get epoch(): Epoch {
    return Atomics.load(this.words, EPOCH);
  }

  get phase(): Phase {
    return Atomics.load(this.words, PHASE) as Phase;
  }

  // The coordinator's side.

  /** Starts a phase: all samplers wake. */
  begin(phase: Phase): void {
    const { words } = this;
    Atomics.store(words, PHASE, phase);
    Atomics.store(words, EPOCH, words[EPOCH]! >= LAST_EPOCH ? 1 : words[EPOCH]! + 1);
    this.wake();
  }

  /** Wakes those that wait for a phase: one of them was given up. */
  wake(): void {
    Atomics.notify(this.words, EPOCH);
  }

  /** Says whose mappings the next update reads: targets whose id leaves `part` when it is divided by `parts`. */
  setUpdate(part: number, parts: number): void {
    this.words[UPDATE_PART] = part;
    this.words[UPDATE_PARTS] = parts;
  }

  /** Whether the sampler in this slot has finished the running phase. */
  isDone(slot: number): boolean {
    return Atomics.load(this.slots.finished, slot) === this.words[EPOCH];
  }

  /** Waits until the sampler in this slot has finished the running phase or has ended; false after `timeoutMs`. */
  awaitDone(slot: number, timeoutMs: number): boolean {
    return this.slots.awaitFinished(slot, this.words[EPOCH]!, timeoutMs);
  }

  /** Marks the running phase as broken off, and wakes those that sleep in it until a tick is due. */
  breakOff(): void {
    Atomics.store(this.words, BROKEN, this.epoch);
    Atomics.notify(this.words, BROKEN);
  }

  get isBroken(): boolean {
    return Atomics.load(this.words, BROKEN) === this.epoch;
  }

  // A sampler's side.

  /** Blocks until a phase other than `last` runs, or the sampler in this slot is given up. */
  await(slot: number, last: Epoch): Epoch {
    for (;;) {
      const { epoch } = this;
      if (epoch !== last || this.slots.isRevoked(slot)) return epoch;
      Atomics.wait(this.words, EPOCH, last);
    }
  }

  /**
   * Resolves when a phase other than `last` runs, or the sampler in this slot is given up; meanwhile the thread goes on
   * answering calls. Asks again after each wake-up, for giving up another sampler wakes all.
   */
  async awaitAnswering(slot: number, last: Epoch): Promise<void> {
    while (this.epoch === last && !this.slots.isRevoked(slot)) {
      const { value } = Atomics.waitAsync(this.words, EPOCH, last);
      await value;
    }
  }

  /** Sleeps for `ms`, or until the phase is broken off. */
  sleep(ms: number): void {
    // Read before it is compared: a break-off in between changes the word, and the wait returns at once.
    const broken = Atomics.load(this.words, BROKEN);
    if (ms > 0 && broken !== this.epoch) Atomics.wait(this.words, BROKEN, broken, ms);
  }

  /** Whether the running update is for this target. */
  isUpdated(id: number): boolean {
    return id % this.words[UPDATE_PARTS]! === this.words[UPDATE_PART];
  }
}
