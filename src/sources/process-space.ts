import { PagepulseError } from '../core/errors.js';
import { threeRanges } from '../core/regions.js';
import { TargetStatus } from '../core/table-header.js';
import { readCmdline } from '../kernel/arguments.js';
import { MappedRanges } from '../kernel/maps.js';
import { isAlive, readWatchable } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { type ProcessRequest, pagesOf } from '../processes/process-request.js';
import type { AddressSpace, TargetIdentity } from './source.js';

/** Shared by all targets of this thread, one at a time. */
const mapped = new MappedRanges();

const NO_RANGES = new Float64Array(0);
const GONE: AddressSpace = { status: TargetStatus.GONE, ranges: NO_RANGES, residentBytes: 0 };
const STALE: AddressSpace = { status: TargetStatus.STALE, ranges: NO_RANGES, residentBytes: 0 };

/**
 * Chooses the part of an address space that regions cover.
 *
 * @param mapped [start, end) pairs of pages in address order; the first `length` numbers are in use
 * @returns pairs in the same form
 */
export type Cover = (mapped: Float64Array, length: number) => Float64Array;

/** One process while it lives: its identity, and where its memory lies. Used by all sources that watch processes. */
export class ProcessSpace {
  readonly pid: number;
  readonly target: TargetIdentity;
  /** Ranges given by the user, in pages. The process's mappings then only show whether it still has memory. */
  readonly fixedRanges: Float64Array | undefined;
  readonly #startTime: string;
  readonly #cover: Cover;

  /** @throws PagepulseError `ATTRS` (the ranges), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION` */
  constructor({ pid, startTime, ranges }: ProcessRequest, cover: Cover = threeRanges) {
    const fixed = ranges && pagesOf(ranges);
    this.fixedRanges = fixed;
    this.#cover = fixed ? () => fixed : cover;
    const stat = readWatchable(pid);
    if (startTime !== undefined && stat.startTime !== startTime) {
      throw new PagepulseError(
        'NO_PROCESS',
        `process ${pid} has ended; its PID now belongs to another process`,
      );
    }
    this.pid = pid;
    this.#startTime = stat.startTime;
    const cmdline = readCmdline(pid);
    this.target = { comm: stat.comm, process: { pid, startTime: stat.startTime, cmdline } };
  }

  /**
   * Reads the mappings. Checks the identity last, which proves that everything read before belongs to this process.
   *
   * @param reopen called first, to reopen files of an address space that is gone
   */
  read(reopen?: () => void): AddressSpace {
    const { pid } = this;
    try {
      reopen?.();
      const length = mapped.read(pid);
      if (!isAlive(pid, this.#startTime)) return GONE;
      // In the middle of an exec, the address space has no mappings.
      if (length === 0) return STALE;
      const ranges = this.#cover(mapped.pairs, length);
      return { status: TargetStatus.OK, ranges, residentBytes: readResidentBytes(pid) ?? 0 };
    } catch (error) {
      if (!(error instanceof PagepulseError) || error.code !== 'NO_PROCESS') throw error;
      return GONE;
    }
  }
}
