import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { Piscina } from 'piscina';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import type { Gate } from './gate.js';
import type { CoordinatorStart, HostApi, SamplerStart } from './protocol.js';

const COORDINATOR = new URL('../../workers/coordinator.js', import.meta.url).href;
const SAMPLER = new URL('../../workers/sampler.js', import.meta.url).href;

/** Heap a thread may take, in MiB. The tables are not in it; smaps of 20,000 mappings are read into a buffer outside. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };

/** One a target, up to twice the processors and at least four: every further thread costs about 1 % of a core. */
export function defaultSamplerLimit(): number {
  return Math.max(4, 2 * availableParallelism());
}

/** The threads of one monitor. Coordinator and samplers are tasks that last as long as they are needed. */
export class ThreadPool implements HostApi {
  readonly #pool: Piscina;
  readonly #gate: Gate;
  readonly #samplers = new Map<number, AbortController>();
  readonly #failures = new Map<number, string>();

  /** @param samplers samplers there may be at a time; some more may be on their way out */
  constructor(gate: Gate, samplers: number) {
    this.#gate = gate;
    this.#pool = new Piscina({
      minThreads: 0,
      maxThreads: 1 + 2 * samplers,
      // Idle threads would wait for a next task that never comes.
      idleTimeout: 0,
      atomics: 'disabled',
      recordTiming: false,
      workerHistogram: false,
      resourceLimits: RESOURCE_LIMITS,
    });
    // What a thread fails of is told by the task it worked on.
    this.#pool.on('error', () => {});
  }

  /** Starts the coordinator; rejects where its thread fails, resolves at the end of the monitor. */
  async runCoordinator(start: Omit<CoordinatorStart, 'host'>): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    Comlink.expose(this satisfies HostApi, port1);
    try {
      const transferList = [start.control, start.data, port2];
      await this.#pool.run({ ...start, host: port2 } satisfies CoordinatorStart, {
        filename: COORDINATOR,
        transferList,
      });
    } catch (error) {
      throw new PagepulseError('THREADS', `the coordinator thread failed: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      port1.close();
    }
  }

  startSampler(slot: number, check: CheckName): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const abort = new AbortController();
    const start: SamplerStart = { gate: this.#gate.buffer, slot, check, control: port2 };
    this.#samplers.set(slot, abort);
    this.#failures.delete(slot);
    this.#pool
      .run(start, { filename: SAMPLER, transferList: [port2], signal: abort.signal })
      .catch((error: unknown) => this.#failures.set(slot, messageOf(error)))
      .finally(() => this.#gate.ended(slot));
    return Comlink.transfer(port1, [port1 as never]);
  }

  endSampler(slot: number): void {
    this.#samplers.get(slot)?.abort();
  }

  failureOf(slot: number): string | undefined {
    return this.#failures.get(slot);
  }

  /** Ends all threads, whatever they do. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
