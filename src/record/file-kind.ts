import { gunzipSync, inflateSync, constants as zlib } from 'node:zlib';
import { systemCode } from '../core/errors.js';

/** Enough for column names, the first line of a header, or any signature below. */
export const HEAD_BYTES = 1_024;

/** What `convert` reads. */
export type InputFormat = 'NDJSON' | 'damo' | 'Arrow' | 'CSV';

interface Kind {
  /** For "FILE is ...". */
  readonly is: string;
  /** What the user can do with it. */
  readonly next: string;
  readonly format?: InputFormat;
}

const USE = 'use a Pagepulse record, or damo JSON, Arrow or CSV converted from one';
const CONVERT = 'convert it to a record first: `pagepulse convert FILE --to ndjson -o it.ndjson`';
const TO_NDJSON = 'then `pagepulse convert it.damo --to ndjson -o it.ndjson`';
/** Every version of damo that has this command takes these options, and reads both perf.data and its text. */
const BY_DAMO = `\`damo convert_record_format --record_file FILE --output_file it.damo\`, ${TO_NDJSON}`;
const IF_DAMON = `if it holds DAMON events, convert it with ${BY_DAMO}`;
const BY_DAMO_RECORD = 'record with `damo record` instead: its JSON can be converted';

const decompress = (method: string, command: string): Kind => ({
  is: `compressed with ${method}`,
  next: `decompress it first: \`${command} -d FILE\``,
});
const PERF: Kind = { is: 'a perf.data file', next: IF_DAMON };

/** By the first bytes, as latin1. */
const SIGNATURES: readonly (readonly [start: string, Kind])[] = [
  ['PERFILE2', PERF],
  ['2ELIFREP', PERF],
  ['PERFFILE', PERF],
  [
    'damon_recfmt_ver',
    { is: 'an old binary DAMON recording', next: `convert it with damo 2.0.2 or older: ${BY_DAMO}` },
  ],
  ['\x17\x08Dtracing', { is: 'a trace.dat file of trace-cmd', next: BY_DAMO_RECORD }],
  ['ARROW1', { is: 'an Arrow file', next: CONVERT, format: 'Arrow' }],
  ['\xff\xff\xff\xff', { is: 'an Arrow stream', next: CONVERT, format: 'Arrow' }],
  ['FEA1', { is: 'a Feather version 1 file', next: 'write it as uncompressed Feather version 2 (Arrow)' }],
  ['PAR1', { is: 'a Parquet file', next: 'write it as uncompressed Feather (Arrow) or CSV' }],
  ['\x28\xb5\x2f\xfd', decompress('zstd', 'zstd')],
  ['\xfd7zXZ\0', decompress('xz', 'xz')],
  ['BZh', decompress('bzip2', 'bzip2')],
  ['\x04\x22\x4d\x18', decompress('lz4', 'lz4')],
  ['PK\x03\x04', { is: 'a zip archive', next: 'unpack it first: `unzip FILE`' }],
  ['\x7fELF', { is: 'a program or library (ELF)', next: USE }],
];

/** By the text at the start; the first match counts. */
const TEXTS: readonly (readonly [pattern: RegExp, Kind])[] = [
  [/^\s*\{[\s\S]*"traceEvents"/, { is: 'a trace, which has working sets but no regions', next: USE }],
  [/^\s*\{/, { is: 'JSON, but its first line is not a record header', next: USE, format: 'NDJSON' }],
  [/^\s*\[/, { is: 'a JSON array, as damo writes', next: CONVERT, format: 'damo' }],
  [/^[^\n{]*\bnr_accesses\b/, { is: 'CSV', next: CONVERT, format: 'CSV' }],
  [
    /\b(?:damon_(?:region_)?aggregated|damos_before_apply): /,
    { is: 'DAMON events as text (`perf script`)', next: `convert it with ${BY_DAMO}` },
  ],
  // comm pid [cpu] seconds: event:
  [/^[^\n#]*?\s\d+\s+(?:\[\d+\]\s+)?\d+\.\d+:\s/m, { is: '`perf script` text', next: IF_DAMON }],
  [/^# tracer: /, { is: 'ftrace text', next: BY_DAMO_RECORD }],
  [
    /^(?:base_time_absolute|monitoring_start): /,
    { is: '`damo report` text', next: 'convert the file it was made from' },
  ],
];

/** The start of a file, decompressed. Empty if the compression is damaged or needs more bytes. */
export function plainHead(start: Buffer): { readonly bytes: Buffer; readonly isCompressed: boolean } {
  const head = start.subarray(0, HEAD_BYTES); // may expand to a thousand times as much
  const options = { finishFlush: zlib.Z_SYNC_FLUSH };
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const isZlib = head.length > 1 && head[0] === 0x78 && head.readUInt16BE() % 31 === 0;
  try {
    if (isGzip) return { bytes: gunzipSync(head, options), isCompressed: true };
    if (isZlib) return { bytes: inflateSync(head, options), isCompressed: true };
  } catch (error) {
    if (isGzip || systemCode(error) === 'Z_BUF_ERROR') return { bytes: Buffer.alloc(0), isCompressed: true };
  }
  return { bytes: head, isCompressed: false };
}

/** The name of a UTF-16 or UTF-32 encoding, as iconv knows it. JSON and CSV start with an ASCII character. */
export function wideEncodingOf(head: Uint8Array): string | undefined {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16';
  if (a === 0xfe && b === 0xff) return 'UTF-16';
  if (a === 0 && b === 0) return c === 0xfe && d === 0xff ? 'UTF-32' : undefined;
  if (a && isPrintable(a) && b === 0 && c && d === 0) return 'UTF-16LE';
  if (a === 0 && b && isPrintable(b) && c === 0 && d) return 'UTF-16BE';
  return undefined;
}

/** @param head the first bytes of a file, decompressed */
export function formatOf(head: Buffer): InputFormat | undefined {
  return kindOf(head).format;
}

/**
 * What a file is instead of a record, and what to do about it: `it.data is a perf.data file; if it holds ...`.
 *
 * @param head its first bytes (HEAD_BYTES are enough), compressed or not
 */
export function notARecord(name: string, head: Buffer): string {
  if (head.length === 0) return `${name} is empty; ${USE}`;
  const { bytes, isCompressed } = plainHead(head);
  if (isCompressed && bytes.length === 0)
    return `${name} is compressed but cannot be decompressed; copy or record it again`;
  const { is, next } = kindOf(bytes);
  return `${name} is ${is}; ${next}`;
}

function kindOf(bytes: Buffer): Kind {
  const encoding = wideEncodingOf(bytes);
  if (encoding) {
    const next = `convert it to UTF-8 first: \`iconv -f ${encoding} -t UTF-8 FILE\``;
    return { is: `${encoding.slice(0, 6)} text`, next };
  }
  const latin = bytes.toString('latin1', 0, 16);
  const text = bytes.toString('utf8', 0, HEAD_BYTES);
  const known =
    SIGNATURES.find(([start]) => latin.startsWith(start)) ?? TEXTS.find(([pattern]) => pattern.test(text));
  if (known) return known[1];
  const isBinary = /\p{Cc}|\ufffd/u.test(text.slice(0, -1).replaceAll(/\s/g, '')); // the last character may be cut
  return { is: `${isBinary ? 'a binary file' : 'text'} in an unknown format`, next: USE };
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
