import type { RecordBatch, Schema } from 'apache-arrow';
import { requirePackagesFor } from '../../optional-packages.js';
import type { RecordLine } from '../format.js';
import type { InputBudget } from '../limits.js';
import { checkedMessages } from './arrow-messages.js';
import { type SnapshotInContext, sidecarText } from './snapshots.js';
import { type Column, linesOfRows, mappedBytesOf, mappingOf, RECORD_COLUMNS, type Row } from './table.js';

/** Rows of a record batch, about 5 MB: what is in memory at a time. */
const BATCH_ROWS = 65_536;
/** A batch also ends with this much text. */
const BATCH_TEXT_BYTES = 2 ** 24;

/** The file format starts with `ARROW1\0\0`; then comes the streaming format, and an index. */
const MAGIC_BYTES = 8;

/** Loaded on demand: it takes about 100 ms. */
const load = () => {
  requirePackagesFor('arrow');
  return import('apache-arrow');
};

/** Makes an Arrow IPC file (Feather version 2), uncompressed, a batch at a time. */
export async function* arrowOf(snapshots: AsyncIterable<SnapshotInContext>): AsyncGenerator<Uint8Array> {
  const arrow = await load();
  let batch = new Batch();
  const schema = new arrow.Schema(
    Object.entries(batch.columns).map(
      ([name, { type, isNullable }]) => new arrow.Field(name, new arrow[type](), isNullable),
    ),
  );
  let chunks: Uint8Array[] = [];
  /** In place of the writer's own queue, which is unbounded. */
  class Chunks extends arrow.AsyncByteQueue {
    override write(bytes: Uint8Array): void {
      if (bytes.byteLength > 0) chunks.push(bytes);
    }
  }
  /** The library's own writer puts the schema only into the index at the end, so the file could not be read as a stream. */
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
  const recordBatch = ({ rows: length, columns }: Batch): RecordBatch => {
    const children = Object.values(columns).map((column, i) =>
      arrow.makeData({ type: schema.fields[i]!.type, length, ...column.data(length) } as never),
    );
    return new arrow.RecordBatch(
      schema,
      arrow.makeData({ type: new arrow.Struct(schema.fields), length, children }),
    );
  };

  const writer = new FileWriter().reset(new Chunks(), schema);
  for await (const snapshot of snapshots) {
    const comm = Buffer.from(snapshot.target.comm);
    const sidecar = sidecarText(snapshot);
    for (let i = 0; i < snapshot.snapshot.regions.length; i++) {
      batch.add(snapshot, i, comm, i === 0 && sidecar ? Buffer.from(sidecar) : undefined);
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

/** A column of numbers; undefined ones are null. */
class Numbers {
  readonly values;
  readonly isValid = new Uint8Array(BATCH_ROWS / 8);
  #nulls = 0;

  constructor(
    readonly type: 'Uint32' | 'Float64',
    readonly isNullable = false,
  ) {
    this.values = new (type === 'Uint32' ? Uint32Array : Float64Array)(BATCH_ROWS);
  }

  set(row: number, value: number | undefined): void {
    if (value === undefined) {
      this.#nulls++;
      return;
    }
    this.values[row] = value;
    this.isValid[row >> 3]! |= 1 << (row & 7);
  }

  /** What `makeData` takes. */
  data(length: number) {
    return { data: this.values.subarray(0, length), ...nulls(this.#nulls, this.isValid) };
  }
}

/** A column of addresses as the halves of 64-bit words, the lower one first: exact, and without a bigint for each. */
class Addresses {
  readonly type = 'Uint64';
  readonly isNullable = false;
  readonly words = new Uint32Array(2 * BATCH_ROWS);

  set(row: number, hex: string): void {
    this.words[2 * row] = Number.parseInt(hex.slice(-8), 16);
    this.words[2 * row + 1] = Number.parseInt(hex.slice(0, -8) || '0', 16);
  }

  data(length: number) {
    return { data: new BigUint64Array(this.words.buffer, 0, length) };
  }
}

/** A column of UTF-8 texts; undefined ones are null. */
class Texts {
  readonly type = 'Utf8';
  readonly offsets = new Int32Array(BATCH_ROWS + 1);
  readonly isValid = new Uint8Array(BATCH_ROWS / 8);
  readonly #texts: Uint8Array[] = [];
  bytes = 0;

  constructor(readonly isNullable = false) {}

  set(row: number, text: Uint8Array | undefined): void {
    if (text) {
      this.#texts.push(text);
      this.bytes += text.length;
      this.isValid[row >> 3]! |= 1 << (row & 7);
    }
    this.offsets[row + 1] = this.bytes;
  }

  data(length: number) {
    const valueOffsets = this.offsets.subarray(0, length + 1);
    const data = Buffer.concat(this.#texts);
    return { valueOffsets, data, ...nulls(length - this.#texts.length, this.isValid) };
  }
}

function nulls(nullCount: number, isValid: Uint8Array) {
  return { nullCount, nullBitmap: nullCount > 0 ? isValid : null };
}

/** Rows being collected. The writer keeps the columns until they are written, so each batch has new ones. */
class Batch {
  readonly columns = {
    target: new Numbers('Uint32'),
    pid: new Numbers('Uint32'),
    comm: new Texts(),
    start_us: new Numbers('Float64'),
    end_us: new Numbers('Float64'),
    max_nr_accesses: new Numbers('Uint32'),
    start: new Addresses(),
    end: new Addresses(),
    nr_accesses: new Numbers('Uint32'),
    age: new Numbers('Uint32'),
    record: new Texts(true),
    mapping: new Texts(true),
    permissions: new Texts(true),
    resident_bytes: new Numbers('Float64', true),
    accessed_bytes: new Numbers('Float64', true),
    mapped_bytes: new Numbers('Float64'),
  } satisfies Record<Column, unknown>;
  /** The same few names occur in most rows. */
  readonly #encoded = new Map<string, Buffer>();
  rows = 0;

  get isFull(): boolean {
    const { comm, record, mapping, permissions } = this.columns;
    const textBytes = comm.bytes + record.bytes + mapping.bytes + permissions.bytes;
    return this.rows === BATCH_ROWS || textBytes >= BATCH_TEXT_BYTES;
  }

  add(context: SnapshotInContext, index: number, comm: Uint8Array, sidecar: Uint8Array | undefined): void {
    const { snapshot, target } = context;
    const { startUs, endUs, maxNrAccesses, memory } = snapshot;
    const region = snapshot.regions[index]!;
    const mapping = mappingOf(context, region);
    const { columns } = this;
    const row = this.rows++;
    columns.target.set(row, target.id);
    columns.pid.set(row, target.pid);
    columns.comm.set(row, comm);
    columns.start_us.set(row, startUs);
    columns.end_us.set(row, endUs);
    columns.max_nr_accesses.set(row, maxNrAccesses);
    columns.start.set(row, region[0]);
    columns.end.set(row, region[1]);
    columns.nr_accesses.set(row, region[2]);
    columns.age.set(row, region[3]);
    columns.record.set(row, sidecar);
    columns.mapping.set(row, this.#encode(mapping?.name));
    columns.permissions.set(row, this.#encode(mapping?.permissions));
    columns.resident_bytes.set(row, memory?.resident[index]);
    columns.accessed_bytes.set(row, memory?.accessed?.[index]);
    columns.mapped_bytes.set(row, mappedBytesOf(snapshot, index));
  }

  #encode(text: string | undefined): Buffer | undefined {
    if (!text) return undefined;
    let bytes = this.#encoded.get(text);
    if (!bytes) {
      bytes = Buffer.from(text);
      this.#encoded.set(text, bytes);
    }
    return bytes;
  }
}

/** The record from which `arrowOf` made a table, in the file or streaming format of Arrow IPC. */
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
    const columns = RECORD_COLUMNS.map((name) => {
      const column = batch.getChild(name);
      if (!column) throw new SyntaxError(`there is no column ${name}`);
      return [name, column] as const;
    });
    for (let i = 0; i < batch.numRows; i++)
      yield Object.fromEntries(columns.map(([name, column]) => [name, column.get(i)])) as Row;
  }
}

async function* withoutMagic(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of bytes) {
    const isFile = isFirst && Buffer.from(chunk.subarray(0, 6)).toString('latin1') === 'ARROW1';
    yield isFile ? chunk.subarray(MAGIC_BYTES) : chunk;
    isFirst = false;
  }
}
