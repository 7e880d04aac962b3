import { readMemoryPieces } from './memory-file.js';
import { pageSize } from './page-size.js';
import { processError } from './process-errors.js';
import { nextLine, parsedTo, parseHex } from './text-file.js';

/** One line of /proc/PID/maps. Pages are address / page size. */
export interface Mapping {
  readonly startPage: number;
  /** First page after the mapping. */
  readonly endPage: number;
  /** As the kernel prints them, `rw-p` for example. */
  readonly permissions: string;
  /** The file, `[heap]`, `[stack]`, `[anon: ...]`, or empty for unnamed anonymous memory. */
  readonly name: string;
}

const SPACE = 0x20;
const DASH = 0x2d;
const LINE_FEED = 0x0a;
/** Addresses from here on are the kernel's half. */
const KERNEL_HALF = 2 ** 63;

/**
 * /proc/PID/maps (proc(5), Documentation/filesystems/proc.rst): a line a mapping, in address order,
 *
 *     55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0      [heap]
 *
 * Readable by the process's own user and by root (ptrace access). Surprises: the file is made page by page while it is
 * read, so a process that maps in between can show a range twice or not at all; it is empty for kernel threads, zombies, a
 * process that is just replacing itself (exec), and a main thread that has ended (memory-file.ts). `[vsyscall]`, in the
 * kernel's half of the addresses, is in every process's list and in no process's memory. Names may hold spaces, line feeds
 * as `\012`, and any other character, also those that elsewhere end a line.
 *
 * This is the one reader of such a line, which also begins each block of smaps. Hot: a process may have 65,530 mappings,
 * and they are read in every update interval.
 */
export class MapsLine {
  startPage = 0;
  endPage = 0;
  /** False for `[vsyscall]`, which belongs to no process. */
  isOfProcess = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #permissionsAt = 0;

  /** Reads the line at `at`; false if it is another one. */
  read(bytes: Uint8Array, at: number): boolean {
    const start = parseHex(bytes, at);
    if (parsedTo === at || bytes[parsedTo] !== DASH) return false;
    const end = parseHex(bytes, parsedTo + 1);
    if (bytes[parsedTo] !== SPACE) return false;
    this.#bytes = bytes;
    this.#permissionsAt = parsedTo + 1;
    this.startPage = start / pageSize();
    this.endPage = end / pageSize();
    this.isOfProcess = start < KERNEL_HALF;
    return true;
  }

  get permissions(): string {
    const bytes = this.#bytes;
    const at = this.#permissionsAt;
    return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  }

  /** Whether the process may access the mapping at all: not for `---p`. */
  get isAccessible(): boolean {
    const bytes = this.#bytes;
    const at = this.#permissionsAt;
    return bytes[at] !== DASH || bytes[at + 1] !== DASH || bytes[at + 2] !== DASH;
  }

  /** Index of the name, or of the end of the line; it follows permissions, offset, device and inode. */
  get nameAt(): number {
    const bytes = this.#bytes;
    let at = this.#permissionsAt;
    for (let field = 0; field < 4; field++) {
      while (at < bytes.length && bytes[at] !== SPACE && bytes[at] !== LINE_FEED) at++;
      while (bytes[at] === SPACE) at++;
    }
    return at;
  }
}

/** The file in pieces of whole lines, each valid until the next one. @throws as `readMappings` */
export function* mapsPieces(pid: number): Generator<Buffer, void> {
  try {
    yield* readMemoryPieces(pid, 'maps');
  } catch (error) {
    throw processError(error, pid, `read the mappings of process ${pid}`);
  }
}

/** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE` */
export function readMappings(pid: number): Mapping[] {
  const reading = readingMappings(pid);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
  }
}

/** The same with a pause after each piece, for `inSlices`. */
export function* readingMappings(pid: number): Generator<void, Mapping[]> {
  const mappings: Mapping[] = [];
  for (const lines of mapsPieces(pid)) {
    parseMappings(lines, mappings);
    yield;
  }
  return mappings;
}

const line = new MapsLine();

/** Adds the mappings in a piece of whole lines. */
export function parseMappings(lines: Buffer, mappings: Mapping[] = []): Mapping[] {
  for (let at = 0; at < lines.length; ) {
    const next = nextLine(lines, at);
    if (line.read(lines, at) && line.isOfProcess) {
      const { startPage, endPage, permissions, nameAt } = line;
      const nameEnd = lines[next - 1] === LINE_FEED ? next - 1 : next;
      mappings.push({ startPage, endPage, permissions, name: lines.toString('utf8', nameAt, nameEnd) });
    }
    at = next;
  }
  return mappings;
}

/** Ranges of pages out of maps, without a string or an object a mapping. */
abstract class PageRanges {
  /** [start, end) pairs that the last read brought, in address order; `length` numbers are set. */
  pairs = new Float64Array(512);
  length = 0;

  /**
   * @returns how many numbers of `pairs` are set; 0 if the process has no memory (zombie, kernel thread, or in the middle
   *   of an exec)
   * @throws as `readMappings`
   */
  read(pid: number): number {
    return this.parse(mapsPieces(pid));
  }

  /** @param pieces of whole lines */
  parse(pieces: Iterable<Uint8Array>): number {
    this.begin();
    for (const lines of pieces) this.add(lines);
    return this.length;
  }

  /** Before the first piece. */
  begin(): void {
    this.length = 0;
  }

  /** The next piece of whole lines. */
  add(lines: Uint8Array): void {
    for (let at = 0; at < lines.length; at = nextLine(lines, at)) {
      if (line.read(lines, at) && line.isOfProcess) this.take(line, lines);
    }
  }

  protected abstract take(line: MapsLine, lines: Uint8Array): void;

  /** The end of the last range so far. */
  protected get lastEnd(): number {
    return this.pairs[this.length - 1]!;
  }

  protected extend(endPage: number): void {
    this.pairs[this.length - 1] = endPage;
  }

  protected push(startPage: number, endPage: number): void {
    if (this.length === this.pairs.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.pairs);
      this.pairs = larger;
    }
    this.pairs[this.length++] = startPage;
    this.pairs[this.length++] = endPage;
  }
}

/** Everything that is mapped, with touching mappings joined: what an update interval needs. */
export class MappedRanges extends PageRanges {
  protected take({ startPage, endPage }: MapsLine): void {
    if (this.length > 0 && startPage <= this.lastEnd) this.extend(endPage);
    else this.push(startPage, endPage);
  }
}

const SLASH = 0x2f;
/** Longer than what `isMemory` looks at. */
const NAME_START = 16;

/** Whether a mapping of this name holds memory of the process: not the pages of the kernel's clocks, and not a device. */
export function isMemory(name: string): boolean {
  return !/^\[vvar|^\/dev\/(?!shm\/|zero|hugepages)/.test(name);
}

/**
 * What a process can have accessed as memory: without mappings that may not be accessed (`---p`), those of the kernel
 * (`[vvar]`, `[vvar_vclock]`, `[vsyscall]`; `[vdso]` is code, and stays), and device memory. Touching mappings are joined.
 */
export class AccessibleRanges extends PageRanges {
  protected take(line: MapsLine, lines: Uint8Array): void {
    if (!line.isAccessible) return;
    const { startPage, endPage, nameAt } = line;
    // Most names are empty.
    if (lines[nameAt] === BRACKET || lines[nameAt] === SLASH) {
      const start = lines.subarray(nameAt, nameAt + NAME_START);
      if (!isMemory(String.fromCharCode(...start))) return;
    }
    if (this.length > 0 && startPage <= this.lastEnd) this.extend(Math.max(endPage, this.lastEnd));
    else this.push(startPage, endPage);
  }
}

/** Reading this many empty words of pagemap costs less than another call. */
const JOINED_GAP_PAGES = 256;
/** Mappings from this size on are not joined: a reader that cannot read all of them begins with the small ones. */
const LARGE_PAGES = 16_384;

const BRACKET = 0x5b;
const LETTER_V = 0x76;

/**
 * The ranges that can hold memory of the process. Left out are mappings that may not be accessed (`---p`: reservations, up
 * to terabytes), and those that the kernel puts into every process: `[vvar]`, `[vvar_vclock]` and `[vdso]`, whose names
 * alone begin with `[v`. Ranges with a small gap between them are joined, unless one of the latter lies in it or a mapping
 * is large: in the gap there is nothing, or a small `---p`.
 */
export class HoldingRanges extends PageRanges {
  #mayJoin = false;

  override begin(): void {
    super.begin();
    this.#mayJoin = false;
  }

  protected take(line: MapsLine, lines: Uint8Array): void {
    const { startPage, endPage, nameAt } = line;
    if (lines[nameAt] === BRACKET && lines[nameAt + 1] === LETTER_V) {
      this.#mayJoin = false;
      return;
    }
    if (!line.isAccessible) return;
    const isLarge = endPage - startPage >= LARGE_PAGES;
    if (this.#mayJoin && !isLarge && startPage - this.lastEnd <= JOINED_GAP_PAGES) {
      this.extend(endPage);
      return;
    }
    this.push(startPage, endPage);
    this.#mayJoin = !isLarge;
  }
}
