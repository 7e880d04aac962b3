import { mapsPieces } from './maps.js';
import { pageSize } from './page-size.js';
import { nextLine, parsedTo, parseHex } from './text-file.js';

/** Addresses from here on are the kernel's half: `[vsyscall]` is listed there, and is no memory of the process. */
const KERNEL_HALF = 2 ** 63;

/**
 * The mapped ranges of /proc/PID/maps alone, as [start, end) pairs of pages with touching mappings joined: what
 * an update interval needs, read without a string a mapping (maps.ts reads the same file for people).
 */
export class MappedRanges {
  /** The pairs that the last read brought. */
  pairs = new Float64Array(512);
  /** How many numbers of these are set. */
  length = 0;

  /**
   * @returns how many numbers of `pairs` are set; 0 where the process has no memory (zombie, kernel thread, or in
   *   the middle of an exec)
   * @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`
   */
  read(pid: number): number {
    return this.parse(mapsPieces(pid));
  }

  /** @param pieces of whole lines */
  parse(pieces: Iterable<Uint8Array>): number {
    this.length = 0;
    for (const lines of pieces) this.#add(lines);
    return this.length;
  }

  #add(bytes: Uint8Array): void {
    const { length } = bytes;
    const bytesPerPage = pageSize();
    let count = this.length;
    for (let at = 0; at < length; at = nextLine(bytes, at, length)) {
      const start = parseHex(bytes, at);
      if (start >= KERNEL_HALF) continue;
      const end = parseHex(bytes, parsedTo + 1);
      const startPage = start / bytesPerPage;
      const endPage = end / bytesPerPage;
      if (count > 0 && startPage <= this.pairs[count - 1]!) {
        this.pairs[count - 1] = endPage;
        continue;
      }
      if (count === this.pairs.length) this.#grow();
      this.pairs[count++] = startPage;
      this.pairs[count++] = endPage;
    }
    this.length = count;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.pairs.length);
    larger.set(this.pairs);
    this.pairs = larger;
  }
}
