import { closeSync, readSync, writeSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { outputError } from '../output-error.js';
import { openNameless } from '../output-file.js';

/** Of each stream, before it goes to the file. */
const PIECE_LENGTH = 65_536;
/** Of all streams together: many of them have shorter pieces. */
const MAX_WAITING_LENGTH = 2 ** 25;

interface Stream {
  waiting: string[];
  waitingLength: number;
  readonly pieces: { readonly at: number; readonly bytes: number }[];
}

/**
 * Texts of many streams, which come mixed and are wanted one stream after the other, or the other way round. They are kept
 * compressed in one temporary file that has no name any more, so that nothing is left of it however this ends. In memory
 * are at most 64 KiB of each stream, and 32 MiB of all.
 */
export class Spool {
  readonly #fd: number;
  readonly #streams = new Map<number, Stream>();
  #waitingLength = 0;
  #fileBytes = 0;

  /**
   * @param folder where there is room for it
   * @throws PagepulseError `OUTPUT`, as `add` does
   */
  constructor(readonly folder: string) {
    this.#fd = openNameless(folder);
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
    if (stream.waitingLength >= PIECE_LENGTH) this.#writeOut(stream);
    if (this.#waitingLength >= MAX_WAITING_LENGTH) {
      for (const each of this.#streams.values()) this.#writeOut(each);
    }
  }

  /** The texts of a stream in the order they came; nothing may be added meanwhile. */
  *texts(id: number): Generator<string> {
    const { pieces, waiting } = this.#streams.get(id)!;
    for (const { at, bytes } of pieces) {
      const packed = Buffer.allocUnsafe(bytes);
      for (let read = 0; read < bytes; ) read += readSync(this.#fd, packed, read, bytes - read, at + read);
      yield* inflateRawSync(packed).toString().split('\n');
    }
    yield* waiting;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #writeOut(stream: Stream): void {
    if (stream.waiting.length === 0) return;
    const packed = deflateRawSync(stream.waiting.join('\n'), { level: 1 });
    try {
      for (let written = 0; written < packed.length; ) {
        written += writeSync(this.#fd, packed, written, packed.length - written, this.#fileBytes + written);
      }
    } catch (error) {
      throw outputError(error, `a temporary file in ${this.folder}`, { isKept: false });
    }
    stream.pieces.push({ at: this.#fileBytes, bytes: packed.length });
    this.#fileBytes += packed.length;
    this.#waitingLength -= stream.waitingLength;
    stream.waiting = [];
    stream.waitingLength = 0;
  }
}
