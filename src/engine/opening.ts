import type { TargetRequest } from '../checks/target-request.js';
import type { RandomState } from '../core/random.js';
import { isWire, toWire, type WireError } from './comlink-errors.js';
import type { OpenedTarget, TargetToOpen } from './protocol.js';
import type { SamplerLink } from './sampler-link.js';
import type { Samplers } from './samplers.js';

/** Runs a step while all samplers are parked and answer calls; steps never overlap. */
export type InControl = <T>(step: () => Promise<T>) => Promise<T>;

/** How long those that are watched already may wait for others to be opened: less than they have between two ticks. */
const PORTION_MS = 3;
/** What is sent to be opened at once, at most. */
const PORTION = 64;

/** A target on its way to a sampler, for the first time or again. */
export interface Arrival {
  readonly id: number;
  readonly request: TargetRequest;
  /** Of its stream in the sampler. */
  readonly random: RandomState;
}

/** A target that a sampler has opened. */
export interface Opened<A extends Arrival> {
  readonly arrival: A;
  readonly opened: OpenedTarget;
}

/** Has the sampler watch what it has opened. Called in control. */
export type Take<A extends Arrival> = (link: SamplerLink, portion: readonly Opened<A>[]) => Promise<void>;

/**
 * Brings targets to samplers. Samplers that take part in the phases open a few milliseconds' worth between two ticks, so
 * that a crowd that arrives does not stop the others; fresh ones open all before they join.
 */
export class Opening {
  constructor(
    readonly samplers: Samplers,
    readonly inControl: InControl,
    readonly regionsOf: (link: SamplerLink) => number,
  ) {}

  /**
   * @param take called with every portion that was opened
   * @param release called for every target that a sampler was chosen for in vain
   * @param except the sampler that they are to leave
   * @returns for each arrival, why it was not opened; undefined where it was
   */
  async open<A extends Arrival>(
    arrivals: readonly A[],
    take: Take<A>,
    release: (link: SamplerLink, id: number) => void,
    except?: SamplerLink,
  ): Promise<(WireError | undefined)[]> {
    const errors = new Map<A, WireError>();
    const bySampler = new Map<SamplerLink, A[]>();
    await Promise.all(
      arrivals.map(async (arrival) => {
        try {
          const link = await this.samplers.take(this.regionsOf, except);
          bySampler.set(link, [...(bySampler.get(link) ?? []), arrival]);
        } catch (error) {
          errors.set(arrival, toWire(error));
        }
      }),
    );
    await Promise.all(
      [...bySampler].map(async ([link, its]) => {
        const failed = (arrival: A, error: WireError) => {
          if (errors.has(arrival)) return;
          errors.set(arrival, error);
          release(link, arrival.id);
        };
        await this.#openIn(link, its, take, failed);
      }),
    );
    return arrivals.map((arrival) => errors.get(arrival));
  }

  async #openIn<A extends Arrival>(
    link: SamplerLink,
    arrivals: readonly A[],
    take: Take<A>,
    failed: (arrival: A, error: WireError) => void,
  ): Promise<void> {
    let next = 0;
    let taken = 0;
    const open = async (withinMs: number): Promise<Opened<A>[]> => {
      const portion = arrivals.slice(next, next + PORTION);
      const asked = portion.map(({ id, request, random }): TargetToOpen => ({ id, request, random }));
      const answers = await link.call((api) => api.open(asked, withinMs));
      const opened: Opened<A>[] = [];
      answers.forEach((answer, i) => {
        next++;
        if (isWire(answer)) failed(portion[i]!, answer);
        else opened.push({ arrival: portion[i]!, opened: answer });
      });
      return opened;
    };
    try {
      const first: Opened<A>[] = [];
      while (next < arrivals.length && !link.joined) first.push(...(await open(Number.POSITIVE_INFINITY)));
      if (first.length > 0) await this.inControl(() => take(link, first));
      taken = next;
      while (next < arrivals.length) {
        await this.inControl(async () => take(link, await open(PORTION_MS)));
        taken = next;
      }
    } catch (error) {
      for (const arrival of arrivals.slice(taken)) failed(arrival, toWire(error));
    }
  }
}
