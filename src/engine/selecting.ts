import { setTimeout as pause } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { TargetInfo } from '../core/target.js';
import type { SelectionStats } from '../processes/follower.js';
import type { ProcessRequest } from '../processes/process-request.js';
import type { Selection } from '../processes/selection.js';
import { carryErrors, fromWire } from './comlink-errors.js';
import { PendingCalls } from './pending-calls.js';
import type { DetachReason } from './protocol.js';
import type { FirstLook, Look, SelectionApi, SelectionStart, Skip } from './selection-looks.js';
import { startThread, THREADS_HELP } from './thread-pool.js';

const THREAD = new URL('../../workers/selection.js', import.meta.url).href;

/** A match is attached within a second, though an exec may be seen in the second look only, and attaching takes time. */
const LOOK_MS = 450;
/** What looks may cost, as a share of one core: with hundreds of processes they are made less often. */
const LOOK_SHARE = 0.01;
/** The first looks for a program that has just been started, so that processes it starts at once are not missed. */
const EARLY_LOOKS_MS = [50, 100, 200];
/** A last look that takes longer is given up: a pattern may need hours for the command line of a stranger. */
const LAST_LOOK_MS = 2_000;

/** The monitor, as a selection needs it. */
export interface SelectingHost {
  attach(requests: readonly ProcessRequest[]): Promise<(TargetInfo | PagepulseError)[]>;
  detach(ids: readonly number[], reason: DetachReason): Promise<unknown>;
  skipped(request: ProcessRequest, error: PagepulseError): void;
  /** Every chosen process has ended. */
  end(): void;
}

/**
 * Keeps a monitor's targets what a selection says. A thread of its own looks at all processes (selection-looks.ts); this
 * side says when, twice a second, and attaches and detaches what the looks have found.
 */
export class Selecting {
  /** Rejects if the thread has died. */
  readonly failed: Promise<never>;
  readonly #thread: ReturnType<typeof startThread>;
  readonly #port: MessagePort;
  readonly #looks: Comlink.Remote<SelectionApi>;
  readonly #first: Promise<FirstLook>;
  readonly #pending = new PendingCalls();
  readonly #hasRuns: boolean;
  #failure: PagepulseError | undefined;
  #latest: Pick<Look, 'lookUs' | 'stats'> | undefined;
  #isFollowing = false;
  #hasStopped = false;
  /** Ends the pause before the next look. */
  #hurry = new AbortController();

  /** Starts the thread and its first look. */
  constructor(selection: Selection, thread = THREAD) {
    carryErrors();
    this.#hasRuns = (selection.runs?.length ?? 0) > 0;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#looks = Comlink.wrap<SelectionApi>(port1);
    this.failed = this.#pending.wait(new Promise<never>(() => {}));
    this.#thread = startThread(thread, { control: port2 } satisfies SelectionStart, [port2]);
    this.#thread.ended.then(
      () => this.#fail('it ended by itself'),
      (error) => this.#fail(error),
    );
    this.#first = this.#call(this.#looks.start(selection));
    // Both are awaited later, or never.
    for (const promise of [this.failed, this.#first]) promise.catch(() => {});
  }

  /**
   * The processes to watch from the start.
   *
   * @throws PagepulseError `ATTRS`, `LIMIT`, `THREADS`
   */
  async requests(): Promise<readonly ProcessRequest[]> {
    const first = await this.#first;
    this.#latest = first;
    return first.attach;
  }

  /**
   * Takes what became of `requests`.
   *
   * @throws PagepulseError if none is watched, none can come, and that has a reason
   */
  async settle(results: readonly (TargetInfo | PagepulseError)[]): Promise<void> {
    await this.#settle(results);
    const { hasFilters, missing } = await this.#first;
    if (hasFilters || results.some((each) => !(each instanceof PagepulseError))) return;
    const [first] = missing;
    const reason = first ? fromWire(first.error) : results.find((each) => each instanceof PagepulseError);
    if (!(reason instanceof PagepulseError)) return;
    // A command that has ended may have left processes: the next looks find them, or that all is over.
    if (this.#hasRuns && ['NO_PROCESS', 'ZOMBIE'].includes(reason.code)) return;
    throw reason;
  }

  /** Goes on looking until `stop`. */
  follow(host: SelectingHost): void {
    if (this.#hasStopped) return;
    this.#isFollowing = true;
    this.#run(host).catch((error) => this.#fail(error));
  }

  /** A target is no longer watched. After the last one, the next look is at once. */
  lost(targetId: number, targetsLeft: number): void {
    if (this.#hasStopped || this.#failure) return;
    void this.#looks.lost(targetId);
    if (targetsLeft === 0) this.#hurry.abort();
  }

  /** Makes a last look, which counts what came and went until now, and ends the thread. */
  async stop(): Promise<void> {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    this.#hurry.abort();
    if (this.#latest && this.#isFollowing && !this.#failure) {
      const last = this.#call(this.#looks.finish()).catch(() => undefined);
      const stats = await Promise.race([last, pause(LAST_LOOK_MS, undefined, { ref: false })]);
      if (stats) this.#latest = { ...this.#latest, stats };
    }
    await this.#thread.destroy();
    this.#port.close();
  }

  /** Undefined before the first look. */
  get stats(): SelectionStats | undefined {
    return this.#latest?.stats;
  }

  async #run(host: SelectingHost): Promise<void> {
    const { missing, skip } = await this.#first;
    this.#tellSkips(host, [...missing, ...skip]);
    for (let i = 0; ; i++) {
      const early = this.#hasRuns ? EARLY_LOOKS_MS[i] : undefined;
      await this.#pause(early ?? Math.max(LOOK_MS, this.#latest!.lookUs / 1_000 / LOOK_SHARE));
      if (this.#hasStopped) return;
      try {
        const look = await this.#call(this.#looks.look());
        if (look) await this.#apply(look, host);
      } catch (error) {
        // The monitor says so itself.
        if (error instanceof PagepulseError && ['STOPPED', 'THREADS'].includes(error.code)) return;
        throw error;
      }
    }
  }

  async #apply(look: Look, host: SelectingHost): Promise<void> {
    this.#latest = look;
    this.#tellSkips(host, look.skip);
    if (look.ended.length > 0) await host.detach(look.ended, 'ended');
    if (look.left.length > 0) await host.detach(look.left, 'detached');
    if (look.attach.length > 0) await this.#settle(await host.attach(look.attach));
    if (look.isOver) host.end();
  }

  async #settle(results: readonly (TargetInfo | PagepulseError)[]): Promise<void> {
    const outcomes = results.map((each) => (each instanceof PagepulseError ? each.code : each.id));
    const stats = await this.#call(this.#looks.settle(outcomes));
    this.#latest = { ...this.#latest!, stats };
  }

  #tellSkips(host: SelectingHost, skips: readonly Skip[]): void {
    for (const { request, error } of skips) host.skipped(request, fromWire(error));
  }

  async #call<T>(answer: Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    return this.#pending.wait(answer);
  }

  #fail(error: unknown): void {
    if (this.#hasStopped || this.#failure) return;
    const reason = error instanceof Error ? error.message : String(error);
    const what = 'the thread that looks for processes failed';
    this.#failure = new PagepulseError('THREADS', `${what}: ${reason}; ${THREADS_HELP}`, { cause: error });
    this.#pending.reject(this.#failure);
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#hurry;
    await pause(ms, undefined, { signal }).catch(() => {});
    if (signal.aborted) this.#hurry = new AbortController();
  }
}
