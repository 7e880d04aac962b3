import { createReadStream, statSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import { HEAD_BYTES, notARecord, plainHead, wideEncodingOf } from './file-kind.js';
import type { RecordLine, SnapshotLine } from './format.js';
import { InputBudget } from './limits.js';
import { linesOf } from './lines.js';
import { parseLine, UNKNOWN_TYPE } from './parse.js';
import { type PackedSnapshot, packSnapshot } from './restore.js';
import { parseSnapshotBytes } from './snapshot-bytes.js';

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
  /** What is left of what reading it may take. */
  readonly budget: InputBudget;
}

/** A line, its regions as columns where it is a snapshot. */
export type PackedLine = Exclude<RecordLine, SnapshotLine> | PackedSnapshot;

const HEADER_BEGINS = '{"type":"header"';
const MAX_NUMBERS = 10;

/** Fewer may end within a signature, or the header of a compression. */
const MIN_HEAD_BYTES = 32;

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
  return parseLine(bytes);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

class Reader<Line extends PackedLine | RecordLine> implements RecordReader<Line> {
  readonly totalBytes: number | undefined;
  readonly #name: string;
  /** The first bytes, to tell what it is where it is not a record. */
  #head: Buffer = Buffer.alloc(0);
  skippedLines = 0;
  skippedLineNumbers: number[] = [];
  lines = 0;
  truncated = true;
  bytesRead = 0;
  readonly budget: InputBudget;

  /** @param parse one line but the first */
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
      this.truncated = true; // compression that is damaged ends there
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

  /** Looks at the first bytes as soon as they come: what is binary may have no line feed for a long time. */
  #begin(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES)]);
    if (this.#head.length >= MIN_HEAD_BYTES && !mayBeRecord(this.#head)) throw this.#noRecord();
  }

  #noRecord(firstLine = ''): PagepulseError {
    const message = firstLine.startsWith(HEADER_BEGINS)
      ? `${this.#name} cannot be read: its header is damaged; record again`
      : notARecord(this.#name, this.#head);
    return new PagepulseError('RECORD', message);
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

/** Whether the first bytes are those of an object of JSON, perhaps compressed, or after a byte order mark. */
function mayBeRecord(head: Buffer): boolean {
  const { bytes, isPacked } = plainHead(head);
  if (bytes.length === 1 || bytes.length === 2) return true; // may be a byte order mark that is cut
  if (bytes.length === 0) return !isPacked || head.length < HEAD_BYTES;
  return /^\uFEFF?\s*(?:\{|$)/.test(bytes.toString('utf8', 0, 64)) && !wideEncodingOf(bytes);
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
