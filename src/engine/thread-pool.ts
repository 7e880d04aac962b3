import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { Piscina } from 'piscina';
import { PagepulseError } from '../core/errors.js';
import { addressSpace } from '../kernel/limits.js';
import type { CoverName } from '../sources/source.js';
import type { CoordinatorStart, HostApi, SamplerStart } from './protocol.js';
import type { SharedState } from './shared-state.js';

const COORDINATOR = new URL('../../workers/coordinator.js', import.meta.url).href;
const SAMPLER = new URL('../../workers/sampler.js', import.meta.url).href;

/** Heap limit of a thread, in MiB. Region tables, and the buffer for smaps of 20,000 mappings, lie outside the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/**
 * Address space that a thread reserves, mostly for V8's code: 590 MiB with Node 20 on x64. V8 aborts the process if it cannot
 * reserve it.
 */
const THREAD_BYTES = 600 * 2 ** 20;

/** Address space to leave for everything else: growing heaps, threads of libuv. */
const SPARE_BYTES = 256 * 2 ** 20;

/**
 * Threads of all monitors in this process, and the address space used before the first one. Threads that are starting have not
 * reserved theirs yet.
 */
let threads = 0;
let usedBefore = 0;

/** What to do if a thread cannot be started or runs out of a resource. */
export const THREADS_HELP = 'check the limits of memory and threads (`ulimit -a`, the container)';

/**
 * One sampler per target, up to the number of processors and at least two. Another thread costs about 0.65 % of a core at 20 ms
 * and 11 MiB, and has no processor to run on (docs/scale.md).
 */
export function defaultSamplerLimit(): number {
  return Math.max(2, availableParallelism());
}

/**
 * The threads of one monitor. Coordinator and samplers are long-running tasks, each in a pool of one thread. With a single pool,
 * Piscina would start threads for waiting tasks when another thread becomes ready, and a failure there could not be caught.
 */
export class ThreadPool implements HostApi {
  readonly #running = new Map<Piscina, Promise<void>>();
  readonly #samplers = new Map<number, Piscina>();
  readonly #failures = new Map<number, string>();

  constructor(readonly shared: SharedState) {}

  /** Starts the coordinator. Resolves at the end of the monitor; rejects if its thread fails. */
  async runCoordinator(start: Omit<CoordinatorStart, 'host'>): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    Comlink.expose(this satisfies HostApi, port1);
    try {
      const task: CoordinatorStart = { ...start, host: port2 };
      await this.#run(poolOfOne(), COORDINATOR, task, [start.control, start.data, port2]);
    } catch (error) {
      throw new PagepulseError(
        'THREADS',
        `the coordinator thread failed: ${messageOf(error)}; ${THREADS_HELP}`,
        { cause: error },
      );
    } finally {
      port1.close();
    }
  }

  startSampler(slot: number, source: string, cover: CoverName): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const pool = poolOfOne();
    const task: SamplerStart = { shared: this.shared.buffer, slot, source, cover, control: port2 };
    this.#samplers.set(slot, pool);
    this.#failures.delete(slot);
    this.#run(pool, SAMPLER, task, [port2])
      .catch((error: unknown) => this.#failures.set(slot, messageOf(error)))
      .finally(() => {
        this.#samplers.delete(slot);
        this.shared.ended(slot);
      });
    return Comlink.transfer(port1, [port1 as never]);
  }

  endSampler(slot: number): void {
    void this.#samplers.get(slot)?.destroy();
  }

  failureOf(slot: number): string | undefined {
    return this.#failures.get(slot);
  }

  /** Ends all threads, even if they are busy. */
  async destroy(): Promise<void> {
    const running = [...this.#running];
    await Promise.allSettled(running.flatMap(([pool, end]) => [pool.destroy(), end]));
  }

  /** Resolves when the task has ended and its thread is gone; rejects if the task failed. */
  #run(pool: Piscina, filename: string, task: unknown, transferList: MessagePort[]): Promise<void> {
    const end = runToEnd(pool, task, { filename, transferList }).finally(() => this.#running.delete(pool));
    this.#running.set(pool, end);
    return end;
  }
}

/** Starts a thread of its own for one task, outside of a monitor's pool. */
export function startThread(
  filename: string,
  task: unknown,
  transferList: MessagePort[],
): { readonly ended: Promise<void>; destroy(): Promise<void> } {
  const pool = poolOfOne();
  return {
    ended: runToEnd(pool, task, { filename, transferList }),
    destroy: () => pool.destroy(),
  };
}

function poolOfOne(): Piscina {
  const pool = new Piscina({
    minThreads: 0,
    maxThreads: 1,
    // No further task follows.
    idleTimeout: 0,
    atomics: 'disabled',
    recordTiming: false,
    workerHistogram: false,
    // The program's own flags are for its own code. For example, `--input-type=module` keeps a thread from starting.
    execArgv: [],
    resourceLimits: RESOURCE_LIMITS,
  });
  // The task reports why its thread failed.
  return pool.on('error', () => {});
}

async function runToEnd(
  pool: Piscina,
  task: unknown,
  options: { filename: string; transferList: MessagePort[] },
): Promise<void> {
  requireAddressSpace();
  // If this throws, no thread could be started. The pool is then not destroyed, because it keeps the task, and would reject a
  // promise that was never returned.
  const running: Promise<void> = pool.run(task, options);
  threads++;
  try {
    await running;
  } finally {
    await pool.destroy();
    threads--;
  }
}

function requireAddressSpace(): void {
  const { limit, used } = addressSpace();
  if (threads === 0) usedBefore = used;
  const free = limit - Math.max(used, usedBefore + threads * THREAD_BYTES);
  if (free >= THREAD_BYTES + SPARE_BYTES) return;
  const [needed, left] = [THREAD_BYTES + SPARE_BYTES, Math.max(0, free)].map((bytes) =>
    Math.floor(bytes / 2 ** 20),
  );
  throw new Error(`it needs ${needed} MiB of address space, but \`ulimit -v\` leaves ${left} MiB`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
