import { createUnzip, type Unzip, constants as zlib } from 'node:zlib';
import { BYTES_OF_LINE, type InputBudget, MAX_LINE_BYTES } from './limits.js';

/** Chunks of a file or a pipe, cut anywhere. */
export type Chunks = AsyncIterable<string | Uint8Array>;

export interface Line {
  /** Without the line feed; valid until the next line is read. */
  readonly bytes: Uint8Array;
  /** Whether it ended with a line feed: the last line of a cut-off record does not. */
  readonly isWhole: boolean;
}

const LINE_FEED = 0x0a;
/** Of gzip and zlib; no line of a record starts with either. */
const COMPRESSED_FIRST_BYTES = [0x1f, 0x78];
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Decompressed at a time: it may expand to a thousand times as much. */
const COMPRESSED_PIECE_BYTES = 2 ** 14;

/**
 * The lines of a text that may be compressed with gzip or zlib. Lines end at line feeds only, since JSON strings may contain
 * the other line separators of Unicode. A byte order mark is dropped.
 *
 * @throws Error with a code that starts with Z_ if the compression is damaged (up to 16 KiB before that are lost), RangeError
 * if it exceeds the limits
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

/** Non-empty chunks as bytes. */
async function* bytesOf(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (chunk.length > 0) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

/** Windows editors and shells write one; it may be cut anywhere. */
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
 * The bytes of an input, decompressed if it starts like gzip or zlib.
 *
 * @param finishFlush Z_SYNC_FLUSH accepts compressed data that was cut off
 * @throws Error with a code that starts with Z_, RangeError
 */
export async function* plainBytes(
  chunks: Chunks,
  budget: InputBudget,
  finishFlush = zlib.Z_FINISH,
): AsyncGenerator<Uint8Array> {
  let unpacking: Unpacking | undefined;
  let isFirst = true;
  for await (const piece of bytesOf(chunks)) {
    if (isFirst && COMPRESSED_FIRST_BYTES.includes(piece[0]!)) unpacking = new Unpacking(budget, finishFlush);
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
 * Decompresses a piece at a time. A piped stream would read ahead: it would keep waiting for a silent source after its reader
 * stopped, and lose what was already decompressed when it meets damage.
 */
class Unpacking {
  readonly #unzip: Unzip;
  #ready: Uint8Array[] = [];
  /** Wakes the pending call: the stream does not call back for writes after its end. */
  #wake = () => {};
  /** The compressed data has ended or is damaged: nothing more will come. */
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

  async *piecewise(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length && !this.isOver; from += COMPRESSED_PIECE_BYTES) {
      const piece = bytes.subarray(from, from + COMPRESSED_PIECE_BYTES);
      this.budget.read(piece.length);
      yield* await this.#readyAfter(() => this.#unzip.write(piece, () => this.#wake()));
    }
  }

  /** The rest. Compressed data without an end is damage, unless finishFlush allows it. */
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
