import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Mailbox } from './mailbox.js';

/** While calls are in progress, the event loop gets a turn at least this often. */
const SLICE_MS = 20;

/** Runs a step while all samplers are parked and answering calls. Steps never overlap. */
export type InControl = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * Work alongside the loop: calls from the main thread, and replacing lost samplers. It needs the event loop, which gets turns
 * only while there is such work. Some of it also needs parked samplers.
 */
export class Calls {
  /** Calls that have arrived. The mailbox counts the calls made. */
  arrived = 0;
  #running = 0;
  #steps: (() => Promise<void>)[] = [];
  /** True before the first tick, when the samplers answer at any time. */
  areSamplersParked = true;

  constructor(readonly mailbox: Mailbox) {}

  /** Whether any work needs the event loop or parked samplers. */
  get isBusy(): boolean {
    return this.#running > 0 || this.#steps.length > 0;
  }

  /** Whether a call has been made but has not arrived yet. */
  get isOneOnItsWay(): boolean {
    return this.mailbox.calls !== this.arrived;
  }

  /** Sleeps until a call is made, or for `ms`. @returns whether a call was made */
  sleep(ms: number): boolean {
    return this.mailbox.sleep(this.arrived, ms);
  }

  async answer<T>(work: () => Promise<T>): Promise<T> {
    this.arrived++;
    this.#running++;
    try {
      return await work();
    } finally {
      // One turn later: the answer is posted after this, but before the thread goes to sleep again.
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
   * Lets calls arrive and make progress, for at most `ms` if there is nothing to do but wait.
   *
   * @param park parks the samplers and lets them answer calls
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
