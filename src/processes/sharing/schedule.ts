/** How often surveys may be made. */
export interface SharingPace {
  /** What surveys may cost on average, in percent of one core; above 0. Default 0.2. */
  readonly maxCpuPercent?: number;
  /** The least time from the end of a survey to the begin of the next, in milliseconds. Default 5,000. */
  readonly minIntervalMs?: number;
}

export const DEFAULT_MAX_CPU_PERCENT = 0.2;
export const DEFAULT_MIN_INTERVAL_MS = 5_000;

/** When the next survey is due: the dearer the last one was, the later. */
export class Schedule {
  readonly #share: number;
  readonly #minIntervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor({
    maxCpuPercent = DEFAULT_MAX_CPU_PERCENT,
    minIntervalMs = DEFAULT_MIN_INTERVAL_MS,
  }: SharingPace) {
    this.#share = maxCpuPercent / 100;
    this.#minIntervalMs = minIntervalMs;
  }

  /** A survey has ended at `nowMs`, on any clock, and taken so much CPU. */
  ended(nowMs: number, cpuMs: number): void {
    this.#dueMs = nowMs + Math.max(this.#minIntervalMs, cpuMs / this.#share);
  }

  /** Milliseconds until the next is due; 0 where it is. */
  dueInMs(nowMs: number): number {
    return Math.max(0, this.#dueMs - nowMs);
  }
}
