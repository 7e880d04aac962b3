import { readMemoryPieces } from './memory-file.js';
import { pageSize } from './page-size.js';
import { processError } from './process-errors.js';
import { nextLine, parseDecimal, parsedTo, parseHex } from './text-file.js';

const RSS = Buffer.from('Rss:');
const REFERENCED = Buffer.from('Referenced:');
const SHARED_HUGETLB = Buffer.from('Shared_Hugetlb:');
const PRIVATE_HUGETLB = Buffer.from('Private_Hugetlb:');

const SPACE = 0x20;
const DASH = 0x2d;
const HEX_A = 0x61;

/**
 * /proc/PID/smaps (Documentation/filesystems/proc.rst): the lines of maps, each followed by some 20 lines of sums
 * over that mapping, `Name:   123 kB`. Readable by the process's own user and by root; needs CONFIG_PROC_PAGE_MONITOR.
 * Making it walks every resident page (about 6 ms for 512 MiB) with the process's mmap lock held for reading.
 *
 * `Referenced` is what was accessed since the accessed bits were last cleared (clear-refs.ts), counted in whole
 * pages: of a transparent huge page, all 2 MiB; also pages of which the kernel itself remembers an access, which for
 * pages of files may have been anyone's. Surprise: pages of hugetlb are in neither `Rss` nor `Referenced`, only in
 * `Shared_Hugetlb` and `Private_Hugetlb`.
 */
export class Smaps {
  /** How many mappings were read. */
  count = 0;
  #isOfKernel = false;
  /** First page of each mapping, in address order; `count` of them are set. */
  startPage = new Float64Array(256);
  /** First page after each. */
  endPage = new Float64Array(256);
  /** Bytes of each that are in memory, hugetlb included. */
  residentBytes = new Float64Array(256);
  /** Of these, bytes in hugetlb pages, whose accesses the kernel does not count. */
  hugetlbBytes = new Float64Array(256);
  /** Bytes of each that were accessed since the accessed bits were cleared. */
  referencedBytes = new Float64Array(256);
  /** 1 where the process may access the mapping at all (not `---p`). */
  isAccessible = new Uint8Array(256);

  /**
   * @returns the number of mappings; 0 where the process has no memory
   * @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`, `UNSUPPORTED`
   */
  read(pid: number): number {
    return this.parse(smapsPieces(pid));
  }

  /** @param pieces of whole lines */
  parse(pieces: Iterable<Uint8Array>): number {
    this.begin();
    for (const lines of pieces) this.add(lines);
    return this.count;
  }

  /** Before the first piece. */
  begin(): void {
    this.count = 0;
    this.#isOfKernel = false;
  }

  /**
   * The next piece of whole lines. Mappings of the kernel's half of the address space (`[vsyscall]`) are left out: they
   * belong to no process.
   */
  add(bytes: Uint8Array): void {
    const { length } = bytes;
    const bytesPerPage = pageSize();
    let { count } = this;
    let isOfKernel = this.#isOfKernel;
    for (let at = 0; at < length; at = nextLine(bytes, at, length)) {
      if (bytes[at]! < HEX_A && bytes[at]! > 0x39) {
        // Sums begin with a capital letter.
        if (count === 0 || isOfKernel) continue;
        if (startsWith(bytes, at, RSS)) this.residentBytes[count - 1]! += kibAfter(bytes, at, RSS);
        else if (startsWith(bytes, at, REFERENCED))
          this.referencedBytes[count - 1] = kibAfter(bytes, at, REFERENCED);
        else if (startsWith(bytes, at, SHARED_HUGETLB))
          this.#addHugetlb(count - 1, bytes, at, SHARED_HUGETLB);
        else if (startsWith(bytes, at, PRIVATE_HUGETLB))
          this.#addHugetlb(count - 1, bytes, at, PRIVATE_HUGETLB);
        continue;
      }
      const start = parseHex(bytes, at);
      if (parsedTo === at || bytes[parsedTo] !== DASH) continue; // no `start-end`: some other line
      isOfKernel = start >= KERNEL_HALF;
      if (isOfKernel) continue;
      const end = parseHex(bytes, parsedTo + 1);
      if (count === this.startPage.length) this.#grow();
      this.startPage[count] = start / bytesPerPage;
      this.endPage[count] = end / bytesPerPage;
      this.residentBytes[count] = this.hugetlbBytes[count] = this.referencedBytes[count] = 0;
      this.isAccessible[count] = isAccessibleAt(bytes, parsedTo) ? 1 : 0;
      count++;
    }
    this.count = count;
    this.#isOfKernel = isOfKernel;
  }

  #addHugetlb(mapping: number, bytes: Uint8Array, at: number, name: Uint8Array): void {
    const hugetlb = kibAfter(bytes, at, name);
    this.hugetlbBytes[mapping]! += hugetlb;
    this.residentBytes[mapping]! += hugetlb;
  }

  #grow(): void {
    const length = 2 * this.startPage.length;
    for (const column of [
      'startPage',
      'endPage',
      'residentBytes',
      'hugetlbBytes',
      'referencedBytes',
    ] as const) {
      const larger = new Float64Array(length);
      larger.set(this[column]);
      this[column] = larger;
    }
    const larger = new Uint8Array(length);
    larger.set(this.isAccessible);
    this.isAccessible = larger;
  }
}

/** The file in pieces of whole lines, each valid until the next one. */
export function* smapsPieces(pid: number): Generator<Buffer, void> {
  try {
    yield* readMemoryPieces(pid, 'smaps');
  } catch (error) {
    throw processError(error, pid, `read the mappings of process ${pid}`);
  }
}

/** Addresses from here on are the kernel's half. */
const KERNEL_HALF = 2 ** 63;

/** @param at of the space before the permissions, or before it */
function isAccessibleAt(bytes: Uint8Array, at: number): boolean {
  while (bytes[at] === SPACE) at++;
  return bytes[at] !== DASH || bytes[at + 1] !== DASH || bytes[at + 2] !== DASH;
}

function kibAfter(bytes: Uint8Array, at: number, name: Uint8Array): number {
  return parseDecimal(bytes, at + name.length) * 1_024;
}

function startsWith(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
