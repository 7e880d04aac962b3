import { createReadStream, statSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import type { RecordLine } from './format.js';
import { linesOf } from './lines.js';
import { parseLine, UNKNOWN_TYPE } from './parse.js';

/** A record as it is read: its lines in order, the header first, and in the end what was wrong with it. */
export interface RecordReader extends AsyncIterable<RecordLine> {
  /** Damaged lines so far that were left out: no JSON, or without what their type must have. */
  readonly skippedLines: number;
  /** Whether the record breaks off before its end, as that of a killed recording does; known when the last line is read. */
  readonly truncated: boolean;
  /** Bytes of the source that were read so far; compressed ones count as compressed. */
  readonly bytesRead: number;
  /** All there are; undefined for what is no file. */
  readonly totalBytes: number | undefined;
}

const HEADER_BEGINS = '{"type":"header"';

/**
 * Reads a record line by line, whatever its size; whether it is compressed is seen from its first byte. What was cut
 * off anywhere is readable up to its last whole line: cut off before the end of its header, it has no lines. Lines of
 * unknown type are left out; of a later version of the format, what is understood is read (`header.version` tells).
 *
 * @param source a path, or a stream such as process.stdin, which is destroyed when reading ends
 * @throws PagepulseError `RECORD` (while iterating) where it cannot be read, or is no record
 */
export function readRecord(source: string | NodeJS.ReadableStream): RecordReader {
  const name = typeof source === 'string' ? source : 'the input';
  let skippedLines = 0;
  let truncated = true;
  let bytesRead = 0;
  const totalBytes = typeof source === 'string' ? sizeOf(source) : undefined;

  async function* chunks(): AsyncGenerator<string | Uint8Array> {
    for await (const chunk of typeof source === 'string' ? createReadStream(source) : source) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }

  async function* lines(): AsyncGenerator<RecordLine> {
    skippedLines = 0;
    truncated = true;
    bytesRead = 0;
    let hasHeader = false;
    for await (const { text, isWhole } of linesOf(chunks())) {
      const line = parseLine(text);
      if (!hasHeader) {
        if (!isWhole && line === undefined && isCutHeader(text)) return;
        if (!isHeader(line)) throw noRecord(name, text);
        hasHeader = true;
      }
      if (line === undefined) {
        if (isWhole && text.trim() !== '') skippedLines++;
      } else if (line !== UNKNOWN_TYPE) {
        if (line.type === 'end') truncated = false;
        yield line;
      }
    }
  }

  return {
    get skippedLines() {
      return skippedLines;
    },
    get truncated() {
      return truncated;
    },
    get bytesRead() {
      return bytesRead;
    },
    totalBytes,
    async *[Symbol.asyncIterator]() {
      let hasBegun = false;
      try {
        for await (const line of lines()) {
          hasBegun = true;
          yield line;
        }
      } catch (error) {
        if (!hasBegun || !systemCode(error)?.startsWith('Z_')) throw readError(name, error);
        truncated = true; // compression that is damaged ends there
      }
    },
  };
}

/** What is wrong with it is said when it is read. */
function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(line: ReturnType<typeof parseLine>): boolean {
  return typeof line === 'object' && line.type === 'header';
}

function isCutHeader(text: string): boolean {
  return text.startsWith(HEADER_BEGINS) || HEADER_BEGINS.startsWith(text);
}

function noRecord(name: string, firstLine: string): PagepulseError {
  const reason = firstLine.startsWith(HEADER_BEGINS)
    ? 'its header is damaged'
    : 'it does not begin with a header';
  return new PagepulseError(
    'RECORD',
    `${name} is no record that can be read: ${reason}; give one that \`pagepulse record\` wrote`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the name',
  ENOTDIR: 'its folder is a file; check the name',
  EISDIR: 'it is a folder; give the name of a file',
  EACCES: 'this user may not read it; ask its owner, for records are private to who made them',
  EPERM: 'this user may not read it; ask its owner, for records are private to who made them',
};

function readError(name: string, error: unknown): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const reason =
    REASONS[systemCode(error) ?? ''] ?? `${message}; give a file that \`pagepulse record\` wrote`;
  return new PagepulseError('RECORD', `cannot read the record in ${name}: ${reason}`, { cause: error });
}
