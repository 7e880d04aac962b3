import { PagepulseError } from '../../core/errors.js';
import { jsonLine } from '../../core/printable.js';
import type { RecordLine } from '../format.js';
import type { OutputFile } from '../output-file.js';
import { arrowOf } from './arrow.js';
import { csvOf } from './csv.js';
import { damoOf } from './damo.js';
import { openInput } from './input.js';
import { writeWhole } from './output.js';
import { type Input, passagesOf } from './passages.js';
import { Spool } from './spool.js';
import { traceOf } from './trace.js';

/** What a record can be converted to (docs/formats.md). */
export const FORMATS = ['damo', 'arrow', 'csv', 'trace', 'ndjson'] as const;

export type Format = (typeof FORMATS)[number];

/** Formats of text, which are compressed where the name ends in .gz; the others have a way of their own. */
export const TEXT_FORMATS: readonly Format[] = ['csv', 'trace', 'ndjson'];

/**
 * Writes the record at a path to a file in another format, whatever its size.
 *
 * @param path `-` is standard input; which format it has is recognised
 * @returns what was wrong with the record, a sentence each
 * @throws PagepulseError `RECORD` or `OUTPUT`; then nothing is left of the file
 */
export async function convert(path: string, format: Format, file: OutputFile): Promise<string[]> {
  const spools: Spool[] = [];
  const spool = () => {
    spools.push(new Spool(file.temporaryFolder));
    return spools.at(-1)!;
  };
  try {
    const input = await openInput(path, spool);
    const chunks = explained(path, chunksOf(input, format, spool));
    await writeWhole(file, chunks, compressionFor(format, file.path));
    return input.notes();
  } finally {
    file.discard();
    for (const each of spools) each.close();
  }
}

/** What fails here has to do with what was read: the file that is written has errors of its own. */
async function* explained(path: string, chunks: AsyncIterable<string | Uint8Array>) {
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

export function chunksOf(
  input: Input,
  format: Format,
  spool: () => Spool,
): AsyncIterable<string | Uint8Array> {
  switch (format) {
    case 'damo':
      return damoOf(passagesOf(input), spool());
    case 'arrow':
      return arrowOf(passagesOf(input));
    case 'csv':
      return csvOf(passagesOf(input));
    case 'trace':
      return traceOf(passagesOf(input));
    case 'ndjson':
      return ndjsonOf(input.lines);
  }
}

async function* ndjsonOf(lines: AsyncIterable<RecordLine>): AsyncGenerator<string> {
  for await (const { type, ...line } of lines) yield jsonLine({ type, ...line });
}

function compressionFor(format: Format, name: string): 'gzip' | 'zlib' | 'none' {
  if (format === 'damo') return 'zlib';
  return name.endsWith('.gz') && TEXT_FORMATS.includes(format) ? 'gzip' : 'none';
}
