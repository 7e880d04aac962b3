import { createReadStream, statSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import { HEAD_BYTES, notARecord, plainHead, wideEncodingOf } from './file-kind.js';
import type { RecordLine, SnapshotLine } from './format.js';
import { InputBudget } from './limits.js';
import { linesOf } from './lines.js';
import { parseLine, UNKNOWN_TYPE } from './parse.js';
import { type ColumnarSnapshot, parseSnapshotBytes, toColumnar } from './restore.js';

/** A record's lines in order, the header first, and what is known about the record so far. */
export interface RecordReader<Line = RecordLine> extends AsyncIterable<Line> {
  /** Damaged lines skipped so far: not JSON, or without what their type requires. */
  readonly skippedLines: number;
  /** The numbers of the first ten of them, from 1. */
  readonly skippedLineNumbers: readonly number[];
  /** Whole lines so far, including skipped ones. */
  readonly lines: number;
  /** Whether the record ends without its last line, as after a kill. Valid once all lines are read. */
  readonly truncated: boolean;
  /** Bytes read from the source so far, before decompression. */
  readonly bytesRead: number;
  /** Size of the source; undefined if it is not a regular file. */
  readonly totalBytes: number | undefined;
  /** What reading the rest may cost. */
  readonly budget: InputBudget;
}

/** A line; a snapshot has its regions as columns. */
export type ColumnarLine = Exclude<RecordLine, SnapshotLine> | ColumnarSnapshot;

const HEADER_BEGINS = '{"type":"header"';
const MAX_LINE_NUMBERS = 10;

/** Fewer bytes may end within a signature or a compression header. */
const MIN_HEAD_BYTES = 32;

/** The default of 64 KiB would cut every other line. */
const CHUNK_BYTES = 2 ** 18;

/**
 * Reads a record of any size line by line, compressed or not. A record that was cut off is read up to its last whole line; if
 * that is before the end of its header, it has no lines. Lines of unknown type are skipped: of a later version of the format
 * (`header.version`), the known part is read.
 *
 * @param source a path, or a stream such as process.stdin, which is destroyed when reading ends
 * @throws PagepulseError `RECORD` (while iterating) if it cannot be read or is not a record
 */
export function readRecord(source: string | NodeJS.ReadableStream): RecordReader {
  return new Reader(source, parseLine);
}

/** The same with regions as columns: three times as fast. */
export function readColumnar(source: string | NodeJS.ReadableStream): RecordReader<ColumnarLine> {
  return new Reader<ColumnarLine>(source, (bytes, pageSize) => {
    const snapshot = parseSnapshotBytes(bytes, pageSize);
    if (snapshot) return snapshot;
    const line = parseLine(bytes);
    return typeof line === 'object' && line.type === 'snapshot' ? toColumnar(line, pageSize) : line;
  });
}

/** The skipped lines as a sentence: `skipped 3 damaged lines: 5, 9, 12`. Undefined if there are none. */
export function damageNote({
  skippedLines: count,
  skippedLineNumbers: numbers,
}: Pick<RecordReader, 'skippedLines' | 'skippedLineNumbers'>): string | undefined {
  if (count === 0) return undefined;
  const more = count > numbers.length ? ` and ${count - numbers.length} more` : '';
  return count === 1
    ? `skipped 1 damaged line: ${numbers}`
    : `skipped ${count} damaged lines: ${numbers.join(', ')}${more}`;
}

type Parsed<Line> = Line | typeof UNKNOWN_TYPE | undefined;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

class Reader<Line extends ColumnarLine | RecordLine> implements RecordReader<Line> {
  readonly totalBytes: number | undefined;
  readonly #name: string;
  /** The first bytes: they tell what the source is if it is not a record. */
  #head: Buffer = Buffer.alloc(0);
  skippedLines = 0;
  skippedLineNumbers: number[] = [];
  lines = 0;
  truncated = true;
  bytesRead = 0;
  readonly budget: InputBudget;

  /** @param parse parses a line after the header */
  constructor(
    readonly source: string | NodeJS.ReadableStream,
    readonly parse: (bytes: Uint8Array, pageSize: number) => Parsed<Line>,
  ) {
    this.totalBytes = typeof source === 'string' ? sizeOf(source) : undefined;
    this.#name = typeof source === 'string' ? source : 'the input';
    this.budget = new InputBudget(this.#name);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
    this.skippedLines = 0;
    this.skippedLineNumbers = [];
    this.lines = 0;
    this.truncated = true;
    this.bytesRead = 0;
    this.#head = Buffer.alloc(0);
    let hasBegun = false;
    try {
      for await (const line of this.#read()) {
        hasBegun = true;
        yield line;
      }
    } catch (error) {
      const isDamage = systemCode(error)?.startsWith('Z_');
      const hasNothing = plainHead(this.#head).bytes.length === 0;
      if (isDamage && !hasBegun && (hasNothing || !mayBeRecord(this.#head))) throw this.#noRecord();
      if (!isDamage || !hasBegun) throw readError(this.#name, error);
      this.truncated = true; // nothing after the damaged compression can be read
    }
  }

  async *#read(): AsyncGenerator<Line> {
    let pageSize: number | undefined;
    for await (const { bytes, isWhole } of linesOf(this.#chunks(), this.budget)) {
      this.lines++;
      if (pageSize === undefined) {
        const text = textOf(bytes);
        const header = parseLine(bytes);
        if (!isWhole && header === undefined && isCutHeader(text)) return;
        if (typeof header !== 'object' || header.type !== 'header') throw this.#noRecord(text);
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
      if (this.#head.length < HEAD_BYTES) this.#begin(chunk);
      yield chunk;
    }
  }

  /** Rejects binary data by its first bytes: it may have no line feed for a long time. */
  #begin(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES)]);
    if (this.#head.length >= MIN_HEAD_BYTES && !mayBeRecord(this.#head)) throw this.#noRecord();
  }

  #noRecord(firstLine = ''): PagepulseError {
    const message = firstLine.startsWith(HEADER_BEGINS)
      ? `${this.#name} cannot be read: its header is damaged; record it again`
      : notARecord(this.#name, this.#head);
    return new PagepulseError('RECORD', message);
  }

  /** An empty line is not damage. */
  #skip(bytes: Uint8Array): void {
    if (textOf(bytes).trim() === '') return;
    this.skippedLines++;
    if (this.skippedLineNumbers.length < MAX_LINE_NUMBERS) this.skippedLineNumbers.push(this.lines);
  }
}

/** Errors are reported when the file is read. */
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

/** Whether this is the start of a JSON object, perhaps compressed or after a byte order mark. */
function mayBeRecord(head: Buffer): boolean {
  const { bytes, isCompressed } = plainHead(head);
  if (bytes.length === 1 || bytes.length === 2) return true; // may be part of a byte order mark
  if (bytes.length === 0) return !isCompressed || head.length < HEAD_BYTES;
  return /^\uFEFF?\s*(?:\{|$)/.test(bytes.toString('utf8', 0, 64)) && !wideEncodingOf(bytes);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the name',
  ENOTDIR: 'part of the path is a file, not a directory; check the name',
  EISDIR: 'it is a directory; give a file',
  EACCES: 'permission denied; ask its owner, since only the owner can read a record',
  EPERM: 'permission denied; ask its owner, since only the owner can read a record',
};

function readError(name: string, error: unknown): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const reason =
    REASONS[systemCode(error) ?? ''] ?? `${message}; give a file that \`pagepulse record\` wrote`;
  return new PagepulseError('RECORD', `cannot read the record in ${name}: ${reason}`, { cause: error });
}
