import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflate, createGzip } from 'node:zlib';
import { PagepulseError } from '../../core/errors.js';
import { jsonLine } from '../../core/printable.js';
import type { RecordedRegion, RecordLine } from '../format.js';
import type { OutputFile } from '../output-file.js';
import { arrowOf } from './arrow.js';
import { csvOf } from './csv.js';
import { damoOf } from './damo.js';
import { openInput } from './input.js';
import { type Input, snapshotsOf } from './snapshots.js';
import { traceOf } from './trace.js';

/** What a record can be converted to (docs/formats.md). */
export const FORMATS = ['damo', 'arrow', 'csv', 'trace', 'ndjson'] as const;

export type Format = (typeof FORMATS)[number];

/** Formats that are compressed if the name ends in .gz; the others have rules of their own. */
export const TEXT_FORMATS: readonly Format[] = ['csv', 'trace', 'ndjson'];

type Compression = 'gzip' | 'zlib' | 'none';
type Chunks = AsyncIterable<string | Uint8Array>;

/**
 * Writes the record at a path to a file in another format, whatever its size.
 *
 * @param path `-` is standard input; its format is detected
 * @returns what was wrong with the record, a sentence each
 * @throws PagepulseError `RECORD` or `OUTPUT`; the file is removed
 */
export async function convert(path: string, format: Format, file: OutputFile): Promise<string[]> {
  try {
    const input = await openInput(path, file.temporaryFolder);
    const chunks = withReadErrors(path, chunksOf(input, format, file.temporaryFolder));
    await writeComplete(file, chunks, compressionFor(format, file.path));
    return input.notes();
  } finally {
    file.discard();
  }
}

/** @param folder for a temporary file */
export function chunksOf(input: Input, format: Format, folder: string): Chunks {
  switch (format) {
    case 'damo':
      return damoOf(snapshotsOf(input), folder);
    case 'arrow':
      return arrowOf(snapshotsOf(input));
    case 'csv':
      return csvOf(snapshotsOf(input));
    case 'trace':
      return traceOf(snapshotsOf(input));
    case 'ndjson':
      return ndjsonOf(input.lines);
  }
}

async function* ndjsonOf(lines: AsyncIterable<RecordLine>): AsyncGenerator<string> {
  for await (const line of lines) {
    const { type, ...fields } = line;
    const text = jsonLine({ type, ...fields });
    // The readers hold the line until the next one is parsed, which is 60 MiB for 200,000 regions. No one needs these any more.
    if (line.type === 'snapshot') (line.regions as RecordedRegion[]).length = 0;
    yield text;
  }
}

/** Whatever fails while chunks are made is due to the input: writing the file has errors of its own. */
async function* withReadErrors(path: string, chunks: Chunks): Chunks {
  try {
    yield* chunks;
  } catch (error) {
    if (error instanceof PagepulseError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new PagepulseError('RECORD', `cannot convert ${path}: ${message}; record it again`, {
      cause: error,
    });
  }
}

function compressionFor(format: Format, name: string): Compression {
  if (format === 'damo') return 'zlib';
  return name.endsWith('.gz') && TEXT_FORMATS.includes(format) ? 'gzip' : 'none';
}

/**
 * Writes everything to a file and gives it its name. On failure, the file is removed.
 *
 * @throws PagepulseError `OUTPUT`, or what `chunks` throws
 */
export async function writeComplete(
  file: OutputFile,
  chunks: Chunks,
  compression: Compression,
): Promise<void> {
  const output = file.stream();
  const compressors = { gzip: [createGzip], zlib: [createDeflate], none: [] }[compression];
  const streams = [Readable.from(inPieces(chunks)), ...compressors.map((create) => create()), output];
  try {
    await pipeline(streams, { end: output !== process.stdout });
    file.finish();
  } catch (error) {
    file.discard();
    throw file.errorOf(error);
  }
}

const PIECE_LENGTH = 65_536;

/** Joins short texts: each chunk costs a turn of every stream. */
async function* inPieces(chunks: Chunks): Chunks {
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
