import { PagepulseError } from '../core/errors.js';

/**
 * Limits of an input (docs/formats.md, "Limits"). Records come from anywhere and may be read as root: whatever a megabyte of
 * input contains, reading it must take no more than a few seconds and 300 MiB.
 */

export const MAX_LINE_BYTES = 32 * 2 ** 20;

const MAX_DEPTH = 64;
const MAX_NUMBER_LENGTH = 64;
/** Of one line, or of one damo snapshot. */
const MAX_VALUES = 2 ** 21;
/** An object takes as much memory as eight numbers. */
const VALUES_OF_OBJECT = 8;
/** Of a snapshot: 200 times the default of --max-regions. */
export const MAX_REGIONS = 200_000;

/** A record of idle processes reaches 9:1, including the costs below; a decompression bomb reaches 1,000:1. */
const MAX_RATIO = 64;
const FREE_BYTES = 16 * 2 ** 20;
/** The cost of a line or snapshot, and of a row of a table, besides its bytes. */
export const BYTES_OF_LINE = 256;
export const BYTES_OF_ROW = 64;
/** Reports and conversions keep a few kilobytes per process. */
export const BYTES_OF_TARGET = 4_096;

/** Limits what an input may unpack to by the bytes read so far: work and memory stay proportional to the size of a file. */
export class InputBudget {
  #readBytes = 0;
  #cost = 0;

  /** @param name of the input, for errors */
  constructor(readonly name: string) {}

  /** @param bytes as they are in the file */
  read(bytes: number): void {
    this.#readBytes += bytes;
  }

  /**
   * @param cost unpacked bytes, or the cost of a line, row or target
   * @throws PagepulseError `RECORD`
   */
  spend(cost: number): void {
    this.#cost += cost;
    if (this.#cost <= FREE_BYTES + MAX_RATIO * this.#readBytes) return;
    throw new PagepulseError(
      'RECORD',
      `cannot read ${this.name}: its first ${this.#readBytes} bytes expand to more than ${MAX_RATIO} times their size ` +
        '(docs/formats.md, "Limits"); decompress it first or record again',
    );
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Bounds the cost of JSON before it is parsed: JSON.parse takes up to 30 times the memory of its text. Makes one pass over the
 * bytes, which come in any chunks; whether they are JSON is left to the parser.
 */
export class JsonLimits {
  #offset = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #numberLength = 0;
  #values = 0;
  #partBegin = 0;

  /** @param partDepth down to this depth, arrays and objects are read by element, and each element has the limits of a line */
  constructor(readonly partDepth = 0) {}

  /** @throws RangeError */
  take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#isInString = true;
          break;
        case COMMA:
          if (this.#depth <= this.partDepth) this.#beginPart(i);
          this.#values++;
          break;
        case COLON:
          this.#values++;
          break;
        case OPENING_BRACE:
        case OPENING_BRACKET:
          this.#values += byte === OPENING_BRACE ? VALUES_OF_OBJECT : 1;
          if (++this.#depth > MAX_DEPTH) throw this.#beyond(`nested more than ${MAX_DEPTH} deep`, i);
          break;
        case CLOSING_BRACE:
        case CLOSING_BRACKET:
          this.#depth--;
          break;
        default:
          if (++this.#numberLength > MAX_NUMBER_LENGTH && byte > 0x20)
            throw this.#beyond(`a number of more than ${MAX_NUMBER_LENGTH} characters`, i);
          if (byte > 0x20) continue;
      }
      this.#numberLength = 0;
    }
    if (this.#values > MAX_VALUES) throw this.#beyond(`more than ${MAX_VALUES} values`, bytes.length);
    this.#offset += bytes.length;
    if (this.#offset - this.#partBegin > MAX_LINE_BYTES)
      throw this.#beyond(`a value of more than ${MAX_LINE_BYTES} bytes`, 0);
  }

  #beginPart(at: number): void {
    this.#values = 0;
    this.#partBegin = this.#offset + at;
  }

  #beyond(what: string, at: number): RangeError {
    return new RangeError(`${what} at byte ${this.#offset + at}`);
  }
}

/**
 * JSON.parse within the limits.
 *
 * @throws SyntaxError, RangeError
 */
export function parseJson(json: string | Uint8Array): unknown {
  const isText = typeof json === 'string';
  const bytes = isText ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.length);
  new JsonLimits().take(bytes);
  return JSON.parse(isText ? json : bytes.toString());
}
