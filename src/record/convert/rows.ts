import type { RecordedRegion, RecordLine } from '../format.js';
import { BYTES_OF_ROW, type InputBudget, MAX_REGIONS } from '../limits.js';
import { type BareSnapshot, linesOfPassage } from './passages.js';

/** The columns of a table with one row a region and snapshot. Addresses and sizes are bytes, times microseconds. */
export const COLUMNS = [
  'target',
  'pid',
  'comm',
  'start_us',
  'end_us',
  'max_nr_accesses',
  'start',
  'end',
  'nr_accesses',
  'age',
  /** What the record says beside the regions (passages.ts), in the first row of a snapshot. */
  'record',
  /** What most of the region is mapped as, as reports name it, and the permissions; empty where the record does not tell. */
  'mapping',
  'permissions',
  /** Of each region; empty where the record does not tell. */
  'resident_bytes',
  'accessed_bytes',
] as const;

export type Column = (typeof COLUMNS)[number];

/** The columns for other programs: what they say is in `record` too. */
const FOR_OTHERS: readonly Column[] = [
  'pid',
  'comm',
  'mapping',
  'permissions',
  'resident_bytes',
  'accessed_bytes',
];

/** What a record is made of again. */
export const NEEDED_COLUMNS = COLUMNS.filter((name): name is keyof Row => !FOR_OTHERS.includes(name));

/** A row as it is read from a table, whoever wrote it: numbers may come as text or bigint. */
export interface Row {
  readonly target: unknown;
  readonly start_us: unknown;
  readonly end_us: unknown;
  readonly max_nr_accesses: unknown;
  readonly start: unknown;
  readonly end: unknown;
  readonly nr_accesses: unknown;
  readonly age: unknown;
  /** Null or empty in all rows of a snapshot but the first. */
  readonly record: unknown;
}

/**
 * The record that a table was made of: rows that belong to one snapshot stand together.
 *
 * @throws SyntaxError where it is not that of a record, with the row; RangeError where it is beyond the limits
 */
export async function* linesOfRows(
  rows: AsyncIterable<Row>,
  budget: InputBudget,
): AsyncGenerator<RecordLine> {
  let [row, isInRow] = [0, false];
  const counted = async function* () {
    for await (const each of rows) {
      row++;
      budget.spend(BYTES_OF_ROW + textLength(each));
      isInRow = true;
      yield each;
      isInRow = false;
    }
  };
  try {
    yield* linesOf(counted());
  } catch (error) {
    // What is wrong with the table itself says its own place.
    if (isInRow && error instanceof Error) error.message = `row ${row}: ${error.message}`;
    throw error;
  }
}

/** A column may hold the same long text in every row, and take no room for it. */
function textLength(row: Row): number {
  let length = 0;
  for (const name of NEEDED_COLUMNS) {
    const value = row[name];
    if (typeof value === 'string') length += value.length;
  }
  return length;
}

async function* linesOf(rows: AsyncIterable<Row>): AsyncGenerator<RecordLine> {
  let snapshot: (BareSnapshot & { regions: RecordedRegion[] }) | undefined;
  let beside = '';
  for await (const row of rows) {
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
      if (snapshot) yield* linesOfPassage(snapshot, beside);
      snapshot = { target, startUs, endUs, maxNrAccesses: count(row.max_nr_accesses), regions: [] };
      beside = text;
    }
    if (snapshot!.regions.length === MAX_REGIONS)
      throw new RangeError(`more than ${MAX_REGIONS} regions in a snapshot`);
    snapshot!.regions.push([hex(row.start), hex(row.end), count(row.nr_accesses), count(row.age)]);
  }
  if (snapshot) yield* linesOfPassage(snapshot, beside);
}

function count(value: unknown): number {
  const number = figure(value);
  if (!Number.isSafeInteger(number)) throw notACount(value);
  return number;
}

/** Lists and booleans of Arrow would turn into numbers as well. */
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

/** @param address a number as a table has it: exact as text and bigint at any size, as a float64 where a page begins */
function hex(address: unknown): string {
  if (typeof address === 'bigint' && address >= 0n) return address.toString(16);
  if (typeof address === 'string') {
    if (/^\d{1,15}$/.test(address)) return Number(address).toString(16);
    if (/^\d{16,20}$/.test(address)) return BigInt(address).toString(16);
  }
  const number = typeof address === 'number' || typeof address === 'string' ? Number(address) : Number.NaN; // 94827419009024.0, 7.205759403792794e+16
  if (number > Number.MAX_SAFE_INTEGER && number < 2 ** 64 && number % 4_096 === 0)
    return number.toString(16);
  return count(address).toString(16);
}
