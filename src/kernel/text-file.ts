import { closeSync, openSync, readSync } from 'node:fs';

const KIB = 1_024;
const MIB = 1_024 * KIB;

/**
 * The most that is read of each file of a process. Any user can make these files as long as they like, and root reads them.
 *
 * - `maps`: all mappings the kernel allows by default (65,530) with paths of 180 bytes; some 60 ms to read.
 * - `smaps`: these lines, and 750 bytes of sums for each; some 200 ms.
 * - `environ`: some ten times what is usual; half a millisecond to search.
 * - `status`: a line of 65,536 groups, the most a process can have, takes 700 KiB.
 * - `cgroup`: a path of 4 KiB in each of the hierarchies of version 1.
 */
export const LIMITS = {
  cmdline: 64 * KIB,
  environ: MIB,
  stat: 4 * KIB,
  status: MIB,
  cgroup: 64 * KIB,
  maps: 16 * MIB,
  smaps: 64 * MIB,
  smaps_rollup: 4 * KIB,
} as const;

export type ProcessFile = keyof typeof LIMITS;

/** Files of the machine and of this process, which other users can hardly lengthen. */
export const SYSTEM_FILE_LIMIT = 4 * MIB;

/** Undefined if it throws: a process may exit at any time, or belong to another user. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A file holds more than may be read of it. */
export class FileTooLong extends Error {
  constructor(
    readonly path: string,
    readonly limitBytes: number,
  ) {
    super(`${path} holds more than ${limitBytes} bytes`);
  }
}

const PIECE_BYTES = 64 * KIB;
const LINE_FEED = 0x0a;

/** Buffers that are free: a reader may pause in the middle of a file, so one for all is not enough. */
const spare: Buffer[] = [];
const MOST_SPARE = 2;

/** The first bytes of a file as text. */
export interface Head {
  readonly text: string;
  /** Whether the file goes on. */
  readonly isCut: boolean;
}

/**
 * Reads a file up to a limit, for files of which the beginning is enough. The text is made of UTF-8, whatever the bytes.
 *
 * @throws the system's error
 */
export function readHead(path: string, limitBytes: number): Head {
  const file = openSync(path, 'r');
  let bytes = spare.pop() ?? Buffer.allocUnsafe(PIECE_BYTES);
  try {
    let length = 0;
    for (;;) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], 2 * length);
      const end = Math.min(bytes.length, limitBytes + 1);
      const got = readSync(file, bytes, length, end - length, null);
      length += got;
      if (got === 0 || length > limitBytes) break;
    }
    const isCut = length > limitBytes;
    return { text: bytes.toString('utf8', 0, isCut ? limitBytes : length), isCut };
  } finally {
    giveBack(bytes);
    closeSync(file);
  }
}

/** The same if it does not matter what lies beyond the limit. */
export function readTextFile(path: string, limitBytes: number): string {
  return readHead(path, limitBytes).text;
}

/**
 * Reads a file in pieces of some 64 KiB, each of whole lines, so that memory does not grow with the file: a process with
 * 65,530 mappings has 3 MB of maps and 47 MB of smaps. A piece is valid until the next one is asked for.
 *
 * @param end the byte that ends a line
 * @throws the system's error, FileTooLong
 */
export function* readPieces(path: string, limitBytes: number, end = LINE_FEED): Generator<Buffer, void> {
  const file = openSync(path, 'r');
  let bytes = spare.pop() ?? Buffer.allocUnsafe(PIECE_BYTES);
  try {
    let length = 0;
    let total = 0;
    for (;;) {
      // The kernel gives about a page a call, and 0 at the end.
      const got = readSync(file, bytes, length, bytes.length - length, null);
      length += got;
      total += got;
      if (total > limitBytes) throw new FileTooLong(path, limitBytes);
      if (got > 0 && length < bytes.length) continue;
      const whole = got === 0 ? length : bytes.lastIndexOf(end) + 1;
      if (whole > 0) {
        yield bytes.subarray(0, whole);
        bytes.copyWithin(0, whole, length);
        length -= whole;
      } else if (got > 0) {
        bytes = Buffer.concat([bytes], 2 * length); // one line fills it
      }
      if (got === 0) return;
    }
  } finally {
    giveBack(bytes);
    closeSync(file);
  }
}

function giveBack(bytes: Buffer): void {
  if (bytes.length === PIECE_BYTES && spare.length < MOST_SPARE) spare.push(bytes);
}

/**
 * What follows `name:` in a file of such lines, up to the end of its line; not in the first line, which in
 * /proc/PID/status is the name that a process gives itself. The kernel escapes line feeds in it, but no other line ends.
 */
export function fieldOf(text: string, name: string): string | undefined {
  const at = text.indexOf(`\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 2;
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? undefined : end).trim();
}

/** Index after the number that parseHex or parseDecimal read: a second result without an object. */
export let parsedTo = 0;

/** The hexadecimal number at `at`; exact for page-aligned addresses (float64). */
export function parseHex(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (; ; at++) {
    const digit = bytes[at]!;
    if (digit >= 0x30 && digit <= 0x39) value = value * 16 + digit - 0x30;
    else if (digit >= 0x61 && digit <= 0x66) value = value * 16 + digit - 0x57;
    else break;
  }
  parsedTo = at;
  return value;
}

/** The decimal number at or after `at`, leading spaces skipped. */
export function parseDecimal(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 0x20) at++;
  let value = 0;
  for (; bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++) value = value * 10 + bytes[at]! - 0x30;
  parsedTo = at;
  return value;
}

/** Index after the next line feed, or of the end. */
export function nextLine(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== LINE_FEED) at++;
  return Math.min(at + 1, bytes.length);
}
