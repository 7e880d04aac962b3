import { setImmediate as nextTurn } from 'node:timers/promises';
import { threadCpuMs } from './thread-cpu.js';

/** Short enough that a terminal or a timer of the same thread does not stutter. */
const SLICE_MS = 4;

/** Splits long work into slices, between which the rest of the thread has its turn, and counts their CPU. */
export class Slices {
  #startedMs = performance.now();
  #startedCpuMs = threadCpuMs();
  #cpuMs = 0;

  /** Whether it is time for a pause; ask every few tenths of a millisecond. */
  get isOver(): boolean {
    return performance.now() - this.#startedMs >= SLICE_MS;
  }

  async pause(): Promise<void> {
    this.#cpuMs += this.#sliceCpuMs();
    await nextTurn();
    this.#startedMs = performance.now();
    this.#startedCpuMs = threadCpuMs();
  }

  /** CPU of all slices so far, in milliseconds; their duration if the kernel has no clock for a thread. */
  get cpuMs(): number {
    return this.#cpuMs + this.#sliceCpuMs();
  }

  #sliceCpuMs(): number {
    const cpuMs = threadCpuMs() - this.#startedCpuMs;
    return Number.isNaN(cpuMs) ? performance.now() - this.#startedMs : cpuMs;
  }
}

/**
 * Does work that yields every few tenths of a millisecond: one slice at once, and the rest in further slices, a turn of the
 * event loop each. So short work is done when this returns, and long work blocks nothing.
 */
export function inSlices(work: Generator<void, void>): void {
  const untilMs = performance.now() + SLICE_MS;
  while (!work.next().done) {
    if (performance.now() < untilMs) continue;
    setImmediate(() => inSlices(work));
    return;
  }
}
