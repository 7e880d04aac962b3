import { readFileSync } from 'node:fs';

/** Entry of the auxiliary vector that holds the page size (AT_PAGESZ in <elf.h>). */
const AT_PAGESZ = 6n;

let cached: number | undefined;

/**
 * Bytes in a page of this machine, from the auxiliary vector that the kernel gave this process
 * (/proc/self/auxv: pairs of native 64-bit words, key and value, up to a pair of zeros; proc(5)).
 */
export function pageSize(): number {
  cached ??= readPageSize();
  return cached;
}

function readPageSize(): number {
  const bytes = readFileSync('/proc/self/auxv');
  const words = new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  for (let i = 0; i + 1 < words.length; i += 2) if (words[i] === AT_PAGESZ) return Number(words[i + 1]);
  return 4096;
}
