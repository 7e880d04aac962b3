import { pipeline, type Readable } from 'node:stream';
import { requirePackagesFor } from '../../optional-packages.js';
import type { RecordLine } from '../format.js';
import { besideText, type Passage } from './passages.js';
import { mappingOf } from './region-mappings.js';
import { COLUMNS, linesOfRows, NEEDED_COLUMNS, type Row } from './rows.js';

/**
 * CSV as RFC 4180 has it, with the names of the columns in the first line; addresses are decimal, for what reads CSV takes
 * hex for text. Written by hand: all but two fields are numbers, and a library takes 10 us for a row, this 0.1.
 */
export async function* csvOf(passages: AsyncIterable<Passage>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\n`;
  for await (const passage of passages) {
    const { snapshot, target, header, mappings } = passage;
    const { startUs, endUs, maxNrAccesses } = snapshot;
    const begin = `${target.id},${target.pid},${quoted(target.comm)},${startUs},${endUs},${maxNrAccesses},`;
    let beside = quoted(besideText(passage));
    let rows = '';
    const { resident, accessed } = snapshot.memory ?? {};
    for (const [i, region] of snapshot.regions.entries()) {
      const [start, end, nrAccesses, age] = region;
      const mapping = mappingOf(region, mappings, header.pageSize);
      const mapped = mapping ? `${quoted(mapping.name)},${quoted(mapping.permissions)}` : ',';
      rows += `${begin}${decimal(start)},${decimal(end)},${nrAccesses},${age},${beside},${mapped},${resident?.[i] ?? ''},${accessed?.[i] ?? ''}\n`;
      beside = '';
    }
    yield rows;
  }
}

/** The record that `csvOf` made a table of; columns may have come in another order, or others between them. */
export async function* linesOfCsv(text: Readable): AsyncGenerator<RecordLine> {
  requirePackagesFor('csv');
  const { parse } = await import('csv-parse');
  const rows = pipeline(text, parse({ bom: true, columns: withNeededColumns }), () => {});
  yield* linesOfRows(rows as unknown as AsyncIterable<Row>);
}

function withNeededColumns(names: string[]): string[] {
  const missing = NEEDED_COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new SyntaxError(`it has no column ${missing.join(', ')}`);
  return names;
}

function quoted(text: string): string {
  return text === '' ? '' : `"${text.replaceAll('"', '""')}"`;
}

/** Exact for every address: 13 digits are 52 bits. */
function decimal(hex: string): string {
  return hex.length <= 13 ? String(Number.parseInt(hex, 16)) : String(BigInt(`0x${hex}`));
}
