import type * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import type { Gate, Phase } from './gate.js';
import type { HostApi } from './protocol.js';
import { SamplerLink } from './sampler-link.js';

/** A wait for a sampler is cut into these, so that calls from outside are heard within them. */
const SLICE_MS = 20;

/** How long a thread may take to start: generous, for a machine that has better things to do. */
const START_MS = 20_000;

/** The samplers of a monitor: which there are, who gets a target, and the phases they go through together. */
export class Samplers {
  readonly #all: SamplerLink[] = [];
  #phaseStartedMs = 0;
  /** A sampler that needs longer for a phase is given up. */
  stallMs = 0;
  /** CPU of samplers that are gone. */
  endedCpuUs = 0;

  /**
   * @param limit beyond this many, targets share samplers
   */
  constructor(
    readonly gate: Gate,
    readonly host: Comlink.Remote<HostApi>,
    readonly check: CheckName,
    readonly limit: number,
  ) {}

  get all(): readonly SamplerLink[] {
    return this.#all;
  }

  /**
   * A sampler for one more target: a fresh one below the limit, else the one with the fewest regions.
   *
   * @param regionsOf regions that a sampler checks now
   * @throws PagepulseError `THREADS`
   */
  async take(regionsOf: (link: SamplerLink) => number): Promise<SamplerLink> {
    if (this.#all.length >= this.limit) {
      const link = leastBy(this.#all, (each) => regionsOf(each) + each.targets);
      link.targets++;
      await link.started;
      return link;
    }
    const slot = this.gate.freeSlot((taken) => this.#all.some((link) => link.slot === taken));
    if (slot === undefined) throw new PagepulseError('THREADS', 'all places for sampler threads are taken');
    this.gate.reserve(slot);
    const link = new SamplerLink(this.gate, slot, START_MS);
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
      const reason = await this.host.failureOf(link.slot);
      throw new PagepulseError(
        'THREADS',
        `a sampler thread could not start${reason ? `: ${reason}` : ''}; look at the limits of memory and threads ` +
          '(`ulimit -a`, the container), or watch with fewer workers',
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
    this.gate.revoke(link.slot);
    this.gate.releaseChecked();
    void this.host.endSampler(link.slot);
  }

  /** Begins a phase in all joined samplers; the one before must have ended. Hot: once or more a tick. */
  begin(phase: Phase): void {
    let joined = 0;
    for (let i = 0; i < this.#all.length; i++) if (this.#all[i]!.joined) joined++;
    this.#phaseStartedMs = performance.now();
    this.gate.begin(phase, joined);
  }

  /**
   * Waits until the phase has ended in all samplers.
   *
   * @param answered calls from outside that have been answered: one more interrupts the wait
   * @returns false where it has not ended yet: because of a call, or of a sampler that `isLost` tells
   */
  await(answered: number): boolean {
    for (let i = 0; i < this.#all.length; i++) {
      const link = this.#all[i]!;
      if (!link.joined) continue;
      while (!this.gate.awaitDone(link.slot, SLICE_MS)) {
        if (this.isLost(link) || this.gate.calls !== answered) return false;
      }
    }
    return true;
  }

  /** When the last of them finished the phase that has ended (monotonicMs); 0 where there are none. */
  finishedMs(): number {
    let last = 0;
    for (let i = 0; i < this.#all.length; i++) {
      const link = this.#all[i]!;
      if (link.joined) last = Math.max(last, this.gate.finishedMs(link.slot));
    }
    return last;
  }

  /** Whether a sampler has ended, or has been at the running phase for too long. */
  isLost(link: SamplerLink): boolean {
    if (!link.joined || this.gate.isDone(link.slot)) return false;
    return this.gate.isEnded(link.slot) || performance.now() - this.#phaseStartedMs > this.stallMs;
  }
}

function leastBy<T>(items: readonly T[], weight: (item: T) => number): T {
  return items.reduce((least, item) => (weight(item) < weight(least) ? item : least));
}
