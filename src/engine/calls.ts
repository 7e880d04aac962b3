import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Mailbox } from './mailbox.js';

/** While calls are being worked on, the event loop gets a turn at least this often. */
const SLICE_MS = 20;

/** Runs a step while all samplers are parked and answer calls; steps never overlap. */
export type InControl = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * Work beside the loop: calls from the main thread, and the replacing of lost samplers. It needs the event loop, which gets
 * turns only while there is such work; some of it also needs the samplers parked.
 */
export class Calls {
  /** Calls that have arrived: the mailbox counts those that were made. */
  arrived = 0;
  #running = 0;
  #steps: (() => Promise<void>)[] = [];
  /** Before the first tick the samplers answer at any time. */
  areSamplersParked = true;

  constructor(readonly mailbox: Mailbox) {}

  /** Whether anything needs the event loop, or the samplers parked. */
  get isBusy(): boolean {
    return this.#running > 0 || this.#steps.length > 0;
  }

  /** Whether a call was made that has not arrived yet. */
  get isOneOnItsWay(): boolean {
    return this.mailbox.calls !== this.arrived;
  }

  /** Sleeps until a call is made, or `ms` have passed. True if one was. */
  sleep(ms: number): boolean {
    return this.mailbox.sleep(this.arrived, ms);
  }

  async answer<T>(work: () => Promise<T>): Promise<T> {
    this.arrived++;
    this.#running++;
    try {
      return await work();
    } finally {
      // A turn later: the answer is posted after this, and must be before the thread goes to sleep again.
      setImmediate(() => this.#running--);
    }
  }

  readonly inBackground = (work: Promise<void>): void => {
    this.#running++;
    void work.finally(() => this.#running--);
  };

  readonly inControl: InControl = (step) => {
    if (this.areSamplersParked) return step();
    return new Promise((resolve, reject) => {
      this.#steps.push(() => step().then(resolve, reject));
    });
  };

  /**
   * Lets calls arrive and be worked on, for at most `ms` if there is nothing to do but wait.
   *
   * @param park parks the samplers where they answer calls
   */
  async giveTurns(ms: number, park: () => Promise<void>): Promise<void> {
    await nextTurn();
    if (this.#steps.length > 0) {
      await park();
      for (const step of this.#steps.splice(0)) await step();
    } else if (this.isBusy) {
      await pause(Math.min(SLICE_MS, ms));
    }
  }
}
