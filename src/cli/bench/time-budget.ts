/** The parts of a benchmark, and how much of the time each may have, relative to the others. */
const WEIGHTS = { sampling: 8, intervals: 7, regions: 5, targets: 6, slowdown: 13 } as const;
export type Section = keyof typeof WEIGHTS;

/** Kept for ending what was started, and for a run that is still starting when its time is over. */
export const RESERVE_MS = 700;

/** Divides the time that a benchmark may take: what one part leaves over is for those that come after it. */
export class TimeBudget {
  readonly #endsAtMs: number;
  readonly #left: Set<Section>;

  /**
   * @param sections those that there will be
   * @param nowMs gives the time, in milliseconds
   */
  constructor(
    totalMs: number,
    sections: readonly Section[],
    readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#left = new Set(sections);
    this.#endsAtMs = nowMs() + totalMs - RESERVE_MS;
  }

  /** Milliseconds that a part may take from now on; each part asks once, when it begins. */
  share(section: Section): number {
    let weights = 0;
    for (const other of this.#left) weights += WEIGHTS[other];
    this.#left.delete(section);
    return Math.max(0, ((this.#endsAtMs - this.nowMs()) * WEIGHTS[section]) / weights);
  }
}
