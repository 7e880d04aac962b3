import type * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import type { Phase } from './phases.js';
import type { HostApi } from './protocol.js';
import { NoAnswer, SamplerLink } from './sampler-link.js';
import type { SharedState } from './shared-state.js';
import type { Target } from './target.js';
import { THREADS_HELP } from './thread-pool.js';

/** A wait for a sampler is cut into these, so that calls from outside are heard within them. */
const SLICE_MS = 50;

/** How long the other samplers may take to notice that one is given up. */
const LET_GO_MS = 200;

/** The samplers of a monitor: which there are, who gets a target, and the phases they go through together. */
export class Samplers {
  readonly #all: SamplerLink[] = [];
  /** Of the running phase, in milliseconds: for how long it may be waited for, and how long it has been. */
  #allowedMs = 0;
  #waitedMs = 0;
  /** A sampler that needs longer for a phase is given up. */
  stallMs = 0;
  /** CPU of samplers that are gone. */
  endedCpuUs = 0;

  /**
   * @param limit beyond this many, targets share samplers
   */
  constructor(
    readonly shared: SharedState,
    readonly host: Comlink.Remote<HostApi>,
    readonly check: CheckName,
    readonly limit: number,
  ) {}

  /** Whether any takes part in the phases, or will from the next one on. */
  get anyIsReady(): boolean {
    for (let i = 0; i < this.#all.length; i++) if (this.#all[i]!.isReady) return true;
    return false;
  }

  get all(): readonly SamplerLink[] {
    return this.#all;
  }

  /** Whether a further sampler may be started. */
  get mayGrow(): boolean {
    return this.#all.length < this.limit;
  }

  /**
   * A sampler for one more target: a fresh one below the limit, else the one with the fewest regions.
   *
   * @param regionsOf regions that a sampler checks now
   * @param except the sampler that it is to leave
   * @throws PagepulseError `THREADS`
   */
  async take(regionsOf: (link: SamplerLink) => number, except?: SamplerLink): Promise<SamplerLink> {
    if (!this.mayGrow) {
      const others = this.#all.filter((link) => link !== except);
      const link = leastBy(others, (each) => regionsOf(each) + each.targets);
      link.targets++;
      await link.started;
      return link;
    }
    const slot = this.shared.slots.firstFree((taken) => this.#all.some((link) => link.slot === taken));
    if (slot === undefined) throw new PagepulseError('THREADS', 'all places for sampler threads are taken');
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
      link.connect(await this.host.startSampler(link.slot, this.check));
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

  /** Gives a sampler up, and ends its thread whatever it does. */
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
   * Begins a phase in all samplers that have joined or are ready to; the one before must have ended. Hot: some ten times a
   * second.
   *
   * @param intervals in phases with ticks, the sampling intervals it is for
   * @param ticks of these, the ticks with which it ends all the same
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
   * @param answered calls from outside that have been answered: one more interrupts the wait
   * @returns false where it has not ended yet: because of a call, or of samplers that `findLost` finds
   */
  await(answered: number): boolean {
    for (let i = 0; i < this.#all.length; i++) {
      const link = this.#all[i]!;
      if (!link.joined) continue;
      while (!this.shared.phases.awaitDone(link.slot, SLICE_MS)) {
        this.#waitedMs += SLICE_MS;
        // Any: this one may wait for another that has ended.
        if (this.#anyIsMissing || this.shared.mailbox.calls !== answered) return false;
      }
    }
    return true;
  }

  /**
   * Samplers that have ended in the running phase, or have not come to its end in time. The others, who may be waiting
   * for them, are let go first, so that nobody is taken for lost who only waits.
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

  /** Counted in slices, not by the clock: where the whole process was stopped for a while, no sampler is late. */
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

/** Samplers whose regions differ by less are even: a region costs some microseconds a tick. */
const LEAST_GAP = 32;
/** ... or by less than this share of the larger one's. */
const LEAST_GAP_SHARE = 0.25;

/**
 * The target that should change hands for the samplers to have about as many regions to check: of the one that has most,
 * that which comes nearest to half of what it has more than the one that has fewest. None where they are even enough, or
 * where no move would take a quarter off the difference.
 *
 * @param mayGrow whether a sampler could be started for it
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
