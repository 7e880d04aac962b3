import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Remote } from 'comlink';
import type { Attrs } from '../core/attrs.js';
import { PagepulseError } from '../core/errors.js';
import { Snapshot } from '../core/snapshot.js';
import { columnsOver } from '../core/snapshot-columns.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { OtherWatcher, TargetInfo } from '../core/target.js';
import type { TuningStep } from '../core/tuning.js';
import { pageSize } from '../kernel/page-size.js';
import type { SelectionStats } from '../processes/follower.js';
import type { CoverName, SourceDescriptor, TargetRequest } from '../sources/source.js';
import { fromWire, isWire } from './comlink-errors.js';
import { Connection, SnapshotQueue } from './connection.js';
import { chooseSource, completeOptions, defined, type MonitorOptions } from './options.js';
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

/** Events of a monitor, besides its snapshots. */
export interface MonitorEvents {
  /** A target was attached after the start. */
  attached: [target: TargetInfo];
  /** A target could not be opened and was left out: with `skipFailing` or `select`, or by `attachAll`. */
  skipped: [request: TargetRequest, error: PagepulseError];
  /** A target is no longer watched. The message explains a failure; it is empty for other reasons. */
  detached: [target: TargetInfo, reason: DetachReason, message: string];
  /** Other attrs are in force, because of `auto`, a budget or `setAttrs`. */
  attrs: [change: AttrsChange];
  /** `auto` took a step, even if it changed nothing. If it changed attrs, `attrs` is emitted first. */
  tuned: [step: TuningStep];
  /** A sampler thread died or stopped answering. This many targets move to a new one. */
  samplerLost: [targets: number];
  /** Another program clears accessed bits that this monitor reads, so its figures are too low. Emitted once for each target. */
  otherWatcher: [other: OtherWatcher];
}

/**
 * Watches processes and yields a snapshot of each at the end of every aggregation interval:
 *
 *     const monitor = await Monitor.start({ targets: [{ pid }] });
 *     for await (const snapshot of monitor) console.log(snapshot.workingSetBytes());
 *
 * The monitor ends when it is stopped, when its duration is over, or when its last target has ended. All snapshots go to one
 * queue, so use one loop. Leaving the loop does not stop the monitor; `stop()` and `await using` do.
 */
export class Monitor extends EventEmitter<MonitorEvents> implements AsyncIterable<Snapshot>, AsyncDisposable {
  /** What delivers the facts, and its abilities. */
  readonly source: SourceDescriptor;
  /** Which part of an address space the regions lie over. */
  readonly cover: CoverName;
  /** The seed of all random choices. On virtual time, the same seed gives the same snapshots. */
  readonly seed: number;
  /** Wall-clock time of the start (ISO 8601). */
  readonly startedAt: string;
  /** CLOCK_MONOTONIC at the start, in nanoseconds, as decimal digits. Lines snapshots up with traces. */
  readonly startedMonotonicNs: string;
  /** In bytes. */
  readonly pageSize: number;
  /** Resolves when the monitor has ended and all its threads are gone; rejects if it failed. */
  readonly ended: Promise<MonitorEnd>;
  #attrs: Attrs;
  readonly #targets = new Map<number, TargetInfo>();
  readonly #connection: Connection;
  readonly #queue: SnapshotQueue;
  readonly #selecting: Selecting | undefined;
  readonly #others: OtherWatchers;
  #hasEnded = false;

  /**
   * Starts the threads and opens the targets. Resolves when the targets are being watched.
   *
   * @throws PagepulseError `ATTRS` (invalid or contradictory options), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION`,
   *   `UNSUPPORTED` (the check), `THREADS`
   */
  static async start(options: MonitorOptions = {}): Promise<Monitor> {
    const given = checkedOptions(options);
    const chosen = await chooseSource(given);
    const completed = completeOptions(given, chosen);
    const connection = new Connection(completed);
    const selecting = given.select && new Selecting(given.select);
    try {
      const selected = (await selecting?.requests()) ?? [];
      const setup = { ...completed, targets: [...completed.targets, ...selected] };
      const started = await connection.call((coordinator) => coordinator.start(setup));
      const results = started.attached.slice(completed.targets.length);
      await selecting?.settle(results.map((each) => (isWire(each) ? fromWire(each) : each)));
      return new Monitor(setup, chosen.source, started, connection, selecting);
    } catch (error) {
      await selecting?.stop();
      await connection.close();
      throw error;
    }
  }

  private constructor(
    setup: MonitorSetup,
    source: SourceDescriptor,
    started: Started,
    connection: Connection,
    selecting: Selecting | undefined,
  ) {
    super();
    this.source = source;
    this.cover = setup.cover;
    this.seed = setup.seed;
    this.startedAt = started.startedAt;
    this.startedMonotonicNs = started.startedMonotonicNs;
    this.pageSize = pageSize();
    this.#attrs = started.inForce.attrs;
    for (const each of started.attached) if (!isWire(each)) this.#targets.set(each.id, each);
    this.#connection = connection;
    this.#selecting = selecting;
    this.#others = new OtherWatchers(
      source.clears,
      () => this.targets,
      (other) => this.emit('otherWatcher', { atUs: this.#nowUs(), ...other }),
    );
    // One turn later, so that the caller can add listeners first.
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
    // Iterators report the failure as well, so an unused `ended` must not be an unhandled rejection.
    this.ended.catch(() => {});
  }

  /** The name of the access check in use. */
  get check(): string {
    return this.source.name;
  }

  /** The intervals and limits in force. */
  get attrs(): Attrs {
    return this.#attrs;
  }

  /** Counters of the selection so far; undefined without `select`. */
  get selection(): SelectionStats | undefined {
    return this.#selecting?.stats;
  }

  /** The current targets. */
  get targets(): readonly TargetInfo[] {
    return [...this.#targets.values()];
  }

  /**
   * Watches one more target. Its first snapshot comes after its first aggregation interval, or sooner if intervals are long.
   *
   * @throws PagepulseError as `start`, or `STOPPED`
   */
  async attach(target: TargetRequest): Promise<TargetInfo> {
    const [attached] = await this.#attach([checkedTarget(target)]);
    if (attached instanceof PagepulseError) throw attached;
    return attached!;
  }

  /**
   * Watches more targets. Leaves out targets that cannot be opened (ended, owned by another user), and emits `skipped` for each.
   * The current targets continue undisturbed.
   *
   * @returns the target, or the error with which it was skipped, in the order of the requests
   * @throws PagepulseError `ATTRS` (no target is attached then), `STOPPED`
   */
  async attachAll(targets: readonly TargetRequest[]): Promise<(TargetInfo | PagepulseError)[]> {
    const requests = checkedTargets(targets);
    const attached = await this.#attach(requests);
    attached.forEach((each, i) => {
      if (each instanceof PagepulseError) this.emit('skipped', requests[i]!, each);
    });
    return attached;
  }

  /** Stops watching a target. @returns false if no target has this ID. @throws PagepulseError `ATTRS`, `STOPPED` */
  async detach(id: number): Promise<boolean> {
    return this.#detach([checkedId(id)], 'detached');
  }

  /** Stops watching these targets. @returns false if none of them is watched. @throws PagepulseError `ATTRS`, `STOPPED` */
  async detachAll(ids: readonly number[]): Promise<boolean> {
    return this.#detach(checkedIds(ids), 'detached');
  }

  /**
   * Changes intervals or limits while the monitor runs. Others stay as they are. Counts and ages are rescaled to the new
   * intervals.
   *
   * Intervals given here end `auto` and the default budget. A budget given as `maxCpuPercent` stays, and lengthens intervals
   * that cost too much.
   *
   * @returns the attrs in force
   * @throws PagepulseError `ATTRS`, `STOPPED`
   */
  async setAttrs(changed: Partial<Attrs>): Promise<Attrs> {
    const attrs = defined(checkedAttrs(changed));
    this.#attrs = await this.#call((coordinator) => coordinator.setAttrs(attrs));
    return this.#attrs;
  }

  /** Counters and cost of the monitor so far. @throws PagepulseError `STOPPED` */
  stats(): Promise<MonitorStats> {
    return this.#call((coordinator) => coordinator.stats());
  }

  /** Ends the monitor. Resolves when all threads are gone. Snapshots that have arrived can still be read. */
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
    // The messages that add them to `targets` were sent before the answer, but on another port.
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
      const received = this.#connection.receive((message) => this.#handle(message));
      const end = await (this.#selecting ? Promise.race([received, this.#selecting.failed]) : received);
      this.#queue.end();
      return end;
    } catch (error) {
      this.#queue.end(error);
      throw error;
    } finally {
      this.#hasEnded = true;
      this.#others.stop();
      await this.#selecting?.stop();
      await this.#connection.close();
    }
  }

  #nowUs(): number {
    return Number((process.hrtime.bigint() - BigInt(this.startedMonotonicNs)) / 1_000n);
  }

  #handle(message: FromCoordinator): void {
    switch (message.type) {
      case 'snapshots': {
        const { targets, endUs, maxNrAccesses, stats } = message;
        const { check, pageSize } = this;
        for (const { id, columnSets, columns, ...its } of targets) {
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
