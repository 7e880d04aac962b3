import { createGunzip, constants as zlib } from 'node:zlib';

/** What the lines come from: chunks of a file or a pipe, cut anywhere. */
export type Chunks = AsyncIterable<string | Uint8Array>;

export interface TextLine {
  readonly text: string;
  /** Whether it ended with a line feed: what is cut off does not. */
  readonly isWhole: boolean;
}

const LINE_FEED = 0x0a;
const GZIP_FIRST_BYTE = 0x1f;

/** Some six million regions. Without a limit a file that is all zeros would be read into memory. */
const MAX_LINE_BYTES = 256 * 2 ** 20;

/**
 * The lines of a text that may be compressed, which its first byte tells: no text begins with that of gzip. Lines are
 * split at bytes, and at line feeds alone: JSON lets other line separators of Unicode stand inside its strings.
 *
 * @throws Error with code Z_DATA_ERROR (or another Z_ code) after the last line before damaged compression
 */
export async function* linesOf(chunks: Chunks): AsyncGenerator<TextLine> {
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  let damage: unknown;
  for await (const piece of plainBytes(chunks)) {
    if (!(piece instanceof Uint8Array)) {
      damage = piece.damage;
      break;
    }
    let from = 0;
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, from)) {
      parts.push(piece.subarray(from, at));
      yield { text: Buffer.concat(parts).toString(), isWhole: true };
      parts = [];
      partBytes = 0;
      from = at + 1;
    }
    if (from === piece.length) continue;
    parts.push(piece.subarray(from));
    partBytes += piece.length - from;
    if (partBytes > MAX_LINE_BYTES)
      throw new RangeError(`it has a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  if (partBytes > 0) yield { text: Buffer.concat(parts).toString(), isWhole: false };
  if (damage) throw damage;
}

/** The text's bytes; where the compression is damaged, the error in place of what would follow. */
async function* plainBytes(chunks: Chunks): AsyncGenerator<Uint8Array | { damage: unknown }> {
  let gunzip: Unpacking | undefined;
  let isFirst = true;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (isFirst && bytes[0] === GZIP_FIRST_BYTE) gunzip = new Unpacking();
    if (bytes.length > 0) isFirst = false;
    if (!gunzip) yield bytes;
    else yield* await gunzip.write(bytes);
    if (gunzip?.isOver) break;
  }
  if (!gunzip) return;
  yield* await gunzip.end();
  if (gunzip.damage) yield { damage: gunzip.damage };
}

/**
 * Decompression a chunk at a time. A pipe through Gunzip would throw away what it has ready when it meets damage, and
 * that is what a reader of a damaged record wants.
 */
class Unpacking {
  // A recording that was killed lacks the end of its compression: this flush does not ask for it.
  readonly #gunzip = createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH });
  #ready: Uint8Array[] = [];
  damage: unknown;

  constructor() {
    this.#gunzip.on('data', (bytes: Uint8Array) => this.#ready.push(bytes));
    this.#gunzip.on('error', (error) => {
      this.damage = error;
    });
  }

  /** Whether nothing more will come: the end of the compressed data, or damage. */
  get isOver(): boolean {
    return this.#gunzip.destroyed;
  }

  write(bytes: Uint8Array): Promise<Uint8Array[]> {
    return this.#readyAfter((done) => this.#gunzip.write(bytes, done));
  }

  end(): Promise<Uint8Array[]> {
    return this.#readyAfter(() => this.#gunzip.end());
  }

  /** Waits for the call, or for the stream to close: it never calls back for what it does not want any more. */
  async #readyAfter(call: (done: () => void) => void): Promise<Uint8Array[]> {
    if (!this.isOver) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#gunzip.off('close', done);
          resolve();
        };
        this.#gunzip.on('close', done);
        call(done);
      });
    }
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}
