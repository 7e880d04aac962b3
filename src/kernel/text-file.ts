import { closeSync, openSync, readSync } from 'node:fs';

/**
 * What the last `readText` of this thread brought: bytes 0 .. what it returned, until the next one. One buffer for all
 * files: one a target would be the most of what a target takes, and of targets that come and go it fills the memory.
 */
export let textBytes = Buffer.allocUnsafe(65_536);

/**
 * Reads a text file of /proc into `textBytes`, without making strings: a process with 20,000 mappings has 2 MB of maps,
 * and a string of that every second is what garbage collectors dread.
 *
 * @returns the number of bytes read
 * @throws the system's error
 */
export function readText(path: string): number {
  const file = openSync(path, 'r');
  try {
    let length = 0;
    for (;;) {
      if (length === textBytes.length) textBytes = Buffer.concat([textBytes], 2 * length);
      // The kernel gives about a page a call, and 0 at the end.
      const got = readSync(file, textBytes, length, textBytes.length - length, null);
      if (got === 0) return length;
      length += got;
    }
  } finally {
    closeSync(file);
  }
}

/** Where a number ended, set by parseHex and parseDecimal: a second result without an object. */
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

/** Index after the next line feed, or `length`. */
export function nextLine(bytes: Uint8Array, at: number, length: number): number {
  while (at < length && bytes[at] !== 0x0a) at++;
  return Math.min(at + 1, length);
}
