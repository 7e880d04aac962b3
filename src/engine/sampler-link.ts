import type { MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import { readThreadCpuUs } from '../kernel/thread-cpu.js';
import type { SamplerApi } from './protocol.js';
import type { SharedState } from './shared-state.js';

/** How often a pending call looks whether the other thread still lives. */
const WATCHDOG_MS = 20;

/** On a machine where twenty processes want each processor, a thread takes that much longer to load its code. */
const START_MS = 60_000;
const ANSWER_MS = 10_000;
/** Others wait for a sampler that takes part in the phases, and it has answered all calls since in some milliseconds. */
const JOINED_ANSWER_MS = 2_000;

/** A thread that runs, as far as one can tell, and says nothing. */
export class NoAnswer extends PagepulseError {
  constructor(readonly forMs: number) {
    const what = `a sampler thread gave no answer for ${forMs / 1_000} s`;
    super(
      'THREADS',
      `${what}; the machine may have no time for it (\`uptime\` tells): try again when it has`,
    );
  }
}

/** What the coordinator knows of one sampler. */
export class SamplerLink {
  #port: MessagePort | undefined;
  #api: Comlink.Remote<SamplerApi> | undefined;
  #cpuFile = -1;
  #cpuBaseUs = 0;
  /** What it was at when it was given up: from then on its slot may be another sampler's. */
  #lastTarget: number | undefined;
  #isClosed = false;
  /** CPU at the last look: the descriptor does not outlive the thread. */
  cpuUs = 0;
  /** Takes part in the phases. Before that it answers calls at any time, after it in CONTROL phases. */
  joined = false;
  /** Has targets to watch, and joins with the next phase. Not before: other steps of a control phase may still call it. */
  isReady = false;
  /** Targets that are given to it, those on their way included. */
  targets = 0;

  /** Resolves when its thread answers. */
  started: Promise<void> = Promise.resolve();

  constructor(
    readonly shared: SharedState,
    readonly slot: number,
  ) {}

  connect(port: MessagePort): void {
    this.#port = port;
    this.#api = Comlink.wrap<SamplerApi>(port);
  }

  /** Waits until the thread runs; its CPU counts from here on. */
  async ready(): Promise<void> {
    this.#cpuFile = await this.call((api) => api.cpuFile(), START_MS);
    this.restartCpu();
  }

  /** Counts its CPU from now on. */
  restartCpu(): void {
    this.#cpuBaseUs = readThreadCpuUs(this.#cpuFile) || 0;
  }

  /**
   * Calls the sampler, and fails where its thread ends or does not answer in time.
   *
   * @throws PagepulseError `THREADS`, or what the call throws
   */
  async call<T>(
    made: (api: Comlink.Remote<SamplerApi>) => Promise<T>,
    withinMs: number = this.joined ? JOINED_ANSWER_MS : ANSWER_MS,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    // Counted in looks, not by the clock: where the whole process was stopped for a while, no sampler is late.
    let waitedMs = 0;
    const watchdog = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        waitedMs += WATCHDOG_MS;
        if (this.isLost) {
          reject(new PagepulseError('THREADS', 'a sampler thread has ended unexpectedly'));
        } else if (waitedMs > withinMs) {
          reject(new NoAnswer(withinMs));
        }
      }, WATCHDOG_MS);
    });
    try {
      return await Promise.race([made(this.#connected()), watchdog]);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Makes the sampler part of every phase from the next one on. It hears of it a little later, and finds the phase that
   * runs then not done; whether it hears of it at all shows in that phase.
   */
  join(): void {
    const { epoch } = this.shared.phases;
    this.shared.slots.admit(this.slot, epoch);
    void this.#connected().join(epoch);
    this.joined = true;
  }

  readCpu(): void {
    const cpuUs = readThreadCpuUs(this.#cpuFile);
    if (!Number.isNaN(cpuUs)) this.cpuUs = cpuUs - this.#cpuBaseUs;
  }

  /** Whether its thread has ended, or it was given up. */
  get isLost(): boolean {
    return this.#isClosed || this.shared.slots.isEnded(this.slot);
  }

  /** The target that it works on, or did when it was lost. */
  get targetId(): number | undefined {
    return this.#isClosed ? this.#lastTarget : this.shared.slots.targetOf(this.slot);
  }

  close(): void {
    this.#lastTarget = this.targetId;
    this.#isClosed = true;
    this.#cpuFile = -1;
    this.#port?.close();
  }

  #connected(): Comlink.Remote<SamplerApi> {
    if (!this.#api) throw new PagepulseError('THREADS', 'a sampler thread was called before it was started');
    return this.#api;
  }
}
