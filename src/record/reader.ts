import { createReadStream, statSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import type { RecordLine, SnapshotLine } from './format.js';
import { linesOf } from './lines.js';
import { parseLine, UNKNOWN_TYPE } from './parse.js';
import { packSnapshot } from './restore.js';
import { type PackedSnapshot, parseSnapshotBytes } from './snapshot-bytes.js';

/** A record as it is read: its lines in order, the header first, and in the end what was wrong with it. */
export interface RecordReader<Line = RecordLine> extends AsyncIterable<Line> {
  /** Damaged lines so far that were left out: no JSON, or without what their type must have. */
  readonly skippedLines: number;
  /** The numbers of the first ten of them, from 1 on. */
  readonly skippedLineNumbers: readonly number[];
  /** Whole lines so far, with those that were left out. */
  readonly lines: number;
  /** Whether the record breaks off before its end, as that of a killed recording does; known when the last line is read. */
  readonly truncated: boolean;
  /** Bytes of the source that were read so far; compressed ones count as compressed. */
  readonly bytesRead: number;
  /** All there are; undefined for what is no file. */
  readonly totalBytes: number | undefined;
}

/** A line, its regions as columns where it is a snapshot. */
export type PackedLine = Exclude<RecordLine, SnapshotLine> | PackedSnapshot;

const HEADER_BEGINS = '{"type":"header"';
const MAX_NUMBERS = 10;

/** Chunks of the usual 64 KiB would cut every other line. */
const CHUNK_BYTES = 2 ** 18;

/**
 * Reads a record line by line, whatever its size; whether it is compressed is seen from its first byte. What was cut
 * off anywhere is readable up to its last whole line: cut off before the end of its header, it has no lines. Lines of
 * unknown type are left out; of a later version of the format, what is understood is read (`header.version` tells).
 *
 * @param source a path, or a stream such as process.stdin, which is destroyed when reading ends
 * @throws PagepulseError `RECORD` (while iterating) where it cannot be read, or is no record
 */
export function readRecord(source: string | NodeJS.ReadableStream): RecordReader {
  return new Reader(source, parseText);
}

/** The same for whoever wants columns of pages: three times as fast. */
export function readPacked(source: string | NodeJS.ReadableStream): RecordReader<PackedLine> {
  return new Reader<PackedLine>(source, (bytes, pageSize) => {
    const packed = parseSnapshotBytes(bytes, pageSize);
    if (packed) return packed;
    const line = parseText(bytes);
    return typeof line === 'object' && line.type === 'snapshot' ? packSnapshot(line, pageSize) : line;
  });
}

type Parsed<Line> = Line | typeof UNKNOWN_TYPE | undefined;

function parseText(bytes: Uint8Array): Parsed<RecordLine> {
  return parseLine(textOf(bytes));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

class Reader<Line extends PackedLine | RecordLine> implements RecordReader<Line> {
  readonly totalBytes: number | undefined;
  readonly #name: string;
  skippedLines = 0;
  skippedLineNumbers: number[] = [];
  lines = 0;
  truncated = true;
  bytesRead = 0;

  /** @param parse one line but the first */
  constructor(
    readonly source: string | NodeJS.ReadableStream,
    readonly parse: (bytes: Uint8Array, pageSize: number) => Parsed<Line>,
  ) {
    this.totalBytes = typeof source === 'string' ? sizeOf(source) : undefined;
    this.#name = typeof source === 'string' ? source : 'the input';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
    this.skippedLines = 0;
    this.skippedLineNumbers = [];
    this.lines = 0;
    this.truncated = true;
    this.bytesRead = 0;
    let hasBegun = false;
    try {
      for await (const line of this.#read()) {
        hasBegun = true;
        yield line;
      }
    } catch (error) {
      if (!hasBegun || !systemCode(error)?.startsWith('Z_')) throw readError(this.#name, error);
      this.truncated = true; // compression that is damaged ends there
    }
  }

  async *#read(): AsyncGenerator<Line> {
    let pageSize: number | undefined;
    for await (const { bytes, isWhole } of linesOf(this.#chunks())) {
      this.lines++;
      if (pageSize === undefined) {
        const text = textOf(bytes);
        const header = parseLine(text);
        if (!isWhole && header === undefined && isCutHeader(text)) return;
        if (typeof header !== 'object' || header.type !== 'header') throw noRecord(this.#name, text);
        pageSize = header.pageSize;
        yield header as Line;
        continue;
      }
      const line = this.parse(bytes, pageSize);
      if (line === undefined) {
        if (isWhole) this.#skip(bytes);
        else this.lines--;
      } else if (line !== UNKNOWN_TYPE) {
        if (line.type === 'end') this.truncated = false;
        yield line;
      }
    }
  }

  async *#chunks(): AsyncGenerator<string | Uint8Array> {
    const { source } = this;
    const chunks =
      typeof source === 'string' ? createReadStream(source, { highWaterMark: CHUNK_BYTES }) : source;
    for await (const chunk of chunks) {
      this.bytesRead += Buffer.byteLength(chunk);
      yield chunk;
    }
  }

  /** An empty line is nothing. */
  #skip(bytes: Uint8Array): void {
    if (textOf(bytes).trim() === '') return;
    this.skippedLines++;
    if (this.skippedLineNumbers.length < MAX_NUMBERS) this.skippedLineNumbers.push(this.lines);
  }
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

function isCutHeader(text: string): boolean {
  return text.startsWith(HEADER_BEGINS) || HEADER_BEGINS.startsWith(text);
}

function noRecord(name: string, firstLine: string): PagepulseError {
  const reason = firstLine.startsWith(HEADER_BEGINS)
    ? 'its header is damaged'
    : 'it does not begin with a header';
  return new PagepulseError(
    'RECORD',
    `${name} is no record that can be read: ${reason}; give one that \`pagepulse record\` wrote, or that ` +
      '`pagepulse convert --to ndjson` made of another format',
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
