import { existsSync } from 'node:fs';
import { MapsLine } from './maps.js';
import { readMemoryHead, readMemoryPieces } from './memory-file.js';
import { processError } from './process-errors.js';
import { fieldOf, nextLine, parseDecimal } from './text-file.js';

const RSS = Buffer.from('Rss:');
const REFERENCED = Buffer.from('Referenced:');
const SHARED_HUGETLB = Buffer.from('Shared_Hugetlb:');
const PRIVATE_HUGETLB = Buffer.from('Private_Hugetlb:');

/** Arrays with a number for each mapping. */
const COLUMNS = ['startPage', 'endPage', 'residentBytes', 'hugetlbBytes', 'referencedBytes'] as const;

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
  /** 1 if the process may access the mapping at all (not `---p`). */
  isAccessible = new Uint8Array(256);
  readonly #line = new MapsLine();

  /**
   * @returns the number of mappings; 0 if the process has no memory
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
    this.#line.isOfProcess = false;
  }

  /** The next piece of whole lines; a block may go on in it. */
  add(lines: Uint8Array): void {
    for (let at = 0; at < lines.length; at = nextLine(lines, at)) {
      if (this.#line.read(lines, at)) this.#open();
      else if (this.#line.isOfProcess) this.#addSum(this.count - 1, lines, at);
    }
  }

  #open(): void {
    const { startPage, endPage, isOfProcess, isAccessible } = this.#line;
    if (!isOfProcess) return;
    if (this.count === this.startPage.length) this.#grow();
    const at = this.count++;
    this.startPage[at] = startPage;
    this.endPage[at] = endPage;
    this.residentBytes[at] = this.hugetlbBytes[at] = this.referencedBytes[at] = 0;
    this.isAccessible[at] = isAccessible ? 1 : 0;
  }

  #addSum(mapping: number, lines: Uint8Array, at: number): void {
    if (startsWith(lines, at, RSS)) {
      this.residentBytes[mapping]! += kibAfter(lines, at, RSS);
    } else if (startsWith(lines, at, REFERENCED)) {
      this.referencedBytes[mapping] = kibAfter(lines, at, REFERENCED);
    } else {
      const name = startsWith(lines, at, SHARED_HUGETLB) ? SHARED_HUGETLB : PRIVATE_HUGETLB;
      if (!startsWith(lines, at, name)) return;
      const hugetlb = kibAfter(lines, at, name);
      this.hugetlbBytes[mapping]! += hugetlb;
      this.residentBytes[mapping]! += hugetlb;
    }
  }

  #grow(): void {
    const length = 2 * this.startPage.length;
    for (const column of COLUMNS) {
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

function kibAfter(bytes: Uint8Array, at: number, name: Uint8Array): number {
  return parseDecimal(bytes, at + name.length) * 1_024;
}

function startsWith(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

/** What /proc/PID/smaps_rollup sums up over all mappings of a process, in bytes. */
export interface MemoryRollup {
  /** Resident: in memory and mapped by the process, hugetlb included. */
  readonly rssBytes: number;
  /**
   * Each resident page divided by how many times it is mapped: summed over processes, no page counts twice. Hugetlb pages
   * that several map are left out, for the kernel does not say by how many to divide them.
   */
  readonly pssBytes: number;
  /** Of the resident pages, those that are mapped more than once, by any process. */
  readonly sharedBytes: number;
}

/**
 * /proc/PID/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup): the sums of smaps over all mappings. Since
 * Linux 4.14; permissions, cost and hugetlb as in smaps. Its Rss and Pss leave out the zero page. Surprise: a process
 * without memory (a zombie, a kernel thread) answers ESRCH.
 *
 * @throws PagepulseError `NO_PROCESS` (also if the kernel has no such file), `PERMISSION`, `UNSUPPORTED`
 */
export function readRollup(pid: number): MemoryRollup {
  try {
    return parseRollup(readMemoryHead(pid, 'smaps_rollup').text);
  } catch (error) {
    throw processError(error, pid, `read smaps_rollup of process ${pid}`);
  }
}

/** Whether this kernel has the file at all. */
export function hasRollup(): boolean {
  return existsSync('/proc/self/smaps_rollup');
}

export function parseRollup(text: string): MemoryRollup {
  const of = (name: string) => (Number.parseInt(fieldOf(text, name) ?? '', 10) || 0) * 1_024;
  return {
    rssBytes: of('Rss') + of('Private_Hugetlb') + of('Shared_Hugetlb'),
    pssBytes: of('Pss') + of('Private_Hugetlb'),
    sharedBytes: of('Shared_Clean') + of('Shared_Dirty') + of('Shared_Hugetlb'),
  };
}
