import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Remote } from 'comlink';
import type { Attrs } from '../core/attrs.js';
import { PagepulseError } from '../core/errors.js';
import { Snapshot } from '../core/snapshot.js';
import { columnsOver } from '../core/snapshot-columns.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { CheckName, OtherWatcher, TargetInfo } from '../core/target.js';
import type { TuningStep } from '../core/tuning.js';
import { pageSize } from '../kernel/page-size.js';
import type { SelectionStats } from '../processes/follower.js';
import type { TargetRequest } from '../sources/source.js';
import { fromWire, isWire } from './comlink-errors.js';
import { Connection, SnapshotQueue } from './connection.js';
import { completeOptions, defined, type MonitorOptions } from './options.js';
import {
  checkedAttrs,
  checkedId,
  checkedIds,
  checkedOptions,
  checkedTarget,
  checkedTargets,
} from './options-schema.js';
import { OtherWatchers } from './other-watchers.js';
import type {
  CoordinatorApi,
  DetachReason,
  EndReason,
  FromCoordinator,
  MonitorEnd,
  MonitorSetup,
  Started,
} from './protocol.js';
import { Selecting } from './selecting.js';

/** What a monitor tells beside its snapshots. */
export interface MonitorEvents {
  /** A target was attached after the start. */
  attached: [target: TargetInfo];
  /** A target could not be opened where that is no failure: `skipFailing`, `select`, or `attachAll`. */
  skipped: [request: TargetRequest, error: PagepulseError];
  /** A target is not watched any longer; the message says why where it failed. */
  detached: [target: TargetInfo, reason: DetachReason, message: string];
  /** Other attrs are in force: by `auto`, a budget or `setAttrs`. */
  attrs: [change: AttrsChange];
  /** `auto` took a step, whatever came of it; a change of attrs is told before. */
  tuned: [step: TuningStep];
  /** A sampler died or stopped answering; that many targets are given to a fresh one. */
  samplerLost: [targets: number];
  /** Another monitor clears accessed bits that this one reads, so figures are too low. Emitted once for each target. */
  otherWatcher: [other: OtherWatcher];
}

/**
 * Watches processes, and yields a snapshot of each at the end of every aggregation interval:
 *
 *     const monitor = await Monitor.start({ targets: [{ pid }] });
 *     for await (const snapshot of monitor) console.log(snapshot.workingSetBytes());
 *
 * It ends when it is stopped, when its duration is over, or when its last target has ended. All snapshots go to one
 * queue: use one loop. Leaving the loop does not stop the monitor; `stop()` or `await using` do.
 */
export class Monitor extends EventEmitter<MonitorEvents> implements AsyncIterable<Snapshot>, AsyncDisposable {
  readonly check: CheckName;
  /** The seed of all random choices: with the synthetic check, the same seed sees the same. */
  readonly seed: number;
  /** When it started, by the clock on the wall (ISO 8601). */
  readonly startedAt: string;
  /** The same in nanoseconds of CLOCK_MONOTONIC, as decimal digits: to line up with traces. */
  readonly startedMonotonicNs: string;
  readonly pageSize: number;
  /** Resolves when the monitor has ended and all its threads are gone; rejects where it failed. */
  readonly ended: Promise<MonitorEnd>;
  #attrs: Attrs;
  readonly #targets = new Map<number, TargetInfo>();
  readonly #connection: Connection;
  readonly #queue: SnapshotQueue;
  readonly #selecting: Selecting | undefined;
  readonly #others: OtherWatchers;
  #hasEnded = false;

  /**
   * Starts the threads and opens the targets; resolves when the first pages are being watched.
   *
   * @throws PagepulseError `ATTRS` (options that are wrong, or contradict each other), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`,
   *   `PERMISSION`, `UNSUPPORTED` (the check), `THREADS`
   */
  static async start(options: MonitorOptions = {}): Promise<Monitor> {
    const given = checkedOptions(options);
    const selecting = given.select && new Selecting(given.select);
    const setup = completeOptions(given, selecting?.requests);
    const connection = new Connection(setup);
    try {
      const started = await connection.call((coordinator) => coordinator.start(setup));
      const selected = started.attached.slice(given.targets?.length ?? 0);
      selecting?.settle(selected.map((each) => (isWire(each) ? fromWire(each) : each)));
      return new Monitor(setup, started, connection, selecting);
    } catch (error) {
      selecting?.stop();
      await connection.close();
      throw error;
    }
  }

  private constructor(
    setup: MonitorSetup,
    started: Started,
    connection: Connection,
    selecting: Selecting | undefined,
  ) {
    super();
    this.check = setup.check;
    this.seed = setup.seed;
    this.startedAt = started.startedAt;
    this.startedMonotonicNs = started.startedMonotonicNs;
    this.pageSize = pageSize();
    this.#attrs = started.inForce.attrs;
    for (const each of started.attached) if (!isWire(each)) this.#targets.set(each.id, each);
    this.#connection = connection;
    this.#selecting = selecting;
    this.#others = new OtherWatchers(
      this.check,
      () => this.targets,
      (other) => this.emit('otherWatcher', { atUs: this.#nowUs(), ...other }),
    );
    // A turn later, when whoever has started the monitor listens.
    setImmediate(() => {
      started.attached.forEach((each, i) => {
        if (isWire(each)) this.emit('skipped', setup.targets[i]!, fromWire(each));
      });
      if (started.inForce.reason === 'budget') this.emit('attrs', { atUs: 0, ...started.inForce });
      selecting?.follow({
        attach: (requests) => this.attachAll(requests),
        detach: (ids, reason) => this.#detach(ids, reason),
        skipped: (request, error) => this.emit('skipped', request, error),
        end: () => void this.#stop('targets ended'),
      });
    });
    this.#queue = new SnapshotQueue(() => connection.shared.mailbox.taken());
    this.ended = this.#receive();
    // Who iterates hears of a failure there.
    this.ended.catch(() => {});
  }

  /** The intervals and limits in force. */
  get attrs(): Attrs {
    return this.#attrs;
  }

  /** What the selection has come to so far; undefined without one. */
  get selection(): SelectionStats | undefined {
    return this.#selecting?.stats;
  }

  /** The targets that are watched now. */
  get targets(): readonly TargetInfo[] {
    return [...this.#targets.values()];
  }

  /**
   * Watches one more target; its first snapshot comes after the first whole aggregation interval.
   *
   * @throws PagepulseError as `start`, or `STOPPED`
   */
  async attach(target: TargetRequest): Promise<TargetInfo> {
    const [attached] = await this.#attach([checkedTarget(target)]);
    if (attached instanceof PagepulseError) throw attached;
    return attached!;
  }

  /**
   * Watches more targets, as many as can be opened: one that cannot (it has ended, it is another user's) does not keep the
   * others, and is told of by `skipped`. Those that are watched already miss nothing meanwhile.
   *
   * @returns in the order of the requests, the target or why it was skipped
   * @throws PagepulseError `ATTRS` (none is watched then), `STOPPED`
   */
  async attachAll(targets: readonly TargetRequest[]): Promise<(TargetInfo | PagepulseError)[]> {
    const requests = checkedTargets(targets);
    const attached = await this.#attach(requests);
    attached.forEach((each, i) => {
      if (each instanceof PagepulseError) this.emit('skipped', requests[i]!, each);
    });
    return attached;
  }

  /** Stops watching a target; false where there is none with this id. @throws PagepulseError `ATTRS`, `STOPPED` */
  async detach(id: number): Promise<boolean> {
    return this.#detach([checkedId(id)], 'detached');
  }

  /** Stops watching these targets; false where none of them is watched. */
  async detachAll(ids: readonly number[]): Promise<boolean> {
    return this.#detach(checkedIds(ids), 'detached');
  }

  /**
   * Changes intervals or limits while running; what is not given stays. Counts and ages are brought to the new
   * intervals. Intervals given here end `auto`, and with it the budget unless it was asked for; one that was keeps them
   * longer where they cost too much.
   *
   * @returns what is in force now
   * @throws PagepulseError `ATTRS`, `STOPPED`
   */
  async setAttrs(changed: Partial<Attrs>): Promise<Attrs> {
    const attrs = defined(checkedAttrs(changed));
    this.#attrs = await this.#call((coordinator) => coordinator.setAttrs(attrs));
    return this.#attrs;
  }

  /** What the monitor has done and what it has cost so far. */
  stats(): Promise<MonitorStats> {
    return this.#call((coordinator) => coordinator.stats());
  }

  /** Ends the monitor. Snapshots that have arrived can still be read. Resolves when all threads are gone. */
  async stop(): Promise<MonitorStats> {
    await this.#stop('stopped');
    return (await this.ended).stats;
  }

  [Symbol.asyncIterator](): AsyncIterator<Snapshot, undefined> {
    return { next: () => this.#queue.next(), return: async () => ({ done: true, value: undefined }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  async #attach(requests: readonly TargetRequest[]): Promise<(TargetInfo | PagepulseError)[]> {
    const attached = await this.#call((coordinator) => coordinator.attach(requests));
    // The messages that make them some of `targets` were sent before the answer, on another port.
    await nextTurn();
    return attached.map((each) => (isWire(each) ? fromWire(each) : each));
  }

  async #detach(ids: readonly number[], reason: DetachReason): Promise<boolean> {
    const anyWas = await this.#call((coordinator) => coordinator.detach(ids, reason));
    await nextTurn(); // as in attach
    return anyWas;
  }

  async #stop(reason: EndReason): Promise<void> {
    if (!this.#hasEnded) await this.#call((coordinator) => coordinator.stop(reason)).catch(() => {});
  }

  #call<T>(made: (coordinator: Remote<CoordinatorApi>) => Promise<T>): Promise<T> {
    return this.#connection.call(made);
  }

  async #receive(): Promise<MonitorEnd> {
    try {
      const end = await this.#connection.receive((message) => this.#take(message));
      this.#queue.end();
      return end;
    } catch (error) {
      this.#queue.end(error);
      throw error;
    } finally {
      this.#hasEnded = true;
      this.#selecting?.stop();
      this.#others.stop();
      await this.#connection.close();
    }
  }

  #nowUs(): number {
    return Number((process.hrtime.bigint() - BigInt(this.startedMonotonicNs)) / 1_000n);
  }

  #take(message: FromCoordinator): void {
    switch (message.type) {
      case 'snapshots': {
        const { targets, columnSets, endUs, maxNrAccesses, stats } = message;
        const { check, pageSize } = this;
        for (const { id, columns, ...its } of targets) {
          const target = this.#targets.get(id)!;
          const header = { target, check, pageSize, endUs, maxNrAccesses, stats, ...its };
          this.#queue.push(new Snapshot(header, columnsOver(columns, columnSets)));
        }
        break;
      }
      case 'attrs':
        this.#attrs = message.change.attrs;
        this.emit('attrs', message.change);
        break;
      case 'tuned':
        this.emit('tuned', message.step);
        break;
      case 'attached':
        if (this.#targets.has(message.target.id)) break; // from the start
        this.#targets.set(message.target.id, message.target);
        this.emit('attached', message.target);
        break;
      case 'detached': {
        const target = this.#targets.get(message.targetId);
        if (!target) break;
        this.#targets.delete(message.targetId);
        this.#selecting?.lost(message.targetId, this.#targets.size);
        this.emit('detached', target, message.reason, message.message);
        break;
      }
      case 'samplerLost':
        this.emit('samplerLost', message.targets);
        break;
    }
  }
}
