import { setImmediate as nextTurn } from 'node:timers/promises';
import { threadCpuMs } from './thread-cpu.js';

/** Short enough that a terminal or a timer of the same thread does not stutter. */
const SLICE_MS = 4;

/** Long work in slices, between which everything else on the thread has its turn; and the CPU that the slices took. */
export class Slices {
  #startedMs = performance.now();
  #startedCpuMs = threadCpuMs();
  #cpuMs = 0;

  /** Whether it is time for a pause: to be asked every few tenths of a millisecond. */
  get isOver(): boolean {
    return performance.now() - this.#startedMs >= SLICE_MS;
  }

  async pause(): Promise<void> {
    this.#cpuMs += this.#sliceCpuMs();
    await nextTurn();
    this.#startedMs = performance.now();
    this.#startedCpuMs = threadCpuMs();
  }

  /** CPU of all slices so far, in milliseconds; their length where the kernel has no clock for a thread. */
  get cpuMs(): number {
    return this.#cpuMs + this.#sliceCpuMs();
  }

  #sliceCpuMs(): number {
    const cpuMs = threadCpuMs() - this.#startedCpuMs;
    return Number.isNaN(cpuMs) ? performance.now() - this.#startedMs : cpuMs;
  }
}

/**
 * Does work that yields every few tenths of a millisecond: at once for as long as a slice, and what is left then in further
 * slices, a turn of the event loop each. So what is short is done when this returns, and what is long holds up nothing.
 */
export function inSlices(work: Generator<void, void>): void {
  const untilMs = performance.now() + SLICE_MS;
  while (!work.next().done) {
    if (performance.now() < untilMs) continue;
    setImmediate(() => inSlices(work));
    return;
  }
}
