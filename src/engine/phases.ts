import type { Slots } from './slots.js';

/**
 * What all samplers do at the same time. Phases never overlap; each ends when every sampler has finished it. Between phases all
 * samplers are parked, and only the coordinator touches the region tables.
 */
export const Phase = {
  /** Mark a page of every region old, then tick on the grid until the coordinator has work on the tables. */
  PREPARE_AND_TICK: 1,
  /** Tick; the pages are already marked. */
  TICK: 2,
  /** Check which marked pages were accessed, without marking new ones. */
  CHECK: 3,
  /** Read the mappings of a part of the targets again. */
  UPDATE: 4,
  /** Read the mappings again of targets whose address space is gone. */
  REFRESH: 5,
  /** Answer calls until the next phase starts. */
  CONTROL: 6,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** The number of a phase. Only equality matters. */
export type Epoch = number;

const EPOCH = 0;
const PHASE = 1;
/** The last phase that was aborted. */
const BROKEN = 2;
/** Which part of the targets an update is for, and the number of parts. */
const UPDATE_PART = 3;
const UPDATE_PARTS = 4;

/** Phase numbers start again after this. A slot's word contains either a phase number or a mark below zero. */
export const LAST_EPOCH = 0x3fff_ffff;

/** The current phase, and how samplers wake for it. */
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

  /** Starts a phase, and wakes all samplers. */
  begin(phase: Phase): void {
    const { words } = this;
    Atomics.store(words, PHASE, phase);
    Atomics.store(words, EPOCH, words[EPOCH]! >= LAST_EPOCH ? 1 : words[EPOCH]! + 1);
    this.wake();
  }

  /** Wakes all samplers that wait for a phase, so that a revoked one notices. */
  wake(): void {
    Atomics.notify(this.words, EPOCH);
  }

  /** Sets which mappings the next update reads: those of targets with ID modulo `parts` = `part`. */
  setUpdate(part: number, parts: number): void {
    this.words[UPDATE_PART] = part;
    this.words[UPDATE_PARTS] = parts;
  }

  /** Whether the sampler in this slot has finished the current phase. */
  isDone(slot: number): boolean {
    return Atomics.load(this.slots.finished, slot) === this.words[EPOCH];
  }

  /** Waits for the sampler in this slot to finish the current phase. @returns false if it ended, or after `timeoutMs` */
  awaitDone(slot: number, timeoutMs: number): boolean {
    return this.slots.awaitFinished(slot, this.words[EPOCH]!, timeoutMs);
  }

  /** Aborts the current phase, and wakes samplers that sleep until a tick is due. */
  breakOff(): void {
    Atomics.store(this.words, BROKEN, this.epoch);
    Atomics.notify(this.words, BROKEN);
  }

  get isBroken(): boolean {
    return Atomics.load(this.words, BROKEN) === this.epoch;
  }

  // A sampler's side.

  /** Blocks until a phase other than `last` runs, or the sampler in this slot is revoked. */
  await(slot: number, last: Epoch): Epoch {
    for (;;) {
      const { epoch } = this;
      if (epoch !== last || this.slots.isRevoked(slot)) return epoch;
      Atomics.wait(this.words, EPOCH, last);
    }
  }

  /**
   * Resolves when a phase other than `last` runs, or the sampler in this slot is revoked. The thread answers calls meanwhile.
   * Checks again after each wake-up, because revoking another sampler wakes all.
   */
  async awaitAnswering(slot: number, last: Epoch): Promise<void> {
    while (this.epoch === last && !this.slots.isRevoked(slot)) {
      const { value } = Atomics.waitAsync(this.words, EPOCH, last);
      await value;
    }
  }

  /** Sleeps for `ms`, or until the phase is aborted. */
  sleep(ms: number): void {
    // Read before the comparison: an abort in between changes the word, and the wait returns at once.
    const broken = Atomics.load(this.words, BROKEN);
    if (ms > 0 && broken !== this.epoch) Atomics.wait(this.words, BROKEN, broken, ms);
  }

  /** Whether the current update is for this target. */
  isUpdated(id: number): boolean {
    return id % this.words[UPDATE_PARTS]! === this.words[UPDATE_PART];
  }
}
