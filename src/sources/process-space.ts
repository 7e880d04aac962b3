import { PagepulseError } from '../core/errors.js';
import { threeRanges } from '../core/regions.js';
import { TargetStatus } from '../core/table-header.js';
import { readCmdline } from '../kernel/arguments.js';
import { AccessibleRanges, MappedRanges } from '../kernel/maps.js';
import { pageSize } from '../kernel/page-size.js';
import { isAlive, readWatchable } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { type ProcessRequest, pagesOf } from '../processes/process-request.js';
import { PresentParts } from './present-parts.js';
import type { AddressSpace, CoverName, TargetIdentity } from './source.js';

/** Shared by all targets of this thread, one at a time. */
const mapped = new MappedRanges();
const accessible = new AccessibleRanges();

const NO_RANGES = new Float64Array(0);
const GONE: AddressSpace = { status: TargetStatus.GONE, ranges: NO_RANGES, residentBytes: 0 };
const STALE: AddressSpace = { status: TargetStatus.STALE, ranges: NO_RANGES, residentBytes: 0 };

/** One process while it lives: its identity, and where its memory lies. Used by all sources that watch processes. */
export class ProcessSpace {
  readonly pid: number;
  readonly target: TargetIdentity;
  /** Ranges given by the user, in pages. The process's mappings then only show whether it still has memory. */
  readonly fixedRanges: Float64Array | undefined;
  readonly #startTime: string;
  readonly #parts: PresentParts;

  /** @throws PagepulseError `ATTRS` (the ranges), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION` */
  constructor(
    { pid, startTime, ranges }: ProcessRequest,
    readonly cover: CoverName = 'three-ranges',
  ) {
    this.fixedRanges = ranges && pagesOf(ranges);
    const stat = readWatchable(pid);
    if (startTime !== undefined && stat.startTime !== startTime) {
      throw new PagepulseError(
        'NO_PROCESS',
        `process ${pid} has ended; its PID now belongs to another process`,
      );
    }
    this.pid = pid;
    this.#parts = new PresentParts(pid);
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
      const isDense = this.cover === 'mapped' && !this.fixedRanges;
      const found = isDense ? accessible : mapped;
      const length = found.read(pid);
      if (!isAlive(pid, this.#startTime)) return GONE;
      // In the middle of an exec, the address space has no mappings.
      if (length === 0) return STALE;
      const residentBytes = readResidentBytes(pid) ?? 0;
      const ranges = isDense
        ? this.#parts.narrow(found.pairs.slice(0, length), residentBytes / pageSize())
        : (this.fixedRanges ?? threeRanges(found.pairs, length));
      return { status: TargetStatus.OK, ranges, isDense, residentBytes };
    } catch (error) {
      if (!(error instanceof PagepulseError) || error.code !== 'NO_PROCESS') throw error;
      return GONE;
    }
  }
}
