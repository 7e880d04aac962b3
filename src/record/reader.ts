import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip, constants as zlib } from 'node:zlib';
import { PagepulseError } from '../core/errors.js';
import type { HeaderLine, RecordLine } from './format.js';

const KNOWN_TYPES = new Set(['header', 'target', 'snapshot', 'end']);

/** A record as it is read: its lines in order, and at the end what was wrong with it. */
export interface RecordReader extends AsyncIterable<RecordLine> {
  /** Lines that are no whole JSON objects: one at the end is what a killed recording leaves. */
  readonly damagedLines: number;
}

/**
 * Reads a record line by line, whatever its size; compressed or not is seen from its first bytes. What was cut off
 * anywhere is readable up to there. Lines of unknown type are left out.
 *
 * @throws PagepulseError `RECORD` (while iterating) where the file cannot be read or is no record
 */
export function readRecord(path: string): RecordReader {
  let damagedLines = 0;
  return {
    get damagedLines() {
      return damagedLines;
    },
    async *[Symbol.asyncIterator]() {
      let header: HeaderLine | undefined;
      for await (const text of linesOf(path)) {
        const line = parseLine(text);
        if (!line) {
          damagedLines++;
          continue;
        }
        if (!header) header = headerOf(line, path);
        if (KNOWN_TYPES.has(line.type)) yield line;
      }
      if (!header) throw noRecord(path, 'it has no header');
    },
  };
}

function parseLine(text: string): RecordLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null && 'type' in line ? (line as RecordLine) : undefined;
  } catch {
    return undefined;
  }
}

function headerOf(line: RecordLine, path: string): HeaderLine {
  if (line.type !== 'header' || typeof line.version !== 'number')
    throw noRecord(path, 'it does not begin with a header');
  return line;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path);
  let stream: Readable = input;
  try {
    if (await isCompressed(path)) {
      // A recording that was killed lacks the end of its compression: what is there is given out nevertheless.
      stream = input.pipe(createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH }));
      input.on('error', (error) => stream.destroy(error));
    }
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line;
    }
  } catch (error) {
    throw noRecord(path, error instanceof Error ? error.message : String(error), error);
  } finally {
    input.destroy();
  }
}

async function isCompressed(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function noRecord(path: string, reason: string, cause?: unknown): PagepulseError {
  return new PagepulseError(
    'RECORD',
    `${path} is no record that can be read: ${reason}; give one that \
\`pagepulse record\` wrote`,
    { cause },
  );
}
