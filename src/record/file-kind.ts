import { gunzipSync, inflateSync, constants as zlib } from 'node:zlib';
import { systemCode } from '../core/errors.js';

/** Enough for column names, the first line of a header, or any signature below. */
export const HEAD_BYTES = 1_024;

const TO_NDJSON = 'then `pagepulse convert it.damo --to ndjson -o it.ndjson`';
/** The command is the same in every version of damo that has it; damo reads both the data of perf and its text. */
const BY_DAMO = `\`damo convert_record_format --record_file FILE --output_file it.damo\`, ${TO_NDJSON}`;
const IF_DAMON = `if it holds DAMON's events, convert it with ${BY_DAMO}`;
const TO_RECORD = '`pagepulse convert FILE --to ndjson -o it.ndjson`';
const GIVE = 'give a record, JSON of damo, or Arrow or CSV that was converted from a record';

interface Kind {
  readonly is: string;
  readonly next: string;
}

/** By the first bytes, as latin1. */
const SIGNATURES: readonly (readonly [begin: string, Kind])[] = [
  ...['PERFILE2', '2ELIFREP', 'PERFFILE'].map(
    (begin) => [begin, { is: 'a perf.data file', next: IF_DAMON }] as const,
  ),
  [
    'damon_recfmt_ver',
    {
      is: 'an old binary recording of DAMON',
      next: `convert it with damo 2.0.2 or older: ${BY_DAMO}`,
    },
  ],
  [
    '\x17\x08Dtracing',
    {
      is: 'a trace.dat file of trace-cmd',
      next: 'record with `damo record`, whose JSON can be converted',
    },
  ],
  [
    'ARROW1',
    { is: 'an Arrow file', next: `if it was converted from a record, convert it back: ${TO_RECORD}` },
  ],
  [
    '\xff\xff\xff\xff',
    { is: 'an Arrow stream', next: `if it was converted from a record, convert it back: ${TO_RECORD}` },
  ],
  [
    'FEA1',
    { is: 'a Feather file of version 1', next: 'write it as uncompressed Feather of version 2 (Arrow)' },
  ],
  ['PAR1', { is: 'a Parquet file', next: 'write it as uncompressed Feather (Arrow) or CSV' }],
  ['\x28\xb5\x2f\xfd', { is: 'compressed with zstd', next: 'decompress it first: `zstd -d FILE`' }],
  ['\xfd7zXZ\0', { is: 'compressed with xz', next: 'decompress it first: `xz -d FILE`' }],
  ['BZh', { is: 'compressed with bzip2', next: 'decompress it first: `bzip2 -d FILE`' }],
  ['\x04\x22\x4d\x18', { is: 'compressed with lz4', next: 'decompress it first: `lz4 -d FILE`' }],
  ['PK\x03\x04', { is: 'a zip archive', next: 'unpack it first: `unzip FILE`' }],
  ['\x7fELF', { is: 'a program or library (ELF)', next: GIVE }],
];

/** By the text at the start; the first that matches. */
const TEXTS: readonly (readonly [pattern: RegExp, Kind])[] = [
  [/^\s*\{[\s\S]*"traceEvents"/, { is: 'a trace, which has working sets and no regions', next: GIVE }],
  [/^\s*\{/, { is: 'JSON, but its first line is not the header of a record', next: GIVE }],
  [/^\s*\[/, { is: 'a list in JSON, as damo writes them', next: `convert it first: ${TO_RECORD}` }],
  [
    /\b(?:damon_(?:region_)?aggregated|damos_before_apply): /,
    { is: "DAMON's events as text (`perf script`)", next: `convert it with ${BY_DAMO}` },
  ],
  // comm pid [cpu] seconds: event:
  [/^[^\n#]*?\s\d+\s+(?:\[\d+\]\s+)?\d+\.\d+:\s/m, { is: 'text of `perf script`', next: IF_DAMON }],
  [/^# tracer: /, { is: 'text of ftrace', next: 'record with `damo record`, whose JSON can be converted' }],
  [
    /^(?:base_time_absolute|monitoring_start): /,
    { is: 'text of `damo report`', next: 'convert the file that it was made from' },
  ],
  [
    /^[^\n{]*\bnr_accesses\b/,
    { is: 'CSV', next: `if it was converted from a record, convert it back: ${TO_RECORD}` },
  ],
];

/** The first bytes of a file without their compression; none where that is damaged, or needs more of it. */
export function plainHead(begin: Buffer): { readonly bytes: Buffer; readonly isPacked: boolean } {
  const head = begin.subarray(0, HEAD_BYTES); // may unpack to a thousand times as much
  const options = { finishFlush: zlib.Z_SYNC_FLUSH };
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  try {
    if (isGzip) return { bytes: gunzipSync(head, options), isPacked: true };
    if (isZlib(head)) return { bytes: inflateSync(head, options), isPacked: true };
  } catch (error) {
    if (isGzip || systemCode(error) === 'Z_BUF_ERROR') return { bytes: Buffer.alloc(0), isPacked: true };
  }
  return { bytes: head, isPacked: false };
}

function isZlib(head: Buffer): boolean {
  return head.length > 1 && head[0] === 0x78 && head.readUInt16BE() % 31 === 0;
}

/** The name of an encoding that is not UTF-8, as iconv knows it. JSON and CSV begin with a character of ASCII. */
export function wideEncodingOf(head: Uint8Array): string | undefined {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16';
  if (a === 0xfe && b === 0xff) return 'UTF-16';
  if (a === 0 && b === 0) return c === 0xfe && d === 0xff ? 'UTF-32' : undefined;
  if (a && isPrintable(a) && b === 0 && c && d === 0) return 'UTF-16LE';
  if (a === 0 && b && isPrintable(b) && c === 0 && d) return 'UTF-16BE';
  return undefined;
}

/**
 * What a file is that is not a record, and what to do about it: `it.data is a perf.data file; if it holds ...`.
 *
 * @param head its first bytes (HEAD_BYTES are enough), compressed or not
 */
export function notARecord(name: string, head: Buffer): string {
  if (head.length === 0) return `${name} is empty; ${GIVE}`;
  const { bytes, isPacked } = plainHead(head);
  if (isPacked && bytes.length === 0) {
    return `${name} cannot be decompressed; copy or record it again`;
  }
  const encoding = wideEncodingOf(bytes);
  const { is, next } = encoding
    ? {
        is: `text in ${encoding.slice(0, 6)}`,
        next: `convert it to UTF-8 first: \`iconv -f ${encoding} -t UTF-8 FILE\``,
      }
    : kindOf(bytes);
  return `${name} is ${is}; ${next}`;
}

function kindOf(bytes: Buffer): Kind {
  const latin = bytes.toString('latin1', 0, 16);
  const signed = SIGNATURES.find(([begin]) => latin.startsWith(begin));
  if (signed) return signed[1];
  const text = bytes.subarray(0, HEAD_BYTES).toString();
  const told = TEXTS.find(([pattern]) => pattern.test(text));
  if (told) return told[1];
  const isBinary = /\p{Cc}|\ufffd/u.test(text.slice(0, -1).replaceAll(/\s/g, '')); // the last may be cut
  return { is: `${isBinary ? 'a binary file' : 'text'} in no format that Pagepulse reads`, next: GIVE };
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
