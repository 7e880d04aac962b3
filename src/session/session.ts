import { PagepulseError } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsChange } from '../core/stats.js';
import type { OtherWatcher, TargetInfo } from '../core/target.js';
import type { TuningStep } from '../core/tuning.js';
import { Monitor } from '../engine/monitor.js';
import type { MonitorOptions } from '../engine/options.js';
import type { DetachReason, MonitorEnd } from '../engine/protocol.js';
import type { AddressRange } from '../processes/process-request.js';
import { chooseCheck } from '../sources/registry.js';
import type { TargetRequest } from '../sources/source.js';
import { ChildCommand, CommandEnded } from './child-command.js';

/** What a session reports, each as the monitor's event of that name. Targets of the start are `attached` too. */
export type SessionEvent =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'attached'; readonly target: TargetInfo }
  | {
      readonly type: 'detached';
      readonly target: TargetInfo;
      readonly reason: DetachReason;
      readonly message: string;
    }
  | { readonly type: 'skipped'; readonly request: TargetRequest; readonly error: PagepulseError }
  | { readonly type: 'attrs'; readonly change: AttrsChange }
  | { readonly type: 'tuned'; readonly step: TuningStep }
  | { readonly type: 'otherWatcher'; readonly other: OtherWatcher };

export interface SessionOptions {
  /** With a command, its `select` may be missing. */
  readonly monitor: MonitorOptions;
  /** A command to start and watch with every process it starts. */
  readonly command?: readonly string[];
  /** Watches only these addresses of the command itself, and none of the processes it starts. */
  readonly ranges?: readonly AddressRange[] | undefined;
}

/**
 * A monitor, the command that was started for it, and one stream of all that happens: what the commands show, and
 * whatever else shows a running monitor. Iterate once. The stream ends with the monitor and throws its error;
 * leaving it does not stop the session.
 */
export class Session implements AsyncIterable<SessionEvent> {
  readonly #events: SessionEvent[] = [];
  #wake: () => void = () => {};
  #firstSnapshotUs: number;

  /**
   * Starts the command, then the monitor. If the monitor cannot start, the command is ended.
   *
   * @throws PagepulseError as `Monitor.start`; CommandNotStarted, CommandEnded
   */
  static async start({ monitor, command = [], ranges }: SessionOptions): Promise<Session> {
    const { check = 'auto' } = monitor;
    // Fails before the command starts.
    const options = { ...monitor, check: check instanceof URL ? check : chooseCheck(check) };
    if (command.length === 0) return new Session(await Monitor.start(options));
    const child = await ChildCommand.start(command);
    try {
      const { pid, mark } = child;
      const watched = ranges
        ? { ...options, targets: [{ pid, ranges }] }
        : { ...options, select: { ...options.select, runs: [{ pid, mark }] } };
      return new Session(await Monitor.start(watched), child);
    } catch (error) {
      child.signal('SIGTERM');
      if (error instanceof PagepulseError && ['NO_PROCESS', 'ZOMBIE'].includes(error.code))
        throw new CommandEnded(await child.status, error);
      throw error;
    }
  }

  constructor(
    readonly monitor: Monitor,
    readonly child?: ChildCommand,
  ) {
    for (const target of monitor.targets) this.#events.push({ type: 'attached', target });
    this.#firstSnapshotUs = monitor.attrs.aggrUs;
    monitor.on('attached', (target) => this.#add({ type: 'attached', target }));
    monitor.on('detached', (target, reason, message) =>
      this.#add({ type: 'detached', target, reason, message }),
    );
    monitor.on('skipped', (request, error) => this.#add({ type: 'skipped', request, error }));
    monitor.on('attrs', (change) => {
      this.#firstSnapshotUs = change.atUs + change.attrs.aggrUs;
      this.#add({ type: 'attrs', change });
    });
    monitor.on('tuned', (step) => this.#add({ type: 'tuned', step }));
    monitor.on('otherWatcher', (other) => this.#add({ type: 'otherWatcher', other }));
  }

  /** As the monitor's: resolves when its threads are gone, and rejects if it failed. */
  get ended(): Promise<MonitorEnd> {
    return this.monitor.ended;
  }

  /** Microseconds until the first snapshot is due, one aggregation interval after the start; 0 if overdue. */
  get firstSnapshotInUs(): number {
    const elapsedUs = Number(process.hrtime.bigint() - BigInt(this.monitor.startedMonotonicNs)) / 1e3;
    return Math.max(0, this.#firstSnapshotUs - elapsedUs);
  }

  /**
   * Stops the monitor, and with a signal the command. The rest of the stream can still be read. Resolves when the
   * monitor's threads are gone. If the monitor fails, `ended` and the stream say so, not this.
   */
  async stop(signal?: 'SIGINT' | 'SIGTERM'): Promise<void> {
    if (signal) this.child?.signal(signal);
    await this.monitor.stop().catch(() => {});
  }

  /**
   * Events in their order. A reader that is slower than the snapshots has them wait in the monitor, which drops and
   * counts those beyond its limit; other events do not wait for them.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<SessionEvent, void> {
    const snapshots = this.monitor[Symbol.asyncIterator]();
    for (;;) {
      const next = snapshots.next();
      let isHere = false;
      const arrive = () => {
        isHere = true;
        this.#wake();
      };
      next.then(arrive, arrive);
      for (;;) {
        while (this.#events.length > 0) yield this.#events.shift()!;
        if (isHere) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const { done, value: snapshot } = await next;
      if (done) return;
      yield { type: 'snapshot', snapshot };
    }
  }

  #add(event: SessionEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
