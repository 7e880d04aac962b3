import type { RecordBatch, Schema, Vector } from 'apache-arrow';
import { requirePackagesFor } from '../../optional-packages.js';
import type { RecordLine } from '../format.js';
import type { InputBudget } from '../limits.js';
import { checkedMessages } from './arrow-messages.js';
import { besideText, type Passage } from './passages.js';
import { mappingOf } from './region-mappings.js';
import { type Column, linesOfRows, NEEDED_COLUMNS, type Row } from './rows.js';

/** Rows of a record batch: some 5 MB, which is what is in memory at a time. */
const BATCH_ROWS = 65_536;
/** So much text ends a batch as well. */
const BATCH_TEXT_BYTES = 2 ** 24;

/** The file format begins with ARROW1 and two zeros; after them, it is the streaming format with an index behind. */
const MAGIC_BYTES = 8;

const NULLABLE: readonly string[] = [
  'record',
  'mapping',
  'permissions',
  'resident_bytes',
  'accessed_bytes',
] satisfies Column[];

/** Loaded when it is needed: it takes some 100 ms. */
const load = () => {
  requirePackagesFor('arrow');
  return import('apache-arrow');
};

/** The columns as they are filled; new ones for each batch, for the writer keeps them until they are written. */
class Batch {
  readonly target = new Uint32Array(BATCH_ROWS);
  readonly pid = new Uint32Array(BATCH_ROWS);
  readonly startUs = new Float64Array(BATCH_ROWS);
  readonly endUs = new Float64Array(BATCH_ROWS);
  readonly maxNrAccesses = new Uint32Array(BATCH_ROWS);
  readonly start = new Uint32Array(2 * BATCH_ROWS);
  readonly end = new Uint32Array(2 * BATCH_ROWS);
  readonly nrAccesses = new Uint32Array(BATCH_ROWS);
  readonly age = new Uint32Array(BATCH_ROWS);
  readonly comm = new Texts();
  readonly record = new Texts();
  readonly mapping = new Texts();
  readonly permissions = new Texts();
  readonly residentBytes = new Numbers();
  readonly accessedBytes = new Numbers();
  /** The same few names come all the time. */
  readonly #texts = new Map<string, Buffer>();
  rows = 0;

  get isFull(): boolean {
    const { comm, record, mapping, permissions } = this;
    const textBytes = comm.bytes + record.bytes + mapping.bytes + permissions.bytes;
    return this.rows === BATCH_ROWS || textBytes >= BATCH_TEXT_BYTES;
  }

  add(passage: Passage, index: number, comm: Uint8Array, beside: Uint8Array | null): void {
    const { snapshot, target, header, mappings } = passage;
    const region = snapshot.regions[index]!;
    const [start, end, nrAccesses, age] = region;
    const mapping = mappingOf(region, mappings, header.pageSize);
    const row = this.rows++;
    this.target[row] = target.id;
    this.pid[row] = target.pid;
    this.comm.set(row, comm);
    this.startUs[row] = snapshot.startUs;
    this.endUs[row] = snapshot.endUs;
    this.maxNrAccesses[row] = snapshot.maxNrAccesses;
    setAddress(this.start, row, start);
    setAddress(this.end, row, end);
    this.nrAccesses[row] = nrAccesses;
    this.age[row] = age;
    this.record.set(row, beside);
    this.mapping.set(row, this.#encoded(mapping?.name));
    this.permissions.set(row, this.#encoded(mapping?.permissions));
    this.residentBytes.set(row, snapshot.memory?.resident[index]);
    this.accessedBytes.set(row, snapshot.memory?.accessed?.[index]);
  }

  #encoded(text: string | undefined): Buffer | null {
    if (!text) return null;
    let bytes = this.#texts.get(text);
    if (!bytes) {
      bytes = Buffer.from(text);
      this.#texts.set(text, bytes);
    }
    return bytes;
  }
}

/** A column of texts in UTF-8: where each ends, and which there are. */
class Texts {
  readonly offsets = new Int32Array(BATCH_ROWS + 1);
  readonly isThere = new Uint8Array(BATCH_ROWS / 8);
  readonly #texts: Uint8Array[] = [];
  bytes = 0;

  set(row: number, text: Uint8Array | null): void {
    if (text) {
      this.#texts.push(text);
      this.bytes += text.length;
      this.isThere[row >> 3]! |= 1 << (row & 7);
    }
    this.offsets[row + 1] = this.bytes;
  }

  /** What `makeData` takes. */
  column(length: number) {
    const nullCount = length - this.#texts.length;
    return {
      length,
      nullCount,
      nullBitmap: nullCount > 0 ? this.isThere : null,
      valueOffsets: this.offsets.subarray(0, length + 1),
      data: Buffer.concat(this.#texts),
    };
  }
}

/** A column of numbers, some of which are not known. */
class Numbers {
  readonly values = new Float64Array(BATCH_ROWS);
  readonly isThere = new Uint8Array(BATCH_ROWS / 8);
  #count = 0;

  set(row: number, value: number | undefined): void {
    if (value === undefined) return;
    this.values[row] = value;
    this.isThere[row >> 3]! |= 1 << (row & 7);
    this.#count++;
  }

  /** What `makeData` takes. */
  column(length: number) {
    const nullCount = length - this.#count;
    return {
      length,
      nullCount,
      nullBitmap: nullCount > 0 ? this.isThere : null,
      data: this.values.subarray(0, length),
    };
  }
}

/** The two halves of a 64-bit word, the lower one first, as Arrow has them: exact, and no bigint for each. */
function setAddress(words: Uint32Array, row: number, hex: string): void {
  words[2 * row] = Number.parseInt(hex.slice(-8), 16);
  words[2 * row + 1] = Number.parseInt(hex.slice(0, -8) || '0', 16);
}

/** The file format of Arrow IPC (also called Feather version 2), not compressed, a batch at a time. */
export async function* arrowOf(passages: AsyncIterable<Passage>): AsyncGenerator<Uint8Array> {
  const arrow = await load();
  const { Field, Float64, makeData, Struct, Uint32, Uint64, Utf8 } = arrow;
  const columns = {
    target: new Uint32(),
    pid: new Uint32(),
    comm: new Utf8(),
    start_us: new Float64(),
    end_us: new Float64(),
    max_nr_accesses: new Uint32(),
    start: new Uint64(),
    end: new Uint64(),
    nr_accesses: new Uint32(),
    age: new Uint32(),
    record: new Utf8(),
    mapping: new Utf8(),
    permissions: new Utf8(),
    resident_bytes: new Float64(),
    accessed_bytes: new Float64(),
  } satisfies Record<Column, unknown>;
  const schema = new arrow.Schema(
    Object.entries(columns).map(([name, type]) => new Field(name, type, NULLABLE.includes(name))),
  );
  let chunks: Uint8Array[] = [];
  /** Takes what the writer would keep in a queue, which nothing bounds. */
  class Chunks extends arrow.AsyncByteQueue {
    override write(bytes: Uint8Array): void {
      if (bytes.byteLength > 0) chunks.push(bytes);
    }
  }
  /** Its own leaves out the schema at the begin, which is in the index at the end: then nobody can read it on the way. */
  class FileWriter extends arrow.RecordBatchFileWriter {
    protected override _writeSchema(schema: Schema): this {
      super._writeSchema(schema);
      return this._writeMessage(arrow.Message.from(schema));
    }
  }
  const taken = () => {
    const all = chunks;
    chunks = [];
    return all;
  };
  const words = (column: Uint32Array, rows: number) => new BigUint64Array(column.buffer, 0, rows);
  const recordBatch = ({ rows: length, ...batch }: Batch): RecordBatch => {
    const children = [
      makeData({ type: columns.target, length, data: batch.target.subarray(0, length) }),
      makeData({ type: columns.pid, length, data: batch.pid.subarray(0, length) }),
      makeData({ type: columns.comm, ...batch.comm.column(length) }),
      makeData({ type: columns.start_us, length, data: batch.startUs.subarray(0, length) }),
      makeData({ type: columns.end_us, length, data: batch.endUs.subarray(0, length) }),
      makeData({ type: columns.max_nr_accesses, length, data: batch.maxNrAccesses.subarray(0, length) }),
      makeData({ type: columns.start, length, data: words(batch.start, length) }),
      makeData({ type: columns.end, length, data: words(batch.end, length) }),
      makeData({ type: columns.nr_accesses, length, data: batch.nrAccesses.subarray(0, length) }),
      makeData({ type: columns.age, length, data: batch.age.subarray(0, length) }),
      makeData({ type: columns.record, ...batch.record.column(length) }),
      makeData({ type: columns.mapping, ...batch.mapping.column(length) }),
      makeData({ type: columns.permissions, ...batch.permissions.column(length) }),
      makeData({ type: columns.resident_bytes, ...batch.residentBytes.column(length) }),
      makeData({ type: columns.accessed_bytes, ...batch.accessedBytes.column(length) }),
    ];
    return new arrow.RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, children }));
  };

  const writer = new FileWriter().reset(new Chunks(), schema);
  let batch = new Batch();
  for await (const passage of passages) {
    const comm = Buffer.from(passage.target.comm);
    const beside = besideText(passage);
    for (let i = 0; i < passage.snapshot.regions.length; i++) {
      batch.add(passage, i, comm, i === 0 && beside ? Buffer.from(beside) : null);
      if (!batch.isFull) continue;
      writer.write(recordBatch(batch));
      yield* taken();
      batch = new Batch();
    }
  }
  if (batch.rows > 0) writer.write(recordBatch(batch));
  writer.close();
  yield* taken();
}

/** The record that `arrowOf` made a table of, from either format of Arrow IPC. */
export function linesOfArrow(
  bytes: AsyncIterable<Uint8Array>,
  budget: InputBudget,
): AsyncGenerator<RecordLine> {
  return linesOfRows(rowsOf(bytes), budget);
}

async function* rowsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  const { RecordBatchReader } = await load();
  const reader = await RecordBatchReader.from(checkedMessages(withoutMagic(bytes)));
  await reader.open();
  for await (const batch of reader) {
    const columns = NEEDED_COLUMNS.map((name) => columnOf(batch, name));
    for (let i = 0; i < batch.numRows; i++) {
      yield Object.fromEntries(NEEDED_COLUMNS.map((name, c) => [name, columns[c]!.get(i)])) as unknown as Row;
    }
  }
}

function columnOf(batch: RecordBatch, name: Column): Vector {
  const column = batch.getChild(name);
  if (!column) throw new SyntaxError(`it has no column ${name}`);
  return column;
}

async function* withoutMagic(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of bytes) {
    const isFile = isFirst && Buffer.from(chunk.subarray(0, 6)).toString('latin1') === 'ARROW1';
    yield isFile ? chunk.subarray(MAGIC_BYTES) : chunk;
    isFirst = false;
  }
}
