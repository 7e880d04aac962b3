import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * A kernel file that is an array of native 64-bit words: /proc/PID/pagemap, /proc/kpageflags, /proc/kpagecount,
 * /sys/kernel/mm/page_idle/bitmap. One word is read or written at a time, in two halves of 32 bits, because
 * JavaScript has no cheap 64-bit integers: a BigInt would be an object a sample.
 *
 * A read or write is one system call, about 1 us on hardware, and allocates nothing that lives.
 */
export class WordFile {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(8);
  readonly #halves = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, 2);

  /** @throws the system's error */
  constructor(
    readonly path: string,
    flags: 'r' | 'r+' = 'r',
  ) {
    this.#file = openSync(path, flags);
  }

  /** Bits 0 .. 31 of the word last read. Little-endian: every Linux that runs Node today. */
  get low(): number {
    return this.#halves[0]!;
  }

  /** Bits 32 .. 63 of the word last read. */
  get high(): number {
    return this.#halves[1]!;
  }

  /** Reads the word with this index; false where the file has none (its end). */
  read(index: number): boolean {
    return readSync(this.#file, this.#bytes, 0, 8, index * 8) === 8;
  }

  /** Writes the word with this index. */
  write(index: number, low: number, high: number): void {
    this.#halves[0] = low;
    this.#halves[1] = high;
    writeSync(this.#file, this.#bytes, 0, 8, index * 8);
  }

  close(): void {
    closeSync(this.#file);
  }
}
