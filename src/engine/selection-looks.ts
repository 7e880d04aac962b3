import type { MessagePort } from 'node:worker_threads';
import { type ErrorCode, PagepulseError, systemCode } from '../core/errors.js';
import { freeDescriptors } from '../kernel/limits.js';
import { readWatchable } from '../kernel/stat.js';
import { threadCpuMs } from '../kernel/thread-cpu.js';
import { Follower, type SelectionStats } from '../processes/follower.js';
import { kernelProcesses } from '../processes/proc-source.js';
import type { ProcessRequest } from '../processes/process-request.js';
import { Choice, type Selection } from '../processes/selection.js';
import { toWire, type WireError } from './comlink-errors.js';

/** What the thread is started with. */
export interface SelectionStart {
  /** The caller's thread calls SelectionApi through this. */
  readonly control: MessagePort;
}

/** A process that is chosen and not watched, and why. */
export interface Skip {
  readonly request: ProcessRequest;
  readonly error: WireError;
}

/** What a look has found to do. */
export interface Look {
  /** To be answered by `settle` before the next look. */
  readonly attach: readonly ProcessRequest[];
  readonly skip: readonly Skip[];
  /** IDs of targets that have ended, and of those that are no longer chosen. */
  readonly ended: readonly number[];
  readonly left: readonly number[];
  /** No chosen process lives, and none can be chosen any more. */
  readonly isOver: boolean;
  /** CPU that it took. */
  readonly lookUs: number;
  readonly stats: SelectionStats;
}

export interface FirstLook extends Look {
  /** Whether processes may match that were not named. */
  readonly hasFilters: boolean;
  /** Processes that were named and cannot be watched. */
  readonly missing: readonly Skip[];
}

/** The looks, for the caller's thread. */
export interface SelectionApi {
  start(selection: Selection): FirstLook;
  /** Undefined if there was no descriptor left for it: the next one may find some. */
  look(): Look | undefined;
  /** What became of the requests of the last look: IDs of targets, or codes of errors. */
  settle(outcomes: readonly (number | ErrorCode)[]): SelectionStats;
  lost(targetId: number): void;
  /** The last look, at which nothing is attached. */
  finish(): SelectionStats;
}

/** The walk over /proc. Takes milliseconds with hundreds of processes, and so runs in a thread of its own. */
export class SelectionLooks implements SelectionApi {
  #follower!: Follower;

  /** @throws PagepulseError `ATTRS`, `LIMIT` */
  start(selection: Selection): FirstLook {
    this.#follower = new Follower(new Choice(selection), kernelProcesses(), freeDescriptors);
    const { hasFilters } = this.#follower.choice;
    try {
      return { ...this.#look(), hasFilters, missing: this.#missing() };
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      const { message } = error as Error;
      throw new PagepulseError(
        'LIMIT',
        `cannot look for processes: ${message}; raise the limit with \`ulimit -n\``,
        { cause: error },
      );
    }
  }

  look(): Look | undefined {
    try {
      return this.#look();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    }
  }

  settle(outcomes: readonly (number | ErrorCode)[]): SelectionStats {
    this.#follower.settle(outcomes);
    return this.#follower.stats;
  }

  lost(targetId: number): void {
    this.#follower.lost(targetId);
  }

  finish(): SelectionStats {
    try {
      this.#follower.finish();
    } catch {
      // No descriptor is left: the counts are those of the look before.
    }
    return this.#follower.stats;
  }

  #look(): Look {
    const beforeMs = threadCpuMs();
    const { skip, ...changes } = this.#follower.look();
    const lookUs = (threadCpuMs() - beforeMs) * 1_000 || 0; // NaN if the kernel does not say
    this.#follower.cpuUs += lookUs;
    const { isOver, stats } = this.#follower;
    return { ...changes, skip: skip.map(asSkip), isOver, lookUs, stats };
  }

  #missing(): Skip[] {
    const { choice, processes } = this.#follower;
    const pids = [...choice.pids, ...choice.runs.map(({ pid }) => pid)];
    return pids.flatMap((pid) => {
      if (processes.known.get(pid)?.isChosen) return [];
      try {
        readWatchable(pid);
        return [];
      } catch (error) {
        if (error instanceof PagepulseError) return [asSkip({ request: { pid }, error })];
        throw error;
      }
    });
  }
}

function asSkip({ request, error }: { request: ProcessRequest; error: PagepulseError }): Skip {
  return { request, error: toWire(error) };
}
