import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import { carryErrors } from './comlink-errors.js';
import { PendingCalls } from './pending-calls.js';
import type { CoordinatorApi, FromCoordinator, MonitorEnd, MonitorSetup } from './protocol.js';
import { SharedState } from './shared-state.js';
import { ThreadPool } from './thread-pool.js';

/** Slots for sampler threads beyond the limit: for abandoned threads that have not ended yet. */
const SPARE_SLOTS = 64;

/** The main thread's side of a running monitor: its threads, calls to the coordinator, and messages from it. */
export class Connection {
  readonly shared: SharedState;
  readonly #pool: ThreadPool;
  readonly #control: MessagePort;
  readonly #data: MessagePort;
  readonly #coordinator: Comlink.Remote<CoordinatorApi>;
  /** Resolves when the coordinator's thread has ended; rejects if it failed. */
  readonly #life: Promise<void>;
  #isClosed = false;
  readonly #pending = new PendingCalls();
  #hasEnded = false;
  #failure: unknown;

  /** @throws PagepulseError `THREADS` */
  constructor({ samplerLimit }: MonitorSetup) {
    carryErrors();
    this.shared = SharedState.create(samplerLimit + SPARE_SLOTS);
    this.#pool = new ThreadPool(this.shared);
    const control = new MessageChannel();
    const data = new MessageChannel();
    this.#control = control.port1;
    this.#data = data.port1;
    this.#coordinator = Comlink.wrap<CoordinatorApi>(control.port1);
    const { buffer: shared } = this.shared;
    this.#life = this.#pool.runCoordinator({ shared, control: control.port2, data: data.port2 });
    this.#life.then(
      () => this.#end(undefined),
      (error) => this.#end(error),
    );
  }

  /**
   * Calls the coordinator, and wakes it.
   *
   * @throws what the call throws; PagepulseError `STOPPED` if the monitor ends before it answers
   */
  async call<T>(made: (coordinator: Comlink.Remote<CoordinatorApi>) => Promise<T>): Promise<T> {
    if (this.#hasEnded) throw this.#reason();
    const answer = made(this.#coordinator);
    this.shared.mailbox.ring();
    return this.#pending.wait(answer);
  }

  #end(failure: unknown): void {
    this.#hasEnded = true;
    this.#failure = failure;
    this.#pending.reject(this.#reason());
  }

  #reason(): unknown {
    if (this.#failure !== undefined && !this.#isClosed) return this.#failure;
    return new PagepulseError('STOPPED', 'the monitor has ended; start a new one');
  }

  /** Passes on all messages, in order, until the monitor ends. */
  async receive(handle: (message: FromCoordinator) => void): Promise<MonitorEnd> {
    const end = new Promise<MonitorEnd>((resolve) => {
      this.#data.on('message', (message: FromCoordinator) => {
        if (message.type === 'end') resolve({ reason: message.reason, stats: message.stats });
        else handle(message);
      });
    });
    return Promise.race([end, this.#life.then(() => end)]);
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.destroy();
    this.#control.close();
    this.#data.close();
  }
}

/** Snapshots that wait for a reader, and readers that wait for snapshots. */
export class SnapshotQueue {
  #snapshots: Snapshot[] = [];
  #readers: {
    resolve: (result: IteratorResult<Snapshot, undefined>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #isEnded = false;
  #error: unknown;

  /** @param taken called for each snapshot when a reader gets it */
  constructor(readonly taken: () => void) {}

  push(snapshot: Snapshot): void {
    const reader = this.#readers.shift();
    if (reader) this.#hand(snapshot, reader.resolve);
    else this.#snapshots.push(snapshot);
  }

  /** Ends the queue. Readers get the remaining snapshots, then the error once if there is one, then the end. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#finish(reader.resolve, reader.reject);
  }

  next(): Promise<IteratorResult<Snapshot, undefined>> {
    return new Promise((resolve, reject) => {
      const snapshot = this.#snapshots.shift();
      if (snapshot) this.#hand(snapshot, resolve);
      else if (this.#isEnded) this.#finish(resolve, reject);
      else this.#readers.push({ resolve, reject });
    });
  }

  #hand(snapshot: Snapshot, resolve: (result: IteratorResult<Snapshot, undefined>) => void): void {
    this.taken();
    resolve({ done: false, value: snapshot });
  }

  #finish(
    resolve: (result: IteratorResult<Snapshot, undefined>) => void,
    reject: (error: unknown) => void,
  ): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
