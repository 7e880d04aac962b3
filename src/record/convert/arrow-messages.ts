// Checks the messages of Arrow IPC (arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format"): a length,
// metadata as a flatbuffer (format/Message.fbs and Schema.fbs), and a body. The library trusts every length and offset: one
// changed byte can make it allocate gigabytes or loop for hours.

const CONTINUATION = -1;
const MAX_METADATA_BYTES = 2 ** 22;
const MAX_NODES = 100_000;
const MAX_DEPTH = 32;
/** Appending a delta to a dictionary copies all of its chunks. */
const MAX_DICTIONARIES = 10_000;

/** A scalar of this many bytes, a string, a vector of scalars or tables, a table, or a union. */
type Member =
  | number
  | 'string'
  | { readonly vectorOf: number | string }
  | { readonly table: string }
  /** The previous member selects one of these tables. */
  | { readonly oneOf: readonly (string | undefined)[] };

const META: Member = { vectorOf: 'KeyValue' };
const HEADERS = [undefined, 'Schema', 'DictionaryBatch', 'RecordBatch'];
/** Column types: all but two have only scalars. */
const TYPES: (string | undefined)[] = Array.from({ length: 27 }, (_, type) =>
  type === 0 ? undefined : 'Type',
);
TYPES[10] = 'Timestamp';
TYPES[14] = 'Union';

/** The members of each table by slot; trailing ones that the library does not read are left out. */
const TABLES: Readonly<Record<string, readonly Member[]>> = {
  Message: [2, 1, { oneOf: HEADERS }, 8, META],
  Schema: [2, { vectorOf: 'Field' }, META, { vectorOf: 8 }],
  Field: ['string', 1, 1, { oneOf: TYPES }, { table: 'Dictionary' }, { vectorOf: 'Field' }, META],
  Dictionary: [8, { table: 'Type' }, 1, 2],
  KeyValue: ['string', 'string'],
  Type: [1, 1, 1],
  Timestamp: [2, 'string'],
  Union: [2, { vectorOf: 4 }],
  DictionaryBatch: [8, { table: 'RecordBatch' }, 1],
  RecordBatch: [8, { vectorOf: 16 }, { vectorOf: 16 }, { table: 'Compression' }, { vectorOf: 8 }],
  Compression: [1, 1],
};

/**
 * The bytes of an Arrow stream, each message checked before it is passed on.
 *
 * @throws SyntaxError if a message contradicts itself
 */
export async function* checkedMessages(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(bytes);
  let dictionaries = 0;
  for (let message = 1; ; message++) {
    const refuse = (what: string) => new SyntaxError(`message ${message} ${what}`);
    let prefix = await source.take(4);
    if (prefix?.readInt32LE() === CONTINUATION) {
      const length = await source.take(4);
      prefix = length && Buffer.concat([prefix, length]);
    }
    const metadataBytes = prefix?.readInt32LE(prefix.length - 4) ?? 0;
    if (!prefix || metadataBytes === 0) return;
    if (metadataBytes < 0 || metadataBytes > MAX_METADATA_BYTES)
      throw refuse(`has metadata of ${metadataBytes} bytes`);
    const metadata = await source.take(metadataBytes);
    if (!metadata) throw refuse('is cut off');
    let left = 0;
    try {
      const { bodyBytes, isDictionary } = checkedMetadata(metadata);
      left = bodyBytes;
      if (isDictionary) dictionaries++;
    } catch (error) {
      throw refuse(error instanceof SyntaxError ? error.message : 'points outside itself');
    }
    if (dictionaries > MAX_DICTIONARIES)
      throw refuse(`is dictionary ${dictionaries} of at most ${MAX_DICTIONARIES}`);
    yield prefix;
    yield metadata;
    while (left > 0) {
      const piece = await source.some(left);
      if (!piece) throw refuse('is cut off');
      left -= piece.length;
      yield piece;
    }
  }
}

/** @throws SyntaxError, or RangeError if an offset points outside */
function checkedMetadata(bytes: Buffer): { bodyBytes: number; isDictionary: boolean } {
  const check = new FlatbufferCheck(bytes);
  const message = bytes.readUInt32LE(0);
  check.table('Message', message, 0);
  const [, type, header, body] = [0, 1, 2, 3].map((slot) => check.member(message, slot));
  const bodyBytes = body ? wholeNumber(bytes.readBigInt64LE(body)) : 0;
  const kind = HEADERS[type ? bytes.readUInt8(type) : 0];
  if (!kind || !header) throw new SyntaxError('is of unknown kind');
  const isDictionary = kind === 'DictionaryBatch';
  let batch: number | undefined = check.target(header);
  if (isDictionary) {
    const data = check.member(batch, 1);
    batch = data && check.target(data);
  }
  if (kind !== 'Schema') {
    if (batch === undefined) throw new SyntaxError('has no batch');
    checkBatch(check, batch, bodyBytes);
  }
  return { bodyBytes, isDictionary };
}

/** Every row takes at least one bit, and every buffer lies in the body. */
function checkBatch(check: FlatbufferCheck, batch: number, bodyBytes: number): void {
  const { bytes } = check;
  const [length, nodes, buffers, , variadic] = [0, 1, 2, 3, 4].map((slot) => check.member(batch, slot));
  const maxRows = 8 * bodyBytes;
  const pairs = (at: number | undefined) => (at ? check.pairs(check.target(at)) : []);
  const counts = pairs(nodes);
  if (length) counts.push([wholeNumber(bytes.readBigInt64LE(length)), 0]);
  for (const [rows, nulls] of counts) {
    if (rows < 0 || rows > maxRows || nulls < -1 || nulls > rows)
      throw new SyntaxError(`has ${rows} rows in ${bodyBytes} bytes`);
  }
  const places = pairs(buffers);
  for (const count of variadic ? check.numbers(check.target(variadic)) : []) {
    if (count < 0 || count > places.length) throw new SyntaxError(`has ${count} buffers for a column`);
  }
  for (const [begin, size] of places) {
    if (begin < 0 || size < 0 || begin + size > bodyBytes)
      throw new SyntaxError(`has a buffer of ${size} bytes at ${begin} in ${bodyBytes} bytes`);
  }
}

/** Walks a flatbuffer. Buffer's own functions throw on most offsets that point outside. */
class FlatbufferCheck {
  #nodes = 0;

  constructor(readonly bytes: Buffer) {}

  table(name: string, at: number, depth: number): void {
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) throw new SyntaxError('has too many parts');
    for (const [slot, member] of TABLES[name]!.entries()) {
      const place = this.member(at, slot);
      if (place === undefined) continue;
      if (typeof member === 'number') this.#requireInside(place, member);
      else if (member === 'string') this.#vector(this.target(place), 1, depth);
      else if ('vectorOf' in member) this.#vector(this.target(place), member.vectorOf, depth);
      else if ('table' in member) this.table(member.table, this.target(place), depth + 1);
      else {
        const type = this.member(at, slot - 1);
        const table = member.oneOf[type === undefined ? 0 : this.bytes.readUInt8(type)];
        if (!table) throw new SyntaxError('has a part of unknown type');
        this.table(table, this.target(place), depth + 1);
      }
    }
  }

  /** The position of a table's member; undefined if it is left out. */
  member(table: number, slot: number): number | undefined {
    const vtable = table - this.bytes.readInt32LE(table);
    const size = this.bytes.readUInt16LE(vtable);
    const entry = 4 + 2 * slot;
    const offset = entry + 2 <= size ? this.bytes.readUInt16LE(vtable + entry) : 0;
    return offset === 0 ? undefined : table + offset;
  }

  target(at: number): number {
    return at + this.bytes.readUInt32LE(at);
  }

  /** The 64-bit numbers in a vector. */
  numbers(vector: number, perElement = 1): number[] {
    return Array.from({ length: perElement * this.bytes.readUInt32LE(vector) }, (_, i) =>
      wholeNumber(this.bytes.readBigInt64LE(vector + 4 + 8 * i)),
    );
  }

  /** The structs of two 64-bit numbers in a vector. */
  pairs(vector: number): [number, number][] {
    const numbers = this.numbers(vector, 2);
    return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i]!, numbers[2 * i + 1]!]);
  }

  #vector(at: number, of: number | string, depth: number): void {
    const length = this.bytes.readUInt32LE(at);
    const isTables = typeof of === 'string';
    this.#requireInside(at + 4, length * (isTables ? 4 : of));
    if (!isTables) return;
    for (let i = 0, place = at + 4; i < length; i++, place += 4)
      this.table(of, this.target(place), depth + 1);
  }

  #requireInside(at: number, size: number): void {
    if (at + size > this.bytes.length) throw new SyntaxError('points outside itself');
  }
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new SyntaxError(`has a length of ${value}`);
  return number;
}

/** Reads given sizes from chunks that are cut anywhere. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** Up to `most` bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** Exactly `size` bytes; undefined if the input ends first. */
  async take(size: number): Promise<Buffer | undefined> {
    const pieces: Uint8Array[] = [];
    for (let left = size; left > 0; left -= pieces.at(-1)!.length) {
      const piece = await this.some(left);
      if (!piece) return undefined;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}
