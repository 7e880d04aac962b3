import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { attempt } from './text-file.js';

/** Words of a kernel file, to be read or written together: the first `count` of `capacity`. */
export class WordBatch {
  count = 0;
  /** Which words of the file. */
  readonly indices: Float64Array;
  /** Their values, word i in two halves: bits 0 .. 31 at 2 i, bits 32 .. 63 at 2 i + 1. */
  readonly halves: Uint32Array;
  readonly bytes: Uint8Array;

  constructor(readonly capacity: number) {
    this.indices = new Float64Array(capacity);
    this.halves = new Uint32Array(2 * capacity);
    this.bytes = new Uint8Array(this.halves.buffer);
  }
}

/** Consecutive words of a kernel file, read by one call into memory that is used again and again. */
export class WordRun {
  /** The words that the last read brought, in two halves each as in a batch. Signed: bit 63 makes a high half negative. */
  readonly halves: Int32Array;
  readonly bytes: Uint8Array;

  /** @param capacity words; 8,192 of them are 64 KiB */
  constructor(readonly capacity: number) {
    this.halves = new Int32Array(2 * capacity);
    this.bytes = new Uint8Array(this.halves.buffer);
  }
}

/** What is read over gaps between words, at once. */
const over = new WordRun(512);

/**
 * A kernel file that is an array of native 64-bit words: /proc/PID/pagemap, /proc/kpageflags, /proc/kpagecount,
 * /sys/kernel/mm/page_idle/bitmap. Words come in two halves of 32 bits, because JavaScript has no cheap 64-bit
 * integers: a BigInt would be an object a sample. Little-endian: every Linux that runs Node today.
 *
 * A word is one system call, about 0.5 us on hardware; reading and writing allocate nothing that lives.
 */
export class WordFile {
  readonly #file: number;
  readonly #one = new WordBatch(1);

  /**
   * @param reach how far apart words of a batch may be, in ascending order, to be read by one call with all that lie between:
   *   for files whose words are cheap beside a call
   * @throws the system's error
   */
  constructor(
    readonly path: string,
    flags: 'r' | 'r+' = 'r',
    readonly reach = 0,
  ) {
    this.#file = openSync(path, flags);
  }

  /** Bits 0 .. 31 of the word that `read` brought last. */
  get low(): number {
    return this.#one.halves[0]!;
  }

  /** Bits 32 .. 63 of it. */
  get high(): number {
    return this.#one.halves[1]!;
  }

  /** Reads the word with this index; false past the end of the file. */
  read(index: number): boolean {
    return readSync(this.#file, this.#one.bytes, 0, 8, index * 8) === 8;
  }

  /**
   * Reads `count` words from `first` on, at most the capacity of the run. The call itself costs about 1 us, so long
   * runs cost what the kernel takes for each word and nothing else.
   *
   * @returns how many there were: fewer at the end of the file, 0 beyond it
   * @throws the system's error
   */
  readRun(run: WordRun, first: number, count: number): number {
    return readSync(this.#file, run.bytes, 0, 8 * count, first * 8) / 8;
  }

  /**
   * Reads the words of a batch. Hot: once a tick and pass. Words that the file does not have become 0.
   *
   * @returns how many it has
   * @throws the system's error
   */
  readBatch(batch: WordBatch): number {
    const { indices, halves, bytes, count } = batch;
    if (count === 0) return 0;
    const read = nativeWords?.readWords(this.#file, indices, halves, count, this.reach) ?? -1;
    if (read >= 0) return read;
    let there = 0;
    for (let i = 0; i < count; ) {
      const end = this.#endOfRun(batch, i);
      if (end > i + 1) there += this.#readOver(batch, i, end);
      else if (readSync(this.#file, bytes, 8 * i, 8, indices[i]! * 8) === 8) there++;
      else halves[2 * i] = halves[2 * i + 1] = 0;
      i = end;
    }
    return there;
  }

  /** Words from `from` on that are read by one call. */
  #endOfRun({ indices, count }: WordBatch, from: number): number {
    const { reach } = this;
    const last = indices[from]! + over.capacity - 1;
    let end = from + 1;
    for (; end < count; end++) {
      const index = indices[end]!;
      const distance = index - indices[end - 1]!;
      if (distance < 0 || distance > reach || index > last) break;
    }
    return end;
  }

  /** Reads words [from, to) of a batch with all that lie between; returns how many there are. */
  #readOver({ indices, halves }: WordBatch, from: number, to: number): number {
    const first = indices[from]!;
    const words = this.readRun(over, first, indices[to - 1]! - first + 1);
    let there = 0;
    for (let i = from; i < to; i++) {
      const at = indices[i]! - first;
      if (at < words) there++;
      halves[2 * i] = at < words ? over.halves[2 * at]! : 0;
      halves[2 * i + 1] = at < words ? over.halves[2 * at + 1]! : 0;
    }
    return there;
  }

  /**
   * Writes the words of a batch. Hot, as `readBatch`.
   *
   * @throws the system's error
   */
  writeBatch(batch: WordBatch): void {
    const { indices, halves, bytes, count } = batch;
    if (count === 0 || (nativeWords?.writeWords(this.#file, indices, halves, count) ?? -1) >= 0) return;
    for (let i = 0; i < count; i++) writeSync(this.#file, bytes, 8 * i, 8, indices[i]! * 8);
  }

  /** For calls that only native code can make. */
  protected get descriptor(): number {
    return this.#file;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * native/words.c (`reach` as in `WordFile`): both return how many words were read or written, or -1 if the system
 * refused one of them.
 */
export interface NativeWords {
  readWords(file: number, indices: Float64Array, halves: Uint32Array, count: number, reach: number): number;
  writeWords(file: number, indices: Float64Array, halves: Uint32Array, count: number): number;
  /**
   * The ranges of addresses in [start, end) that have pages in memory or in swap, widened to multiples of `grain` bytes.
   *
   * @param file an open pagemap
   * @returns how many [start, end) pairs it has stored; -1 if the kernel is older than 6.7, -2 if `pairs` has no room
   */
  scanPresent(file: number, start: number, end: number, grain: number, pairs: Float64Array): number;
}

/**
 * The batch calls, if the package has them built for this machine; undefined otherwise, and if the environment has
 * PAGEPULSE_NATIVE=0. Nothing depends on them but the CPU that a sample takes (docs/cost.md).
 */
export const nativeWords: NativeWords | undefined = load();

function load(): NativeWords | undefined {
  if (process.env.PAGEPULSE_NATIVE === '0') return undefined;
  const name = `../../native/words-${process.platform}-${process.arch}.node`;
  // It may not be built, or for another C library.
  return attempt(() => createRequire(import.meta.url)(name) as NativeWords);
}
