import { pipeline, Readable } from 'node:stream';
import { printable } from '../../core/printable.js';
import { requirePackagesFor } from '../../optional-packages.js';
import type { RecordLine } from '../format.js';
import { type InputBudget, MAX_LINE_BYTES } from '../limits.js';
import { besideText, type Passage } from './passages.js';
import { mappingOf } from './region-mappings.js';
import { COLUMNS, linesOfRows, NEEDED_COLUMNS, type Row } from './rows.js';

/** Longer texts that grow piece by piece take several times their length. */
const PIECE_LENGTH = 65_536;

/**
 * CSV as RFC 4180 has it, with the names of the columns in the first line; addresses are decimal, for what reads CSV takes
 * hex for text. Written by hand: all but two fields are numbers, and a library takes 10 us for a row, this 0.1.
 */
export async function* csvOf(passages: AsyncIterable<Passage>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\n`;
  for await (const passage of passages) {
    const { snapshot, target, header, mappings } = passage;
    const { startUs, endUs, maxNrAccesses } = snapshot;
    const begin = `${target.id},${target.pid},${nameCell(target.comm)},${startUs},${endUs},${maxNrAccesses},`;
    let beside = besideText(passage);
    let rows = '';
    const { resident, accessed } = snapshot.memory ?? {};
    for (const [i, region] of snapshot.regions.entries()) {
      const [start, end, nrAccesses, age] = region;
      const mapping = mappingOf(region, mappings, header.pageSize);
      const mapped = mapping ? `${nameCell(mapping.name)},${nameCell(mapping.permissions)}` : ',';
      rows += `${begin}${decimal(start)},${decimal(end)},${nrAccesses},${age},`;
      // It may be as long as a line of a record: in one text with its row, it would be in memory several times.
      for (const piece of piecesOf(beside)) {
        yield rows + piece;
        rows = '';
      }
      beside = '';
      rows += `,${mapped},${resident?.[i] ?? ''},${accessed?.[i] ?? ''}\n`;
      if (rows.length < PIECE_LENGTH) continue;
      yield rows;
      rows = '';
    }
    yield rows;
  }
}

/** The record that `csvOf` made a table of; columns may have come in another order, or others between them. */
export async function* linesOfCsv(
  bytes: AsyncIterable<Uint8Array>,
  budget: InputBudget,
): AsyncGenerator<RecordLine> {
  requirePackagesFor('csv');
  const { parse } = await import('csv-parse');
  const options = { bom: true, columns: withNeededColumns, record_delimiter: LINE_ENDS };
  const rows = pipeline(Readable.from(ofFewFields(bytes), { objectMode: false }), parse(options), () => {});
  yield* linesOfRows(rows as unknown as AsyncIterable<Row>, budget);
}

const LINE_ENDS = ['\r\n', '\n', '\r'];
const MAX_FIELDS = 1_000;
const [QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN] = Buffer.from('",\n\r');

/**
 * The library keeps a row until it ends: a quote that is never closed, or a million commas, would take gigabytes.
 *
 * @throws RangeError
 */
async function* ofFewFields(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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

function withNeededColumns(names: string[]): string[] {
  const missing = NEEDED_COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new SyntaxError(`it has no column ${missing.join(', ')}`);
  return names;
}

/** How a formula begins for a spreadsheet (OWASP, CSV injection); tabs and line ends are not printable anyway. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;
/** Permissions as the kernel writes them also begin with `-`, but contain nothing to calculate. */
const PERMISSIONS = /^[r-][w-][x-][ps]$/;

/** A name for display: harmless on terminals and in spreadsheets. The `record` column has it exactly. */
function nameCell(text: string): string {
  const shown = printable(text);
  return quoted(FORMULA.test(shown) && !PERMISSIONS.test(shown) ? `'${shown}` : shown);
}

/** A quoted text in pieces that do not divide a character. */
function* piecesOf(text: string): Generator<string> {
  if (text === '') return;
  for (let begin = 0; begin < text.length; ) {
    let end = Math.min(begin + PIECE_LENGTH, text.length);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1]!)) end--;
    const piece = text.slice(begin, end).replaceAll('"', '""');
    yield `${begin === 0 ? '"' : ''}${piece}${end === text.length ? '"' : ''}`;
    begin = end;
  }
}

function quoted(text: string): string {
  return text === '' ? '' : `"${text.replaceAll('"', '""')}"`;
}

/** Exact for every address: 13 digits are 52 bits. */
function decimal(hex: string): string {
  return hex.length <= 13 ? String(Number.parseInt(hex, 16)) : String(BigInt(`0x${hex}`));
}
