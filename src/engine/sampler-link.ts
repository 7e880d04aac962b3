import type { MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import { readThreadCpuUs } from '../kernel/thread-cpu.js';
import type { SamplerApi } from './protocol.js';
import type { SharedState } from './shared-state.js';

/** How often a pending call checks whether the other thread is still alive. */
const WATCHDOG_MS = 20;

/** Long, because loading a thread's code takes twenty times as long if twenty processes compete for each processor. */
const START_MS = 60_000;
const ANSWER_MS = 10_000;
/** Short, because other samplers wait for one that has joined the phases, and it usually answers within milliseconds. */
const JOINED_ANSWER_MS = 2_000;

/** A thread seems to be running but does not answer. */
export class NoAnswer extends PagepulseError {
  constructor(readonly forMs: number) {
    const what = `a sampler thread did not answer for ${forMs / 1_000} s`;
    super('THREADS', `${what}: the machine may be overloaded; check its load with \`uptime\` and try again`);
  }
}

/** The coordinator's view of one sampler. */
export class SamplerLink {
  #port: MessagePort | undefined;
  #api: Comlink.Remote<SamplerApi> | undefined;
  #cpuFile = -1;
  #cpuBaseUs = 0;
  /** The target that it worked on when it was closed. Its slot may belong to another sampler from then on. */
  #lastTarget: number | undefined;
  #isClosed = false;
  /** CPU time when last read, because the descriptor does not outlive the thread. */
  cpuUs = 0;
  /** Takes part in the phases. It answers calls at any time before that, and in CONTROL phases afterwards. */
  joined = false;
  /** Has targets, and joins with the next phase. Not earlier, because other steps of a control phase may still call it. */
  isReady = false;
  /** Number of targets assigned to it, including those still being opened. */
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

  /** Waits until the thread runs, and starts counting its CPU time. */
  async ready(): Promise<void> {
    this.#cpuFile = await this.call((api) => api.cpuFile(), START_MS);
    this.restartCpu();
  }

  /** Restarts counting its CPU time. */
  restartCpu(): void {
    this.#cpuBaseUs = readThreadCpuUs(this.#cpuFile) || 0;
  }

  /**
   * Calls the sampler. Fails if its thread ends or does not answer in time.
   *
   * @throws PagepulseError `THREADS`, or what the call throws
   */
  async call<T>(
    made: (api: Comlink.Remote<SamplerApi>) => Promise<T>,
    withinMs: number = this.joined ? JOINED_ANSWER_MS : ANSWER_MS,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    // Counts timer ticks instead of reading the clock: if the whole process was stopped for a while, no sampler is late.
    let waitedMs = 0;
    const watchdog = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        waitedMs += WATCHDOG_MS;
        if (this.isLost) {
          reject(
            new PagepulseError('THREADS', 'a sampler thread ended unexpectedly; attach the target again'),
          );
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
   * Makes the sampler part of every phase from the next one on. The call arrives a little later, and the sampler then runs the
   * current phase. If the call never arrives, that phase shows it.
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

  /** Whether its thread has ended, or the link was closed. */
  get isLost(): boolean {
    return this.#isClosed || this.shared.slots.isEnded(this.slot);
  }

  /** The target that it works on, or worked on when it was lost. */
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
