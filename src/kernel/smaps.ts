import { readMemoryFile } from './memory-file.js';
import { pageSize } from './page-size.js';
import { processError } from './process-errors.js';
import { nextLine, parseDecimal, parsedTo, parseHex, readText, textBytes } from './text-file.js';

const REFERENCED = Buffer.from('Referenced:');
const SIZE = Buffer.from('Size:');
const RSS = Buffer.from('Rss:');

/**
 * /proc/PID/smaps (Documentation/filesystems/proc.rst): the lines of maps, each followed by some 20 lines of sums
 * over that mapping, `Name:   123 kB`. Readable by the process's own user and by root; needs CONFIG_PROC_PAGE_MONITOR.
 * Making it walks every resident page (about 6 ms for 512 MiB).
 *
 * `Referenced` is what was accessed since the accessed bits were last cleared (clear-refs.ts), counted in whole
 * pages: of a transparent huge page, all 2 MiB; also pages of which the kernel itself remembers an access.
 */
export class Smaps {
  /** First page of each mapping, in address order; `read` tells how many are set. */
  startPage = new Float64Array(256);
  /** First page after each. */
  endPage = new Float64Array(256);
  /** Referenced / Size, 0 .. 1. */
  referencedShare = new Float64Array(256);
  /** Bytes of each that are in memory. */
  residentBytes = new Float64Array(256);

  constructor(readonly pid: number) {}

  /**
   * @returns the number of mappings; 0 where the process has no memory
   * @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED`
   */
  read(): number {
    let length: number;
    try {
      length = readMemoryFile(this.pid, 'smaps', readText);
    } catch (error) {
      throw processError(error, this.pid, `read smaps of process ${this.pid}`);
    }
    return this.parse(textBytes, length);
  }

  parse(bytes: Uint8Array, length: number): number {
    const bytesPerPage = pageSize();
    let count = 0;
    let sizeKb = 0;
    for (let at = 0; at < length; at = nextLine(bytes, at, length)) {
      if (startsWith(bytes, at, SIZE)) {
        sizeKb = parseDecimal(bytes, at + SIZE.length);
      } else if (startsWith(bytes, at, RSS)) {
        this.residentBytes[count - 1] = parseDecimal(bytes, at + RSS.length) * 1_024;
      } else if (startsWith(bytes, at, REFERENCED)) {
        const referencedKb = parseDecimal(bytes, at + REFERENCED.length);
        this.referencedShare[count - 1] = sizeKb > 0 ? Math.min(1, referencedKb / sizeKb) : 0;
      } else {
        const start = parseHex(bytes, at);
        if (parsedTo === at || bytes[parsedTo] !== 0x2d) continue; // no `start-end`: some other sum
        const end = parseHex(bytes, parsedTo + 1);
        if (count === this.startPage.length) this.#grow();
        this.startPage[count] = start / bytesPerPage;
        this.endPage[count] = end / bytesPerPage;
        this.referencedShare[count] = 0;
        this.residentBytes[count] = 0;
        count++;
      }
    }
    return count;
  }

  #grow(): void {
    for (const column of ['startPage', 'endPage', 'referencedShare', 'residentBytes'] as const) {
      const larger = new Float64Array(2 * this[column].length);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}

function startsWith(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
