import { PagepulseError } from '../core/errors.js';
import { threeRanges } from '../core/ranges.js';
import { type RegionTable, TargetStatus } from '../core/region-table.js';
import { readCmdline } from '../kernel/arguments.js';
import { MappedRanges } from '../kernel/maps.js';
import { isAlive, readWatchable } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { type ProcessRequest, pagesOf } from '../processes/process-request.js';
import type { TargetIdentity } from './page-check.js';

/** For one process after the other. */
const mapped = new MappedRanges();

/** One process for as long as it lives: its identity, and where its memory lies. Shared by the checks of processes. */
export class ProcessSpace {
  readonly target: TargetIdentity;
  /** Where given, the ranges to watch, in pages: the mappings matter no more than that there are some. */
  readonly fixedRanges: Float64Array | undefined;

  /** @throws PagepulseError `ATTRS` (the ranges), `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION` */
  constructor({ pid, startTime, ranges }: ProcessRequest) {
    this.fixedRanges = ranges && pagesOf(ranges);
    const stat = readWatchable(pid);
    if (startTime !== undefined && stat.startTime !== startTime) {
      throw new PagepulseError('NO_PROCESS', `process ${pid} has ended; another one has its number now`);
    }
    this.target = { pid, startTime: stat.startTime, comm: stat.comm, cmdline: readCmdline(pid) };
  }

  /**
   * Sets the table's ranges and status. An exec is caught half way as an address space without mappings: STALE, to be
   * asked again. The identity is looked at last: then all that was read before it was of this process.
   *
   * @param reopen opens again what belongs to the address space that was left
   */
  updateRanges(table: RegionTable, reopen?: () => void): void {
    const { pid, startTime } = this.target;
    try {
      if (table.status === TargetStatus.STALE) reopen?.();
      const length = mapped.read(pid);
      if (!isAlive(pid, startTime)) {
        table.status = TargetStatus.GONE;
      } else if (length === 0) {
        table.status = TargetStatus.STALE;
      } else {
        table.setRanges(this.fixedRanges ?? threeRanges(mapped.pairs, length));
        table.residentBytes = readResidentBytes(pid) ?? 0;
        table.status = TargetStatus.OK;
      }
    } catch (error) {
      if (!(error instanceof PagepulseError) || error.code !== 'NO_PROCESS') throw error;
      table.status = TargetStatus.GONE;
    }
  }
}
