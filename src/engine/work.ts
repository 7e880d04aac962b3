import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * What is being worked on with the help of the event loop: calls from outside, and what goes on in the background. Steps of
 * it that touch tables or samplers wait until the samplers are parked and answering.
 */
export class Work {
  #pending = 0;
  #steps: (() => Promise<void>)[] = [];
  #wake = () => {};

  /** Whether somebody needs the event loop, or the samplers parked. */
  get isPending(): boolean {
    return this.#pending > 0 || this.#steps.length > 0;
  }

  get hasSteps(): boolean {
    return this.#steps.length > 0;
  }

  /** Counts a call until its answer has been posted: a turn after it is there, before the thread may go to sleep again. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await work();
    } finally {
      setImmediate(() => this.#end());
    }
  }

  inBackground(work: Promise<void>): void {
    this.#pending++;
    void work.finally(() => this.#end());
  }

  /** Has a step done as soon as the samplers are parked; its result. */
  inControl<T>(step: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#steps.push(() => step().then(resolve, reject));
      this.#wake();
    });
  }

  /** Does the steps that wait. The samplers must be parked and answering. */
  async doSteps(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step();
  }

  /** Leaves the thread to the event loop for a time, or until something is done or wants a step. */
  async pause(ms: number): Promise<void> {
    await nextTurn();
    if (this.hasSteps || !this.isPending) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #end(): void {
    this.#pending--;
    this.#wake();
  }
}
