import { PagepulseError } from '../core/errors.js';
import { TargetStatus } from '../core/region-table.js';
import { threeRanges } from '../core/regions.js';
import { MappedRanges } from '../kernel/mapped-ranges.js';
import { isAlive, readCmdline, readWatchable } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { type ProcessRequest, pagesOf } from '../processes/process-request.js';
import type { AddressSpace, TargetIdentity } from './source.js';

/** For one process after the other. */
const mapped = new MappedRanges();

const NO_RANGES = new Float64Array(0);
const GONE: AddressSpace = { status: TargetStatus.GONE, ranges: NO_RANGES, residentBytes: 0 };
const STALE: AddressSpace = { status: TargetStatus.STALE, ranges: NO_RANGES, residentBytes: 0 };

/**
 * Which part of an address space regions lie over.
 *
 * @param mapped [start, end) pairs of pages in address order, of which the first `length` numbers are in use
 * @returns such pairs
 */
export type Cover = (mapped: Float64Array, length: number) => Float64Array;

/** One process for as long as it lives: its identity, and where its memory lies. Shared by the sources of processes. */
export class ProcessSpace {
  readonly target: TargetIdentity & { readonly pid: number };
  /** Ranges given by hand, in pages: then only whether there are mappings matters. */
  readonly fixedRanges: Float64Array | undefined;
  readonly #cover: Cover;

  /** @throws PagepulseError `ATTRS` (the ranges), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION` */
  constructor({ pid, startTime, ranges }: ProcessRequest, cover: Cover = threeRanges) {
    const fixed = ranges && pagesOf(ranges);
    this.fixedRanges = fixed;
    this.#cover = fixed ? () => fixed : cover;
    const stat = readWatchable(pid);
    if (startTime !== undefined && stat.startTime !== startTime) {
      throw new PagepulseError('NO_PROCESS', `process ${pid} has ended; another one has its number now`);
    }
    this.target = { pid, startTime: stat.startTime, comm: stat.comm, cmdline: readCmdline(pid) };
  }

  /**
   * Reads the mappings. The identity is looked at last: then all that was read before it was of this process.
   *
   * @param reopen called first, to open again what belonged to an address space that is gone
   */
  read(reopen?: () => void): AddressSpace {
    const { pid, startTime } = this.target;
    try {
      reopen?.();
      const length = mapped.read(pid);
      if (!isAlive(pid, startTime)) return GONE;
      // An exec is caught half way as an address space without mappings.
      if (length === 0) return STALE;
      const ranges = this.#cover(mapped.pairs, length);
      return { status: TargetStatus.OK, ranges, residentBytes: readResidentBytes(pid) ?? 0 };
    } catch (error) {
      if (!(error instanceof PagepulseError) || error.code !== 'NO_PROCESS') throw error;
      return GONE;
    }
  }
}
