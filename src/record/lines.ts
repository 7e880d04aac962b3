import { pipeline } from 'node:stream';
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
 * @throws Error with a code that begins with Z_ where the compression is damaged; up to some 64 KiB before are lost
 */
export async function* linesOf(chunks: Chunks): AsyncGenerator<TextLine> {
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  for await (const piece of plainBytes(bytesOf(chunks))) {
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
}

/** Chunks that are not empty, as bytes. */
async function* bytesOf(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (chunk.length > 0) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

/** The same, decompressed where they have to be. */
async function* plainBytes(bytes: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { value: first, done } = await bytes.next();
  if (done) return;
  if (first[0] !== GZIP_FIRST_BYTE) {
    yield* startingWith(first, bytes);
    return;
  }
  // A recording that was killed lacks the end of its compression: this flush does not ask for it.
  const gunzip = createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH });
  pipeline(startingWith(first, bytes), gunzip, () => {}); // what goes wrong shows when gunzip is read
  yield* gunzip;
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
