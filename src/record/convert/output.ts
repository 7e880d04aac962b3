import {
  createWriteStream,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflate, createGzip } from 'node:zlib';
import { type PagepulseError, systemCode } from '../../core/errors.js';
import { outputError } from '../output-error.js';

type Compression = 'gzip' | 'zlib' | 'none';

/** Chunks are gathered up to this: a snapshot of few regions is a short one, and each costs a turn of every stream. */
const PIECE_LENGTH = 65_536;

/**
 * What a conversion writes to. A file gets its name when it is whole; until then it has another beside it, and what had the
 * name before is what it was.
 */
export class ConvertedFile {
  /** Where the file is until it is whole; undefined for standard output, devices and pipes. */
  readonly #part: string | undefined;
  readonly #path: string;
  readonly #fd: number | undefined;

  /**
   * @param name `-` is standard output
   * @param force overwrites a file that exists; devices and pipes never need it
   * @throws PagepulseError `OUTPUT`
   */
  constructor(
    readonly name: string,
    readonly force: boolean,
  ) {
    this.#path = name;
    if (name === '-') return;
    try {
      const stat = statSync(name, { throwIfNoEntry: false });
      if (stat && !stat.isFile()) {
        this.#fd = openSync(name, 'r+');
        return;
      }
      if (stat && !force) throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
      if (stat) this.#path = realpathSync(name);
      this.#part = `${this.#path}.${process.pid}.part`;
      this.#fd = openSync(this.#part, 'wx', 0o600);
    } catch (error) {
      throw this.errorOf(error);
    }
  }

  /** A name for a temporary file: beside the output, where there is room, for it comes to about as much. */
  get spoolPath(): string {
    return join(this.#part ? dirname(this.#part) : tmpdir(), `.pagepulse-${process.pid}.spool`);
  }

  /**
   * Writes everything, and gives the file its name. Where that fails, nothing is left of it.
   *
   * @throws PagepulseError `OUTPUT`, or what `chunks` throws
   */
  async write(chunks: AsyncIterable<string | Uint8Array>, compression: Compression): Promise<void> {
    const source = Readable.from(inPieces(chunks));
    const output = this.#fd === undefined ? process.stdout : createWriteStream(this.#path, { fd: this.#fd });
    const streams =
      compression === 'none'
        ? [source, output]
        : [source, compression === 'gzip' ? createGzip() : createDeflate(), output];
    try {
      await pipeline(streams, { end: this.#fd !== undefined });
      this.#giveName();
    } catch (error) {
      this.discard();
      throw this.errorOf(error);
    }
  }

  /** Removes what has been written of a file that is not whole. */
  discard(): void {
    if (!this.#part) return;
    try {
      unlinkSync(this.#part);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw this.errorOf(error);
    }
  }

  errorOf(error: unknown): PagepulseError {
    return outputError(error, this.name, { isKept: false });
  }

  #giveName(): void {
    if (!this.#part) return;
    if (!this.force) {
      try {
        linkSync(this.#part, this.#path); // unlike a rename, this never replaces a file that has come meanwhile
        unlinkSync(this.#part);
        return;
      } catch (error) {
        if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
      }
    }
    renameSync(this.#part, this.#path);
  }
}

async function* inPieces(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
  let text = '';
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string') yield chunk;
    else text += chunk;
    if (text.length < PIECE_LENGTH) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
