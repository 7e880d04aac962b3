import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflate, createGzip } from 'node:zlib';
import type { OutputFile } from '../output-file.js';

type Compression = 'gzip' | 'zlib' | 'none';

/** Chunks are gathered up to this: a snapshot of few regions is a short one, and each costs a turn of every stream. */
const PIECE_LENGTH = 65_536;

/**
 * Writes everything to a file, and gives it its name. If that fails, nothing is left of it.
 *
 * @throws PagepulseError `OUTPUT`, or what `chunks` throws
 */
export async function writeWhole(
  file: OutputFile,
  chunks: AsyncIterable<string | Uint8Array>,
  compression: Compression,
): Promise<void> {
  const source = Readable.from(inPieces(chunks));
  const output = file.stream();
  const streams =
    compression === 'none'
      ? [source, output]
      : [source, compression === 'gzip' ? createGzip() : createDeflate(), output];
  try {
    await pipeline(streams, { end: output !== process.stdout });
    file.finish();
  } catch (error) {
    file.discard();
    throw file.errorOf(error);
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
