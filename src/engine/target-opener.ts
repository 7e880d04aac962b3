import { PagepulseError } from '../core/errors.js';
import type { InControl } from './calls.js';
import { isWire, toWire, type WireError } from './comlink-errors.js';
import type { OpenedTarget, TargetToOpen } from './protocol.js';
import { NoAnswer, type SamplerLink } from './sampler-link.js';
import type { Samplers } from './samplers.js';

/** How long watched targets may wait while a sampler opens others. Shorter than the time between two ticks. */
const PORTION_MS = 3;
/** Most targets that are sent to a sampler at once. */
const PORTION = 64;
/** How long a sampler may open targets before it answers, while it is not in the phases yet. */
const FRESH_PORTION_MS = 200;
/** How often targets are opened if their sampler is lost for an unknown reason. */
const MAX_TURNS = 3;

/** A target that a sampler has opened. */
export interface Opened<A extends TargetToOpen> {
  readonly arrival: A;
  readonly opened: OpenedTarget;
}

/** Makes the sampler watch the targets that it opened. Called in control. */
export type Watch<A extends TargetToOpen> = (
  link: SamplerLink,
  portion: readonly Opened<A>[],
) => Promise<void>;

/** Called for every target that its sampler will not watch after all, with its handle if it was opened. */
type Release = (link: SamplerLink, handle: number | undefined) => void;

/** The results of opening targets. */
interface Outcome<A extends TargetToOpen> {
  readonly errors: Map<A, WireError>;
  /** Targets whose sampler was lost, to open again in another one. */
  readonly again: A[];
  readonly isLastTurn: boolean;
}

/**
 * Opens targets in samplers. Samplers in the phases open targets for a few milliseconds between two ticks, so that many new
 * targets do not stop the current ones. New samplers open all of theirs before they join.
 */
export class TargetOpener {
  constructor(
    readonly samplers: Samplers,
    readonly inControl: InControl,
    readonly regionsOf: (link: SamplerLink) => number,
    readonly onLost: (link: SamplerLink) => void,
    readonly release: Release,
  ) {}

  /**
   * Opens targets. If a sampler is lost meanwhile, the target that it was opening fails and the others go to another sampler.
   *
   * @param watch called with every portion that was opened
   * @param except the sampler that the targets should leave
   * @returns for each arrival the error, or undefined if it was opened
   */
  async open<A extends TargetToOpen>(
    arrivals: readonly A[],
    watch: Watch<A>,
    except?: SamplerLink,
  ): Promise<(WireError | undefined)[]> {
    const errors = new Map<A, WireError>();
    let waiting = arrivals;
    for (let turn = 1; waiting.length > 0; turn++) {
      const outcome = { errors, again: [], isLastTurn: turn >= MAX_TURNS };
      await this.#openOnce(waiting, watch, except, outcome);
      waiting = outcome.again;
    }
    return arrivals.map((arrival) => errors.get(arrival));
  }

  async #openOnce<A extends TargetToOpen>(
    arrivals: readonly A[],
    watch: Watch<A>,
    except: SamplerLink | undefined,
    outcome: Outcome<A>,
  ): Promise<void> {
    const { errors, again, isLastTurn } = outcome;
    const bySampler = new Map<SamplerLink, A[]>();
    await Promise.all(
      arrivals.map(async (arrival) => {
        try {
          const link = await this.samplers.assign(this.regionsOf, except);
          bySampler.set(link, [...(bySampler.get(link) ?? []), arrival]);
        } catch (error) {
          if (isLastTurn || error instanceof NoAnswer) errors.set(arrival, toWire(error));
          else again.push(arrival);
        }
      }),
    );
    await Promise.all(
      [...bySampler].map(async ([link, its]) => {
        const failed = (arrival: A, error: WireError, handle?: number) => {
          if (errors.has(arrival)) return;
          errors.set(arrival, error);
          this.release(link, handle);
        };
        await this.#openIn(link, its, watch, failed, outcome);
      }),
    );
  }

  async #openIn<A extends TargetToOpen>(
    link: SamplerLink,
    arrivals: readonly A[],
    watch: Watch<A>,
    failed: (arrival: A, error: WireError, handle?: number) => void,
    { errors, again, isLastTurn }: Outcome<A>,
  ): Promise<void> {
    let next = 0;
    let taken = 0;
    const handles = new Map<A, number>();
    const open = async (withinMs: number): Promise<Opened<A>[]> => {
      const portion = arrivals.slice(next, next + PORTION);
      const asked = portion.map(({ id, request, random }): TargetToOpen => ({ id, request, random }));
      const answers = await link.call((api) => api.open(asked, withinMs));
      const opened: Opened<A>[] = [];
      answers.forEach((answer, i) => {
        next++;
        if (isWire(answer)) failed(portion[i]!, answer);
        else {
          opened.push({ arrival: portion[i]!, opened: answer });
          handles.set(portion[i]!, answer.handle);
        }
      });
      return opened;
    };
    try {
      const first: Opened<A>[] = [];
      while (next < arrivals.length && !link.joined) first.push(...(await open(FRESH_PORTION_MS)));
      if (first.length > 0) await this.inControl(() => watch(link, first));
      taken = next;
      while (next < arrivals.length) {
        await this.inControl(async () => watch(link, await open(PORTION_MS)));
        taken = next;
      }
    } catch (error) {
      const left = arrivals.slice(taken).filter((arrival) => !errors.has(arrival));
      const culprit = link.targetId;
      const isLost = error instanceof NoAnswer || link.isLost;
      if (isLost) this.onLost(link);
      const mayTry = ({ id }: A) => {
        if (culprit === undefined) return isLost && !isLastTurn;
        // A target that hangs would hang again, but a thread may also end by chance. The others are retried until every culprit
        // has failed.
        return id === culprit ? !isLastTurn && !(error instanceof NoAnswer) : isLost;
      };
      for (const arrival of left) {
        if (mayTry(arrival)) again.push(arrival);
        else
          failed(
            arrival,
            toWire(arrival.id === culprit ? tooMuch(arrival, error) : error),
            handles.get(arrival),
          );
      }
    }
  }
}

function tooMuch({ request }: TargetToOpen, error: unknown): PagepulseError {
  const name =
    'pid' in request
      ? `process ${request.pid}`
      : ('synthetic' in request && request.synthetic.name) || 'the target';
  const what =
    error instanceof NoAnswer ? `took more than ${error.forMs / 1_000} s` : 'ended the sampler thread';
  return new PagepulseError(
    'THREADS',
    `cannot watch ${name}: opening it ${what}; attach it again or leave it out`,
    {
      cause: error,
    },
  );
}
