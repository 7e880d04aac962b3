import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { PagepulseError, systemCode } from '../../core/errors.js';
import { formatOf, HEAD_BYTES, type InputFormat, notARecord, plainHead } from '../file-kind.js';
import type { RecordLine } from '../format.js';
import { BYTES_OF_TARGET, InputBudget } from '../limits.js';
import { plainBytes } from '../lines.js';
import { damageNote, readRecord } from '../reader.js';
import { linesOfArrow } from './arrow.js';
import { linesOfCsv } from './csv.js';
import { linesOfDamo } from './damo-input.js';
import { type Input, LACKS_FIELDS } from './snapshots.js';

/**
 * Opens a record in the format that its first bytes tell, compressed or not.
 *
 * @param path `-` is standard input
 * @param folder for a temporary file
 * @throws PagepulseError `RECORD`, also while iterating, if it cannot be read or its format is unknown
 */
export async function openInput(path: string, folder: string): Promise<Input> {
  const name = path === '-' ? 'the input' : path;
  const source: Readable = path === '-' ? process.stdin : createReadStream(path);
  const { head, bytes } = await peek(source).catch(async (error) => {
    for await (const _ of readRecord(path)) break; // explains what is wrong with the path
    throw error;
  });
  const format = formatOf(plainHead(head).bytes);
  if (!format) {
    bytes.destroy();
    throw new PagepulseError('RECORD', notARecord(name, head));
  }
  const notes: string[] = [];
  const note = (text: string) => notes.push(`${name}: ${text}`);
  const noteCut = () => note('it is cut off, as if its writer was killed');
  if (format === 'NDJSON') {
    // Not `bytes` of a file: the errors of the reader name it.
    const isFile = path !== '-' && statSync(path).isFile();
    if (isFile) bytes.destroy();
    const reader = readRecord(isFile ? path : bytes);
    const { budget } = reader;
    return {
      lines: complete(reader, name, budget),
      budget,
      notes() {
        const damage = damageNote(reader);
        if (damage) note(damage);
        if (reader.truncated) noteCut();
        return notes.splice(0);
      },
    };
  }
  const budget = new InputBudget(name);
  const read = {
    damo: (text: AsyncIterable<Uint8Array>) => linesOfDamo(text, budget, folder, note),
    CSV: (text: AsyncIterable<Uint8Array>) => linesOfCsv(text, budget),
    Arrow: (text: AsyncIterable<Uint8Array>) => linesOfArrow(text, budget),
  }[format];
  const lines = withFormatErrors(read(plainBytes(bytes, budget)), name, format);
  // The kernel's recordings have no end.
  const onCut = format === 'damo' ? () => {} : noteCut;
  return { lines: complete(lines, name, budget, onCut), budget, notes: () => notes };
}

/** The first bytes of a stream, and a stream that still has them. */
async function peek(source: Readable): Promise<{ head: Buffer; bytes: Readable }> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  for (let length = 0; length < HEAD_BYTES; length += first.at(-1)!.length) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
  }
  async function* all() {
    yield* first.splice(0);
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { head: Buffer.concat(first), bytes: Readable.from(all(), { objectMode: false }) };
}

/** Adds the target lines that are missing: such a target has no known process. */
async function* complete(
  lines: AsyncIterable<RecordLine>,
  name: string,
  budget: InputBudget,
  onCut = () => {},
): AsyncGenerator<RecordLine> {
  const known = new Set<number>();
  const add = (id: number) => {
    known.add(id);
    budget.spend(BYTES_OF_TARGET);
  };
  let last: RecordLine['type'] | undefined;
  for await (const line of lines) {
    if (!last && line.type !== 'header') {
      throw new PagepulseError(
        'RECORD',
        `${name} lacks the first row of the table; convert the whole record again`,
      );
    }
    last = line.type;
    if (line.type === 'target') add(line.id);
    if (line.type === 'snapshot' && !known.has(line.target)) {
      const { target: id } = line;
      add(id);
      yield { type: 'target', id, pid: 0, startTime: '', comm: `target ${id}`, cmdline: [] };
    }
    yield line;
  }
  if (last !== 'end') onCut();
  if (!last) throw new PagepulseError('RECORD', `${name} has no complete line; record it again`);
}

async function* withFormatErrors(
  lines: AsyncIterable<RecordLine>,
  name: string,
  format: InputFormat,
): AsyncGenerator<RecordLine> {
  try {
    yield* lines;
  } catch (error) {
    if (error instanceof PagepulseError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    let reason = message.replaceAll(/\s+/g, ' ').slice(0, 200);
    if (error instanceof TypeError) reason = LACKS_FIELDS;
    if (systemCode(error) === 'Z_BUF_ERROR') reason = 'it is cut off';
    const what = format === 'damo' ? 'damo JSON' : format;
    throw new PagepulseError(
      'RECORD',
      `cannot read ${name} as ${what}: ${reason}; convert or record it again`,
      { cause: error },
    );
  }
}
