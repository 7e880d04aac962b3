import type * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { CoverName } from '../sources/source.js';
import type { Phase } from './phases.js';
import type { HostApi } from './protocol.js';
import { NoAnswer, SamplerLink } from './sampler-link.js';
import type { SharedState } from './shared-state.js';
import type { Target } from './target.js';
import { THREADS_HELP } from './thread-pool.js';

/** Waits for samplers are divided into slices of this length, so that calls are heard in between. */
const SLICE_MS = 50;

/** How long the other samplers may take to notice that the phase was aborted. */
const LET_GO_MS = 200;

/** The samplers of a monitor: starts and ends them, assigns targets, and runs the phases that they go through together. */
export class Samplers {
  readonly #all: SamplerLink[] = [];
  /** How long the current phase may take, and how long it has been waited for. */
  #allowedMs = 0;
  #waitedMs = 0;
  /** A sampler that needs longer for a phase is declared lost. */
  stallMs = 0;
  /** CPU time of samplers that have ended. */
  endedCpuUs = 0;

  /**
   * @param limit beyond this many, targets share samplers
   */
  constructor(
    readonly shared: SharedState,
    readonly host: Comlink.Remote<HostApi>,
    readonly source: string,
    readonly cover: CoverName,
    readonly limit: number,
  ) {}

  /** Whether any sampler takes part in the phases, or will from the next one on. */
  get anyIsReady(): boolean {
    for (let i = 0; i < this.#all.length; i++) if (this.#all[i]!.isReady) return true;
    return false;
  }

  get all(): readonly SamplerLink[] {
    return this.#all;
  }

  /** Whether another sampler may be started. */
  get mayGrow(): boolean {
    return this.#all.length < this.limit;
  }

  /**
   * Chooses a sampler for one more target: a new one below the limit, else the one with the fewest regions.
   *
   * @param regionsOf current number of regions of a sampler
   * @param except the sampler that the target should leave
   * @throws PagepulseError `THREADS`
   */
  async assign(regionsOf: (link: SamplerLink) => number, except?: SamplerLink): Promise<SamplerLink> {
    if (!this.mayGrow) {
      const others = this.#all.filter((link) => link !== except);
      const link = leastBy(others, (each) => regionsOf(each) + each.targets);
      link.targets++;
      await link.started;
      return link;
    }
    const slot = this.shared.slots.firstFree((taken) => this.#all.some((link) => link.slot === taken));
    if (slot === undefined)
      throw new PagepulseError(
        'THREADS',
        'all slots for sampler threads are in use; watch with fewer workers',
      );
    this.shared.slots.reserve(slot);
    const link = new SamplerLink(this.shared, slot);
    link.targets = 1;
    this.#all.push(link);
    link.started = this.#start(link);
    await link.started;
    return link;
  }

  async #start(link: SamplerLink): Promise<void> {
    try {
      link.connect(await this.host.startSampler(link.slot, this.source, this.cover));
      await link.ready();
    } catch (error) {
      this.drop(link);
      if (error instanceof NoAnswer) throw error;
      const reason = await this.host.failureOf(link.slot);
      throw new PagepulseError(
        'THREADS',
        `a sampler thread could not start${reason ? `: ${reason}` : ''}; ${THREADS_HELP}, or watch with fewer workers`,
        { cause: error },
      );
    }
  }

  /** Removes a sampler, and ends its thread even if it is busy. */
  drop(link: SamplerLink): void {
    const at = this.#all.indexOf(link);
    if (at < 0) return;
    this.#all.splice(at, 1);
    link.readCpu();
    this.endedCpuUs += link.cpuUs;
    link.close();
    this.shared.revoke(link.slot);
    this.shared.breakOff();
    void this.host.endSampler(link.slot);
  }

  /**
   * Starts a phase in all samplers that have joined or are ready to join. The previous phase must have ended. Hot: about ten
   * times a second.
   *
   * @param intervals length of a phase with ticks, in sampling intervals
   * @param ticks ends the phase after this many ticks, even if fewer intervals have passed
   */
  begin(phase: Phase, intervals = 0, ticks = intervals): void {
    let joined = 0;
    for (let i = 0; i < this.#all.length; i++) {
      const link = this.#all[i]!;
      if (link.isReady && !link.joined) link.join();
      if (link.joined) joined++;
    }
    this.#waitedMs = 0;
    this.#allowedMs = this.stallMs + (intervals + 1) * this.shared.barrier.intervalMs;
    this.shared.begin(phase, joined, intervals, ticks);
  }

  /**
   * Waits until the phase has ended in all samplers.
   *
   * @param answered number of calls answered so far; one more interrupts the wait
   * @returns false if it has not ended yet, because of a call or of samplers that `findLost` reports
   */
  await(answered: number): boolean {
    for (let i = 0; i < this.#all.length; i++) {
      const link = this.#all[i]!;
      if (!link.joined) continue;
      while (!this.shared.phases.awaitDone(link.slot, SLICE_MS)) {
        this.#waitedMs += SLICE_MS;
        // Checks all samplers: this one may be waiting for another that has ended.
        if (this.#anyIsMissing || this.shared.mailbox.calls !== answered) return false;
      }
    }
    return true;
  }

  /**
   * Samplers that died in the current phase, or did not finish it in time. Aborts the phase first, so that a sampler that is
   * merely waiting for them is not declared lost.
   */
  findLost(): SamplerLink[] {
    const isOverdue = this.#isOverdue;
    if (!this.#anyIsMissing) return [];
    this.shared.breakOff();
    const givenUpMs = performance.now() + LET_GO_MS;
    for (const link of this.#all) {
      const isWaitedFor = link.joined && !this.shared.slots.isEnded(link.slot);
      if (isWaitedFor) this.shared.phases.awaitDone(link.slot, Math.max(0, givenUpMs - performance.now()));
    }
    return this.#all.filter((link) => this.#isMissing(link, isOverdue));
  }

  /** Counts slices instead of reading the clock: if the whole process was stopped for a while, no sampler is late. */
  get #isOverdue(): boolean {
    return this.#waitedMs > this.#allowedMs;
  }

  get #anyIsMissing(): boolean {
    const isOverdue = this.#isOverdue;
    for (let i = 0; i < this.#all.length; i++) if (this.#isMissing(this.#all[i]!, isOverdue)) return true;
    return false;
  }

  #isMissing(link: SamplerLink, isOverdue: boolean): boolean {
    if (!link.joined || this.shared.phases.isDone(link.slot)) return false;
    return isOverdue || this.shared.slots.isEnded(link.slot);
  }
}

function leastBy<T>(items: readonly T[], weight: (item: T) => number): T {
  return items.reduce((least, item) => (weight(item) < weight(least) ? item : least));
}

/** Samplers whose numbers of regions differ by less are balanced: a region costs some microseconds per tick. */
const LEAST_GAP = 32;
/** Samplers are also balanced if they differ by less than this share of the larger number. */
const LEAST_GAP_SHARE = 0.25;

/**
 * The target to move so that all samplers have about the same number of regions. It belongs to the sampler with the most
 * regions, and its size is closest to half of the gap to the sampler with the fewest.
 *
 * @param mayGrow whether a new sampler could be started for it
 * @returns undefined if the samplers are balanced, or if no move closes a quarter of the gap
 */
export function targetToMove(
  targets: readonly Target[],
  samplers: readonly SamplerLink[],
  mayGrow: boolean,
): Target | undefined {
  const regions = new Map(samplers.map((link) => [link, 0]));
  for (const { link, table } of targets) {
    if (link) regions.set(link, (regions.get(link) ?? 0) + table.count);
  }
  const [most, its] = [...regions].reduce((a, b) => (b[1] > a[1] ? b : a), [undefined, 0] as [
    unknown,
    number,
  ]);
  const least = mayGrow ? 0 : Math.min(...regions.values());
  const gap = its - least;
  if (gap < LEAST_GAP || gap < LEAST_GAP_SHARE * its) return undefined;
  let best: Target | undefined;
  let bestGap = 0.75 * gap;
  for (const target of targets) {
    const gapAfter = Math.abs(gap - 2 * target.table.count);
    if (target.link === most && gapAfter < bestGap) [best, bestGap] = [target, gapAfter];
  }
  return best;
}
