import { type NamedRange, namedRange } from '../../processes/mapping-names.js';
import type { RecordedRegion, RecordLine, SnapshotLine } from '../format.js';
import { BYTES_OF_ROW, type InputBudget, MAX_REGIONS } from '../limits.js';
import { type BareSnapshot, linesOfSnapshot, type SnapshotInContext } from './snapshots.js';

/**
 * The columns of a table with one row for each region of each snapshot, and whether a record is restored from them: the
 * others are for other programs, and `record` has the same. Addresses are in bytes, times in microseconds.
 */
const IS_RESTORED = {
  target: true,
  pid: false,
  comm: false,
  start_us: true,
  end_us: true,
  max_nr_accesses: true,
  start: true,
  end: true,
  nr_accesses: true,
  age: true,
  /** The sidecar (snapshots.ts), in the first row of a snapshot. */
  record: true,
  /** The name and permissions of what most of the region is mapped as; empty if unknown, as the next two. */
  mapping: false,
  permissions: false,
  resident_bytes: false,
  accessed_bytes: false,
  /** What the region covers: less than from start to end if it reaches over gaps. */
  mapped_bytes: false,
} as const;

export type Column = keyof typeof IS_RESTORED;
type RecordColumn = { [C in Column]: (typeof IS_RESTORED)[C] extends true ? C : never }[Column];

/** In the order of a file. */
export const COLUMNS = Object.keys(IS_RESTORED) as readonly Column[];

/** The columns from which a record is restored. */
export const RECORD_COLUMNS = COLUMNS.filter((name): name is RecordColumn => IS_RESTORED[name]);

/** A row as any program may have written it: numbers may be text or bigint, and `record` null. */
export type Row = Readonly<Record<RecordColumn, unknown>>;

/** What most of a region is mapped as; undefined if the record does not say what was mapped. */
export function mappingOf(
  { header: { pageSize }, mappings }: SnapshotInContext,
  [start, end]: RecordedRegion,
): NamedRange | undefined {
  if (mappings.length === 0) return undefined;
  return namedRange(mappings, Number.parseInt(start, 16) / pageSize, Number.parseInt(end, 16) / pageSize);
}

/** What a region covers; exact, for addresses are multiples of a page size. */
export function mappedBytesOf({ regions, memory }: SnapshotLine, index: number): number {
  const [start, end] = regions[index]!;
  return memory?.mapped?.[index] ?? Math.max(0, Number.parseInt(end, 16) - Number.parseInt(start, 16));
}

/**
 * The record from which a table was made. The rows of a snapshot stand together.
 *
 * @throws SyntaxError naming the row if it is not a row of a record; RangeError if it exceeds the limits
 */
export async function* linesOfRows(
  rows: AsyncIterable<Row>,
  budget: InputBudget,
): AsyncGenerator<RecordLine> {
  let number = 0;
  let snapshot: (BareSnapshot & { regions: RecordedRegion[] }) | undefined;
  let sidecar = '';
  for await (const row of rows) {
    number++;
    budget.spend(BYTES_OF_ROW + textLength(row));
    try {
      const target = count(row.target);
      const [startUs, endUs] = [figure(row.start_us), figure(row.end_us)];
      const text = typeof row.record === 'string' ? row.record : '';
      const isNext =
        !snapshot ||
        text !== '' ||
        target !== snapshot.target ||
        startUs !== snapshot.startUs ||
        endUs !== snapshot.endUs;
      if (isNext) {
        if (snapshot) yield* linesOfSnapshot(snapshot, sidecar);
        snapshot = { target, startUs, endUs, maxNrAccesses: count(row.max_nr_accesses), regions: [] };
        sidecar = text;
      }
      if (snapshot!.regions.length === MAX_REGIONS)
        throw new RangeError(`more than ${MAX_REGIONS} regions in a snapshot`);
      snapshot!.regions.push([hex(row.start), hex(row.end), count(row.nr_accesses), count(row.age)]);
    } catch (error) {
      if (error instanceof Error) error.message = `row ${number}: ${error.message}`;
      throw error;
    }
  }
  if (snapshot) yield* linesOfSnapshot(snapshot, sidecar);
}

/** A dictionary column can repeat a long text in every row without taking space in the file. */
function textLength(row: Row): number {
  let length = 0;
  for (const name of RECORD_COLUMNS) {
    const value = row[name];
    if (typeof value === 'string') length += value.length;
  }
  return length;
}

function count(value: unknown): number {
  const number = figure(value);
  if (!Number.isSafeInteger(number)) throw notACount(value);
  return number;
}

/** Not simply Number(value): Arrow's lists and booleans would become numbers, too. */
function figure(value: unknown): number {
  const isNumber =
    typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && value);
  const number = isNumber ? Number(value) : Number.NaN;
  if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) throw notACount(value);
  return number;
}

function notACount(value: unknown): SyntaxError {
  const text = typeof value === 'object' && value !== null ? 'a list' : String(value).slice(0, 80);
  return new SyntaxError(`${text} is not a count`);
}

/** @param address as text or bigint of any size, or as a float64, which is exact for addresses of pages */
function hex(address: unknown): string {
  if (typeof address === 'bigint' && address >= 0n) return address.toString(16);
  if (typeof address === 'string') {
    if (/^\d{1,15}$/.test(address)) return Number(address).toString(16);
    if (/^\d{16,20}$/.test(address)) return BigInt(address).toString(16);
  }
  // Other programs write 94827419009024.0 or 7.205759403792794e+16.
  const number = typeof address === 'number' || typeof address === 'string' ? Number(address) : Number.NaN;
  if (number > Number.MAX_SAFE_INTEGER && number < 2 ** 64 && number % 4_096 === 0)
    return number.toString(16);
  return count(address).toString(16);
}
