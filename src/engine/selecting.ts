import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { PagepulseError } from '../core/errors.js';
import type { TargetInfo } from '../core/target.js';
import type { SelectionStats } from '../processes/follower.js';
import type { ProcessRequest } from '../processes/process-request.js';
import type { Selection } from '../processes/selection.js';
import { carryErrors, fromWire } from './comlink-errors.js';
import type { DetachReason } from './protocol.js';
import type { FirstLook, Look, SelectionApi, SelectionStart, Skip } from './selection-looks.js';
import { startThread, THREADS_HELP } from './thread-pool.js';

const THREAD = new URL('../../workers/selection.js', import.meta.url).href;

/** A match is attached within a second, though an exec may be seen in the second look only, and attaching takes time. */
const LOOK_MS = 450;
/** What looks may cost, as a share of one core: with hundreds of processes to look at they are made less often. */
const LOOK_SHARE = 0.01;
/** The first looks for a program that has just been started: what it starts at once is not missed. */
const EARLY_LOOKS_MS = [50, 100, 200];
/** A last look that takes longer is given up: a pattern may need hours for the command line of a stranger. */
const LAST_LOOK_MS = 2_000;

/** The monitor, as a selection needs it. */
export interface SelectingHost {
  attach(requests: readonly ProcessRequest[]): Promise<(TargetInfo | PagepulseError)[]>;
  detach(ids: readonly number[], reason: DetachReason): Promise<unknown>;
  skipped(request: ProcessRequest, error: PagepulseError): void;
  /** All that was chosen has ended. */
  end(): void;
}

/**
 * Keeps a monitor's targets what a selection says. All processes are looked at twice a second in a thread of its own
 * (selection-looks.ts); the caller's thread says when, and attaches and detaches what the looks have found.
 */
export class Selecting {
  /** Rejects if the thread has died: nothing new would be found any more. */
  readonly failed: Promise<never>;
  readonly #thread: ReturnType<typeof startThread>;
  readonly #port: MessagePort;
  readonly #looks: Comlink.Remote<SelectionApi>;
  readonly #first: Promise<FirstLook>;
  /** The calls that wait for an answer, which a thread that has died does not give. */
  readonly #waiting = new Set<(error: unknown) => void>();
  #failure: PagepulseError | undefined;
  #stats: SelectionStats | undefined;
  #isFollowing = false;
  /** CPU that the last look took. */
  #lookUs = 0;
  #hasStopped = false;
  #wake: () => void = () => {};

  /** Starts the thread and its first look. */
  constructor(
    readonly selection: Selection,
    thread = THREAD,
  ) {
    carryErrors();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#looks = Comlink.wrap<SelectionApi>(port1);
    this.failed = new Promise((_, reject) => this.#waiting.add(reject));
    this.failed.catch(() => {}); // the monitor listens later
    this.#thread = startThread(thread, { control: port2 } satisfies SelectionStart, [port2]);
    this.#thread.ended.then(
      () => this.#fail('it ended by itself'),
      (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)),
    );
    this.#first = this.#call(this.#looks.start(selection));
    this.#first.catch(() => {}); // as above
  }

  /**
   * The processes to watch from the start.
   *
   * @throws PagepulseError `ATTRS`, `LIMIT`, `THREADS`
   */
  async requests(): Promise<readonly ProcessRequest[]> {
    return this.#take(await this.#first).attach;
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
    // What a command has started may be there when it has ended itself: the next looks find it, or that all is over.
    if (this.#hasRuns && ['NO_PROCESS', 'ZOMBIE'].includes(reason.code)) return;
    throw reason;
  }

  /** Looks on, until `stop`. */
  follow(host: SelectingHost): void {
    this.#isFollowing = true;
    void this.#run(host).catch((error: unknown) =>
      this.#fail(error instanceof Error ? error.message : String(error)),
    );
  }

  /** A target is not watched any longer. After the last one, the next look is at once. */
  lost(targetId: number, targetsLeft: number): void {
    if (this.#hasStopped || this.#failure) return;
    void this.#looks.lost(targetId);
    if (targetsLeft === 0) this.#wake();
  }

  /** Makes a last look, which counts what came and went until now, and ends the thread. */
  async stop(): Promise<void> {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    this.#wake();
    if (this.#isFollowing && !this.#failure) await this.#lookLast();
    await this.#thread.destroy();
    this.#port.close();
  }

  /** Undefined before the first look. */
  get stats(): SelectionStats | undefined {
    return this.#stats;
  }

  get #hasRuns(): boolean {
    return (this.selection.runs?.length ?? 0) > 0;
  }

  async #run(host: SelectingHost): Promise<void> {
    const { missing, skip } = await this.#first;
    tellSkips(host, [...missing, ...skip]);
    for (let i = 0; ; i++) {
      const early = this.#hasRuns ? EARLY_LOOKS_MS[i] : undefined;
      await this.#pause(early ?? Math.max(LOOK_MS, this.#lookUs / 1_000 / LOOK_SHARE));
      if (this.#hasStopped) return;
      try {
        const look = await this.#call(this.#looks.look());
        if (look) await this.#follow(this.#take(look), host);
      } catch (error) {
        if (error instanceof PagepulseError && ['STOPPED', 'THREADS'].includes(error.code)) return; // told by `ended`
        throw error;
      }
    }
  }

  async #follow({ attach, skip, ended, left, isOver }: Look, host: SelectingHost): Promise<void> {
    tellSkips(host, skip);
    if (ended.length > 0) await host.detach(ended, 'ended');
    if (left.length > 0) await host.detach(left, 'detached');
    if (attach.length > 0) await this.#settle(await host.attach(attach));
    if (isOver) host.end();
  }

  #take<T extends Look>(look: T): T {
    this.#lookUs = look.lookUs;
    this.#stats = look.stats;
    return look;
  }

  async #settle(results: readonly (TargetInfo | PagepulseError)[]): Promise<void> {
    const outcomes = results.map((each) => (each instanceof PagepulseError ? each.code : each.id));
    this.#stats = await this.#call(this.#looks.settle(outcomes));
  }

  async #lookLast(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, LAST_LOOK_MS, undefined);
    });
    const last = this.#call(this.#looks.finish()).catch(() => undefined);
    this.#stats = (await Promise.race([last, tooLate])) ?? this.#stats;
    clearTimeout(timer);
  }

  #call<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure) throw this.#failure;
      this.#waiting.add(reject);
      answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  #fail(reason: string): void {
    if (this.#hasStopped || this.#failure) return;
    this.#failure = new PagepulseError(
      'THREADS',
      `the thread that looks for processes failed: ${reason}; ${THREADS_HELP}`,
    );
    for (const reject of this.#waiting) reject(this.#failure);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tellSkips(host: SelectingHost, skips: readonly Skip[]): void {
  for (const { request, error } of skips) host.skipped(request, fromWire(error));
}
