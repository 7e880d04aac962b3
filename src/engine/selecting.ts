import { closeSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import type { TargetInfo } from '../core/target.js';
import { freeDescriptors } from '../kernel/limits.js';
import { readWatchable } from '../kernel/stat.js';
import { openThreadCpu, readThreadCpuUs } from '../kernel/thread-cpu.js';
import { Follower, type Found, type SelectionStats } from '../processes/follower.js';
import type { ProcessRequest } from '../processes/process-request.js';
import { Choice, type Selection } from '../processes/selection.js';
import { kernelProcesses } from './kernel-processes.js';
import type { DetachReason } from './protocol.js';

/** A match is attached within a second, though an exec may be seen in the second look only, and attaching takes time. */
const LOOK_MS = 450;
/** What looks may cost, as a share of one core: with hundreds of processes to look at they are made less often. */
const LOOK_SHARE = 0.01;
/** The first looks for a program that has just been started: what it starts at once is not missed. */
const EARLY_LOOKS_MS = [50, 100, 200];

/** The monitor, as a selection needs it. */
export interface SelectingHost {
  attach(requests: readonly ProcessRequest[]): Promise<(TargetInfo | PagepulseError)[]>;
  detach(ids: readonly number[], reason: DetachReason): Promise<unknown>;
  skipped(request: ProcessRequest, error: PagepulseError): void;
  /** All that was chosen has ended. */
  end(): void;
}

/** Keeps a monitor's targets what a selection says: looks at all processes twice a second, on the thread it lives in. */
export class Selecting {
  readonly #follower: Follower;
  readonly #first: Found;
  readonly #cpuFile = openThreadCpu();
  #host: SelectingHost | undefined;
  /** CPU that the last look took. */
  #lookUs = 0;
  #hasStopped = false;
  #wake: () => void = () => {};

  /**
   * Has the first look.
   *
   * @throws PagepulseError `ATTRS`
   */
  constructor(selection: Selection) {
    this.#follower = new Follower(new Choice(selection), kernelProcesses(), freeDescriptors);
    this.#first = this.#look();
  }

  /** What is to be watched from the start. */
  get requests(): readonly ProcessRequest[] {
    return this.#first.attach;
  }

  /**
   * Takes what became of `requests`.
   *
   * @throws PagepulseError where none is watched, nothing is waited for, and that has a reason
   */
  settle(results: readonly (TargetInfo | PagepulseError)[]): void {
    this.#follower.settle(results);
    const { hasFilters, runs } = this.#follower.choice;
    if (hasFilters || results.some((each) => !(each instanceof PagepulseError))) return;
    const reason = this.#missing()[0]?.error ?? results.find((each) => each instanceof PagepulseError);
    if (!(reason instanceof PagepulseError)) return;
    // What a command has started may be there when it has ended itself: the next looks find it, or that all is over.
    if (runs.length > 0 && ['NO_PROCESS', 'ZOMBIE'].includes(reason.code)) return;
    this.stop();
    throw reason;
  }

  /** Looks on, until `stop`. */
  follow(host: SelectingHost): void {
    if (this.#hasStopped) return;
    this.#host = host;
    for (const { request, error } of [...this.#missing(), ...this.#first.skip]) host.skipped(request, error);
    void this.#run(host);
  }

  /** A target is not watched any longer. After the last one, the next look is at once. */
  lost(targetId: number, targetsLeft: number): void {
    this.#follower.lost(targetId);
    if (targetsLeft === 0) this.#wake();
  }

  /** The last look: what came and went until now is counted. */
  stop(): void {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    this.#wake();
    if (this.#host) this.#follower.finish();
    if (this.#cpuFile >= 0) closeSync(this.#cpuFile);
  }

  get stats(): SelectionStats {
    return this.#follower.stats;
  }

  async #run(host: SelectingHost): Promise<void> {
    for (let i = 0; ; i++) {
      const early = this.#follower.choice.runs.length > 0 ? EARLY_LOOKS_MS[i] : undefined;
      await this.#pause(early ?? Math.max(LOOK_MS, this.#lookUs / 1_000 / LOOK_SHARE));
      if (this.#hasStopped) return;
      try {
        await this.#step(host);
      } catch (error) {
        if (error instanceof PagepulseError && ['STOPPED', 'THREADS'].includes(error.code)) return; // told by `ended`
        if (systemCode(error) === undefined) throw error;
        // No descriptor was left for a look: the next one may find some.
      }
    }
  }

  async #step(host: SelectingHost): Promise<void> {
    const { attach, skip, ended, left } = this.#look();
    for (const { request, error } of skip) host.skipped(request, error);
    if (ended.length > 0) await host.detach(ended, 'ended');
    if (left.length > 0) await host.detach(left, 'detached');
    if (attach.length > 0) this.#follower.settle(await host.attach(attach));
    if (this.#follower.isOver) host.end();
  }

  #look(): Found {
    const beforeUs = this.#cpuUs();
    const found = this.#follower.look();
    const cpuUs = this.#cpuUs() - beforeUs;
    if (!Number.isNaN(cpuUs)) {
      this.#follower.cpuUs += cpuUs;
      this.#lookUs = cpuUs;
    }
    return found;
  }

  /** That of a running thread is as old as the scheduler's last tick, unless the whole process's is asked for before. */
  #cpuUs(): number {
    process.cpuUsage();
    return readThreadCpuUs(this.#cpuFile);
  }

  /** Processes that were named outright and cannot be watched, each with the reason. */
  #missing(): { request: ProcessRequest; error: PagepulseError }[] {
    const { choice, census } = this.#follower;
    const pids = [...choice.pids, ...choice.runs.map(({ pid }) => pid)];
    return pids.flatMap((pid) => {
      if (census.known.get(pid)?.isChosen) return [];
      try {
        readWatchable(pid);
        return [];
      } catch (error) {
        if (error instanceof PagepulseError) return [{ request: { pid }, error }];
        throw error;
      }
    });
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
