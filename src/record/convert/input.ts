import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { PagepulseError, systemCode } from '../../core/errors.js';
import { damageOf } from '../damage.js';
import { HEAD_BYTES, notARecord, plainHead, wideEncodingOf } from '../file-kind.js';
import type { RecordLine } from '../format.js';
import { BYTES_OF_TARGET, InputBudget } from '../limits.js';
import { plainBytes } from '../lines.js';
import { type RecordReader, readRecord } from '../reader.js';
import { linesOfArrow } from './arrow.js';
import { linesOfCsv } from './csv.js';
import { linesOfDamo } from './damo-input.js';
import type { Input } from './passages.js';
import { LACKS_FIELDS } from './passages.js';
import type { Spool } from './spool.js';

/**
 * Opens a record in whatever format its first bytes tell, compressed or not.
 *
 * @param path `-` is standard input
 * @param spool makes one for the format that needs one
 * @throws PagepulseError `RECORD`, also while iterating, where it cannot be read or is in no format that is known
 */
export async function openInput(path: string, spool: () => Spool): Promise<Input> {
  const name = path === '-' ? 'the input' : path;
  const source: Readable = path === '-' ? process.stdin : createReadStream(path);
  const { head, bytes } = await begun(source).catch(async (error) => {
    for await (const _ of readRecord(path)) break; // says best what is wrong with the name
    throw error;
  });
  const { bytes: plain } = plainHead(head);
  const format = formatOf(plain);
  if (format === 'NDJSON') {
    // A recording may go on in other files, which its name tells.
    const isFile = path !== '-' && statSync(path).isFile();
    if (isFile) bytes.destroy();
    const reader = readRecord(isFile ? path : bytes);
    return {
      lines: complete(reader, name, reader.budget),
      budget: reader.budget,
      notes: () => notesOf(name, reader),
    };
  }
  const budget = new InputBudget(name);
  const text = plainBytes(bytes, budget);
  const notes: string[] = [];
  const lines = (): AsyncIterable<RecordLine> => {
    if (format === 'CSV') return linesOfCsv(text, budget);
    if (format === 'Arrow') return linesOfArrow(text, budget);
    return linesOfDamo(text, budget, spool(), (note) => notes.push(`${name}: ${note}`));
  };
  if (format) {
    const onCut = () => {
      // The kernel's recordings have no end.
      if (format !== 'damo') notes.push(cutNote(name));
    };
    return {
      lines: complete(explained(lines(), name, format), name, budget, onCut),
      budget,
      notes: () => notes,
    };
  }
  bytes.destroy();
  throw new PagepulseError('RECORD', notARecord(name, head));
}

/** The first bytes of a stream, and a stream that has them still. */
async function begun(source: Readable): Promise<{ head: Buffer; bytes: Readable }> {
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

function formatOf(head: Buffer): 'NDJSON' | 'damo' | 'Arrow' | 'CSV' | undefined {
  const text = head.subarray(0, HEAD_BYTES).toString();
  if (wideEncodingOf(head)) return undefined;
  if (text.startsWith('ARROW1') || head.subarray(0, 4).equals(Buffer.alloc(4, 0xff))) return 'Arrow';
  if (/^\s*\[/.test(text)) return 'damo';
  if (/^\s*\{/.test(text) && !text.includes('"traceEvents"')) return 'NDJSON';
  if (/^[^\n{]*\bnr_accesses\b/.test(text)) return 'CSV';
  return undefined;
}

/** Adds what lines need that come after: a target that the record does not tell is one without a process. */
async function* complete(
  lines: AsyncIterable<RecordLine>,
  name: string,
  budget: InputBudget,
  onCut = () => {},
): AsyncGenerator<RecordLine> {
  const known = new Set<number>();
  let last: RecordLine['type'] | undefined;
  for await (const line of lines) {
    if (!last && line.type !== 'header') {
      throw new PagepulseError(
        'RECORD',
        `${name} has rows of a record, but not its first; convert the whole record again`,
      );
    }
    last = line.type;
    if (line.type === 'target') {
      known.add(line.id);
      budget.spend(BYTES_OF_TARGET);
    }
    if (line.type === 'snapshot' && !known.has(line.target)) {
      known.add(line.target);
      budget.spend(BYTES_OF_TARGET);
      yield {
        type: 'target',
        id: line.target,
        pid: 0,
        startTime: '',
        comm: `target ${line.target}`,
        cmdline: [],
      };
    }
    yield line;
  }
  if (last !== 'end') onCut();
  if (!last) throw new PagepulseError('RECORD', `${name} has nothing whole in it; record again`);
}

async function* explained(
  lines: AsyncIterable<RecordLine>,
  name: string,
  format: string,
): AsyncGenerator<RecordLine> {
  try {
    yield* lines;
  } catch (error) {
    if (error instanceof PagepulseError) throw error;
    const code = systemCode(error) ?? '';
    const message =
      error instanceof TypeError ? LACKS_FIELDS : error instanceof Error ? error.message : String(error);
    const reason =
      code === 'Z_BUF_ERROR' ? 'it breaks off before its end' : message.replaceAll(/\s+/g, ' ').slice(0, 200);
    throw new PagepulseError(
      'RECORD',
      `cannot read ${name} as ${format === 'damo' ? "damo's JSON" : format}: ${reason}; convert or record it again`,
      { cause: error },
    );
  }
}

function notesOf(name: string, reader: RecordReader): string[] {
  const damage = damageOf(reader);
  return [...(damage ? [`${name}: ${damage}`] : []), ...(reader.truncated ? [cutNote(name)] : [])];
}

function cutNote(name: string): string {
  return `${name}: it breaks off before its end, as a recording does that was killed`;
}
