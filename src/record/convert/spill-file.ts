import { closeSync, readSync, writeSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { outputError } from '../output-error.js';
import { openTemporary } from '../output-file.js';

/** Text of one stream that is written at a time. */
const PIECE_LENGTH = 65_536;
/** Text of all streams that may wait in memory: with many streams, the pieces are shorter. */
const MAX_WAITING_LENGTH = 2 ** 25;

interface Stream {
  waiting: string[];
  waitingLength: number;
  readonly pieces: { readonly at: number; readonly bytes: number }[];
}

/**
 * Texts of many streams, added in one order and read in another, compressed in one temporary file without a name. At most
 * 64 KiB of each stream and 32 MiB of all are in memory.
 */
export class SpillFile {
  readonly #fd: number;
  readonly #streams = new Map<number, Stream>();
  #waitingLength = 0;
  #fileBytes = 0;

  /** @throws PagepulseError `OUTPUT`, as `add` does */
  constructor(readonly folder: string) {
    this.#fd = openTemporary(folder);
  }

  /** In the order of their first texts. */
  get streams(): number[] {
    return [...this.#streams.keys()];
  }

  /** @param text without line feeds */
  add(id: number, text: string): void {
    let stream = this.#streams.get(id);
    if (!stream) {
      stream = { waiting: [], waitingLength: 0, pieces: [] };
      this.#streams.set(id, stream);
    }
    stream.waiting.push(text);
    stream.waitingLength += text.length;
    this.#waitingLength += text.length;
    if (stream.waitingLength >= PIECE_LENGTH) this.#write(stream);
    if (this.#waitingLength >= MAX_WAITING_LENGTH) {
      for (const each of this.#streams.values()) this.#write(each);
    }
  }

  /** The texts of a stream in the order they were added; none may be added meanwhile. */
  *texts(id: number): Generator<string> {
    const { pieces, waiting } = this.#streams.get(id)!;
    for (const { at, bytes } of pieces) {
      const compressed = Buffer.allocUnsafe(bytes);
      for (let read = 0; read < bytes; )
        read += readSync(this.#fd, compressed, read, bytes - read, at + read);
      yield* inflateRawSync(compressed).toString().split('\n');
    }
    yield* waiting;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(stream: Stream): void {
    if (stream.waiting.length === 0) return;
    const compressed = deflateRawSync(stream.waiting.join('\n'), { level: 1 });
    const bytes = compressed.length;
    try {
      for (let done = 0; done < bytes; )
        done += writeSync(this.#fd, compressed, done, bytes - done, this.#fileBytes + done);
    } catch (error) {
      throw outputError(error, `a temporary file in ${this.folder}`, { isKept: false });
    }
    stream.pieces.push({ at: this.#fileBytes, bytes });
    this.#fileBytes += bytes;
    this.#waitingLength -= stream.waitingLength;
    stream.waiting = [];
    stream.waitingLength = 0;
  }
}
