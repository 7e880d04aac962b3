import { mapsPieces } from './maps.js';
import { pageSize } from './page-size.js';
import { nextLine, parsedTo, parseHex } from './text-file.js';

/** Reading so many empty words of pagemap costs less than another call. */
const JOINED_GAP_PAGES = 256;

/** Mappings from this size on stay by themselves: a reader that cannot look through all begins with the small ones. */
const LARGE_PAGES = 16_384;

const SPACE = 0x20;
const DASH = 0x2d;
const BRACKET = 0x5b;
const LETTER_V = 0x76;

/**
 * The ranges of /proc/PID/maps (maps.ts) that can hold memory of the process, as [start, end) pairs of pages. Left out
 * are mappings that nobody may access (`---p`: reservations, up to terabytes), and those that the kernel puts into
 * every process: `[vvar]`, `[vvar_vclock]`, `[vdso]`, `[vsyscall]`, whose names alone begin with `[v`. Ranges with a
 * small gap between them are joined, unless one of the latter lies in it or a mapping is large: in the gap there is nothing, or a small
 * `---p`.
 */
export class HoldingRanges {
  /** The pairs that the last read brought, in address order. */
  pairs = new Float64Array(512);
  /** How many numbers of these are set. */
  length = 0;
  #mayJoin = false;

  /**
   * @returns how many numbers of `pairs` are set; 0 where the process has no memory
   * @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`
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
    this.#mayJoin = false;
  }

  /** The next piece of whole lines. */
  add(bytes: Uint8Array): void {
    const { length } = bytes;
    const bytesPerPage = pageSize();
    let count = this.length;
    let mayJoin = this.#mayJoin;
    for (let at = 0; at < length; at = nextLine(bytes, at, length)) {
      const start = parseHex(bytes, at);
      const end = parseHex(bytes, parsedTo + 1);
      const permissions = parsedTo + 1;
      if (isOfKernel(bytes, permissions, length)) {
        mayJoin = false;
        continue;
      }
      if (!isAccessible(bytes, permissions)) continue;
      const startPage = start / bytesPerPage;
      const endPage = end / bytesPerPage;
      const isLarge = endPage - startPage >= LARGE_PAGES;
      if (mayJoin && !isLarge && startPage - this.pairs[count - 1]! <= JOINED_GAP_PAGES) {
        this.pairs[count - 1] = endPage;
        continue;
      }
      if (count === this.pairs.length) this.#grow();
      this.pairs[count++] = startPage;
      this.pairs[count++] = endPage;
      mayJoin = !isLarge;
    }
    this.length = count;
    this.#mayJoin = mayJoin;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.pairs.length);
    larger.set(this.pairs);
    this.pairs = larger;
  }
}

function isAccessible(bytes: Uint8Array, permissions: number): boolean {
  return bytes[permissions] !== DASH || bytes[permissions + 1] !== DASH || bytes[permissions + 2] !== DASH;
}

/** Whether the name begins with `[v`; it follows permissions, offset, device and inode. */
function isOfKernel(bytes: Uint8Array, permissions: number, length: number): boolean {
  let at = permissions;
  for (let field = 0; field < 4; field++) {
    while (at < length && bytes[at] !== SPACE) at++;
    while (bytes[at] === SPACE) at++;
  }
  return bytes[at] === BRACKET && bytes[at + 1] === LETTER_V;
}
