import { createUnzip, type Unzip, constants as zlib } from 'node:zlib';
import { BYTES_OF_LINE, type InputBudget, MAX_LINE_BYTES } from './limits.js';

/** What the lines come from: chunks of a file or a pipe, cut anywhere. */
export type Chunks = AsyncIterable<string | Uint8Array>;

export interface Line {
  /** Without its line feed; valid until the next line is asked for. */
  readonly bytes: Uint8Array;
  /** Whether it ended with a line feed: what is cut off does not. */
  readonly isWhole: boolean;
}

const LINE_FEED = 0x0a;
/** Of gzip and zlib; no line of a record begins with either. */
const PACKED_FIRST_BYTES = [0x1f, 0x78];
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

const PACKED_BYTES = 2 ** 14;

/**
 * The lines of a text that may be compressed (gzip or zlib), which its first bytes tell. Lines are split at bytes, and at
 * line feeds alone: JSON lets other line separators of Unicode stand inside its strings. A byte order mark is left out.
 *
 * @throws Error with a code that begins with Z_ where the compression is damaged (up to 16 KiB before are lost), RangeError
 * where it is beyond the limits
 */
export async function* linesOf(chunks: Chunks, budget: InputBudget): AsyncGenerator<Line> {
  let lines = 0;
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  for await (const piece of withoutByteOrderMark(plainBytes(chunks, budget, zlib.Z_SYNC_FLUSH))) {
    let from = 0;
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, from)) {
      const end = piece.subarray(from, at);
      budget.spend(BYTES_OF_LINE);
      lines++;
      yield { bytes: parts.length > 0 ? Buffer.concat([...parts, end]) : end, isWhole: true };
      parts = [];
      partBytes = 0;
      from = at + 1;
    }
    if (from === piece.length) continue;
    parts.push(piece.subarray(from));
    partBytes += piece.length - from;
    if (partBytes > MAX_LINE_BYTES)
      throw new RangeError(`line ${lines + 1} has more than ${MAX_LINE_BYTES} bytes`);
  }
  if (partBytes > 0) yield { bytes: Buffer.concat(parts), isWhole: false };
}

/** Chunks that are not empty, as bytes. */
async function* bytesOf(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (chunk.length > 0) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

/** Editors and shells of Windows write one; it may be cut anywhere. */
async function* withoutByteOrderMark(bytes: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let matched = 0;
  for await (const piece of bytes) {
    let from = 0;
    while (matched < BYTE_ORDER_MARK.length && from < piece.length) {
      if (piece[from] !== BYTE_ORDER_MARK[matched]) {
        if (matched > 0) yield BYTE_ORDER_MARK.subarray(0, matched);
        matched = BYTE_ORDER_MARK.length;
        break;
      }
      matched++;
      from++;
    }
    if (from < piece.length) yield piece.subarray(from);
  }
}

/**
 * The bytes of an input, decompressed if they begin as gzip or zlib does.
 *
 * @param finishFlush Z_SYNC_FLUSH reads a compression without an end up to where it is cut off
 * @throws Error with a code that begins with Z_, RangeError
 */
export async function* plainBytes(
  chunks: Chunks,
  budget: InputBudget,
  finishFlush = zlib.Z_FINISH,
): AsyncGenerator<Uint8Array> {
  let unpacking: Unpacking | undefined;
  let isFirst = true;
  for await (const piece of bytesOf(chunks)) {
    if (isFirst && PACKED_FIRST_BYTES.includes(piece[0]!)) unpacking = new Unpacking(budget, finishFlush);
    isFirst = false;
    if (unpacking) {
      yield* unpacking.piecewise(piece);
    } else {
      budget.read(piece.length);
      yield piece;
    }
    if (unpacking?.isOver) break;
  }
  if (!unpacking) return;
  yield* await unpacking.end();
  if (unpacking.damage) throw unpacking.damage;
}

/**
 * Decompression a piece at a time. In a pipe it would read ahead: who stops reading would leave it waiting for a source
 * that may never say anything again, and what it had ready would be lost with the first damage.
 */
class Unpacking {
  readonly #unzip: Unzip;
  #ready: Uint8Array[] = [];
  /** Wakes who waits for the stream, which does not answer every write: not what comes after its end. */
  #wake = () => {};
  /** Whether nothing more will come: the compressed data has ended, or is damaged. */
  isOver = false;
  damage: unknown;

  constructor(
    readonly budget: InputBudget,
    finishFlush: number,
  ) {
    this.#unzip = createUnzip({ finishFlush });
    const over = (error?: unknown) => {
      this.damage ??= error;
      this.isOver = true;
      this.#wake();
    };
    this.#unzip.on('data', (bytes: Uint8Array) => this.#ready.push(bytes));
    this.#unzip.on('error', over);
    this.#unzip.on('end', over);
  }

  /** Little at a time: it may unpack to a thousand times as much. */
  async *piecewise(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length && !this.isOver; from += PACKED_BYTES) {
      const piece = bytes.subarray(from, from + PACKED_BYTES);
      this.budget.read(piece.length);
      yield* await this.#readyAfter(() => this.#unzip.write(piece, () => this.#wake()));
    }
  }

  /** What is left; a compression without an end is damage, unless it may be cut off. */
  end(): Promise<Uint8Array[]> {
    return this.#readyAfter(() => this.#unzip.end());
  }

  async #readyAfter(call: () => void): Promise<Uint8Array[]> {
    if (!this.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        call();
      });
    }
    const ready = this.#ready.splice(0);
    this.budget.spend(ready.reduce((sum, { length }) => sum + length, 0));
    return ready;
  }
}
