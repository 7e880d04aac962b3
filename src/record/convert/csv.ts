import { pipeline, Readable } from 'node:stream';
import { printable } from '../../core/printable.js';
import { requirePackagesFor } from '../../optional-packages.js';
import type { RecordLine } from '../format.js';
import { type InputBudget, MAX_LINE_BYTES } from '../limits.js';
import { type SnapshotInContext, sidecarText } from './snapshots.js';
import { COLUMNS, linesOfRows, mappedBytesOf, mappingOf, RECORD_COLUMNS, type Row } from './table.js';

/** A longer text that grows by concatenation takes several times its length. */
const PIECE_LENGTH = 65_536;

/**
 * CSV according to RFC 4180, column names first. Addresses are decimal, since CSV readers take hex for text. Without a
 * library: nearly all fields are numbers, and a row takes 0.1 us instead of 10.
 */
export async function* csvOf(snapshots: AsyncIterable<SnapshotInContext>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\n`;
  for await (const context of snapshots) {
    const { snapshot, target } = context;
    const { startUs, endUs, maxNrAccesses } = snapshot;
    const prefix = `${target.id},${target.pid},${nameCell(target.comm)},${startUs},${endUs},${maxNrAccesses},`;
    let sidecar = sidecarText(context);
    let rows = '';
    const { resident, accessed } = snapshot.memory ?? {};
    for (const [i, region] of snapshot.regions.entries()) {
      const [start, end, nrAccesses, age] = region;
      rows += `${prefix}${decimal(start)},${decimal(end)},${nrAccesses},${age},`;
      // May be as long as a line of a record: joined to its row, it would be in memory several times.
      for (const piece of quotedPieces(sidecar)) {
        yield rows + piece;
        rows = '';
      }
      sidecar = '';
      const { name = '', permissions = '' } = mappingOf(context, region) ?? {};
      rows += `,${nameCell(name)},${nameCell(permissions)},${resident?.[i] ?? ''},${accessed?.[i] ?? ''},`;
      rows += `${mappedBytesOf(snapshot, i)}\n`;
      if (rows.length < PIECE_LENGTH) continue;
      yield rows;
      rows = '';
    }
    yield rows;
  }
}

/** The record from which `csvOf` made a table; the columns may be in another order, with others between them. */
export async function* linesOfCsv(
  bytes: AsyncIterable<Uint8Array>,
  budget: InputBudget,
): AsyncGenerator<RecordLine> {
  requirePackagesFor('csv');
  const { parse } = await import('csv-parse');
  const options = { bom: true, columns: requireColumns, record_delimiter: ['\r\n', '\n', '\r'] };
  const rows = pipeline(Readable.from(withinLimits(bytes), { objectMode: false }), parse(options), () => {});
  yield* linesOfRows(rows as unknown as AsyncIterable<Row>, budget);
}

const MAX_FIELDS = 1_000;
const [QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN] = Buffer.from('",\n\r');

/**
 * The library keeps a row in memory until it ends: an unclosed quote or a million commas would take gigabytes.
 *
 * @throws RangeError
 */
async function* withinLimits(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [line, fields, rowBytes] = [1, 0, 0];
  let isQuoted = false;
  for await (const chunk of chunks) {
    let begin = -rowBytes;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === QUOTE) {
        isQuoted = !isQuoted;
      } else if (byte === COMMA) {
        if (!isQuoted && ++fields > MAX_FIELDS)
          throw new RangeError(`line ${line} has more than ${MAX_FIELDS} fields`);
      } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        if (byte === LINE_FEED) line++;
        if (isQuoted) continue;
        fields = 0;
        begin = i + 1;
      }
    }
    rowBytes = chunk.length - begin;
    if (rowBytes > MAX_LINE_BYTES)
      throw new RangeError(`the row that ends after line ${line} has more than ${MAX_LINE_BYTES} bytes`);
    yield chunk;
  }
}

function requireColumns(names: string[]): string[] {
  const missing = RECORD_COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new SyntaxError(`there is no column ${missing.join(', ')}`);
  return names;
}

/** The start of a spreadsheet formula (OWASP, CSV injection); `printable` replaces tabs and line ends. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;
/** Permissions may start with `-`, too, but the rest cannot be a formula. */
const PERMISSIONS = /^[r-][w-][x-][ps]$/;

/** A name that terminals and spreadsheets show safely; the `record` column holds it exactly. */
function nameCell(text: string): string {
  const shown = printable(text);
  return quoted(FORMULA.test(shown) && !PERMISSIONS.test(shown) ? `'${shown}` : shown);
}

function quoted(text: string): string {
  return text === '' ? '' : `"${text.replaceAll('"', '""')}"`;
}

/** The quoted text in pieces that do not split a character. */
function* quotedPieces(text: string): Generator<string> {
  for (let begin = 0; begin < text.length; ) {
    let end = Math.min(begin + PIECE_LENGTH, text.length);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1]!)) end--;
    const piece = text.slice(begin, end).replaceAll('"', '""');
    yield `${begin === 0 ? '"' : ''}${piece}${end === text.length ? '"' : ''}`;
    begin = end;
  }
}

/** Exact for every address: 13 hex digits are 52 bits. */
function decimal(hex: string): string {
  return hex.length <= 13 ? String(Number.parseInt(hex, 16)) : String(BigInt(`0x${hex}`));
}
