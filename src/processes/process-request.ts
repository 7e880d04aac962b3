import { PagepulseError } from '../core/errors.js';
import { pageSize } from '../kernel/page-size.js';

/** Ranges that one process can be watched in. Each takes a region at least. */
const MAX_RANGES = 100;

/** Bytes [startAddress, endAddress), widened to whole pages. Page-aligned addresses are exact, also above 2^53. */
export interface AddressRange {
  readonly startAddress: number;
  readonly endAddress: number;
}

export interface ProcessRequest {
  readonly pid: number;
  /** Clock ticks since boot, as decimal digits: the process must be the one that started then. */
  readonly startTime?: string;
  /**
   * Watches only these addresses, however the mappings change: up to 100 ranges that do not overlap (DAMON's fvaddr).
   * For programs that scatter their memory over the whole address space, as V8 does. Default: the three ranges that cover
   * all mappings.
   */
  readonly ranges?: readonly AddressRange[];
}

/**
 * The ranges as a region table takes them: [start, end) pairs of pages, sorted.
 *
 * @throws PagepulseError `ATTRS`
 */
export function pagesOf(ranges: readonly AddressRange[], bytesPerPage = pageSize()): Float64Array {
  if (ranges.length < 1 || ranges.length > MAX_RANGES) {
    throw new PagepulseError(
      'ATTRS',
      `cannot watch ${ranges.length} ranges: a process is watched in 1 to ${MAX_RANGES}; ` +
        (ranges.length === 0
          ? 'give one, or drop the ranges to watch all of it'
          : 'drop some, or join neighbours'),
    );
  }
  const sorted = [...ranges].sort((a, b) => a.startAddress - b.startAddress);
  sorted.forEach((range, i) => {
    const { startAddress, endAddress } = range;
    const before = sorted[i - 1];
    if (!(startAddress >= 0 && endAddress <= 2 ** 64))
      throw refuse(range, 'is out of bounds; give addresses from 0 to 2^64');
    if (startAddress >= endAddress) throw refuse(range, 'is empty; give an end above its start');
    if (before && Math.ceil(before.endAddress / bytesPerPage) > Math.floor(startAddress / bytesPerPage)) {
      throw refuse(range, `overlaps ${textOf(before)}, in whole pages of ${bytesPerPage} bytes; join them`);
    }
  });
  return Float64Array.from(
    sorted.flatMap(({ startAddress, endAddress }) => [
      Math.floor(startAddress / bytesPerPage),
      Math.ceil(endAddress / bytesPerPage),
    ]),
  );
}

function refuse(range: AddressRange, reason: string): PagepulseError {
  return new PagepulseError('ATTRS', `cannot watch the range ${textOf(range)}: it ${reason}`);
}

function textOf({ startAddress, endAddress }: AddressRange): string {
  return `${startAddress.toString(16)}-${endAddress.toString(16)}`;
}
