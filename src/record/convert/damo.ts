import { type Attrs, maxNrAccesses } from '../../core/attrs.js';
import { jsonText } from '../../core/printable.js';
import type { RecordedRegion } from '../format.js';
import { type Sidecar, type SnapshotInContext, startedNs } from './snapshots.js';
import { SpillFile } from './spill-file.js';

// A file of damo, the operator of the kernel's DAMON, is one JSON array, compressed with zlib. It has an entry for each target
// with all of the target's snapshots, while a record mixes the snapshots of all targets. A SpillFile sorts them, since a file
// may be larger than memory.

/** The key `pagepulse` of a snapshot, which damo ignores: what damo has no place for. */
export interface DamoSidecar extends Sidecar {
  /** The position of the snapshot among those of all targets. */
  readonly nr: number;
  readonly maxNrAccesses: number;
}

/** A snapshot as damo writes it. Some files have only shares for nrAccesses, or only microseconds for age. */
export interface DamoSnapshot {
  readonly start_time: unknown;
  readonly end_time: unknown;
  readonly regions: readonly {
    readonly start: unknown;
    readonly end: unknown;
    readonly nr_accesses: { readonly samples?: unknown; readonly percent?: unknown };
    readonly age: { readonly usec?: unknown; readonly aggr_intervals?: unknown };
  }[];
  readonly sample_interval_us?: unknown;
  readonly pagepulse?: DamoSidecar;
}

/**
 * The document, by target. A snapshot made with another sampling interval than its entry states its own. If the number of
 * sampling intervals in an aggregation interval changes, the target gets a second entry.
 *
 * @param folder for a temporary file
 */
export async function* damoOf(
  snapshots: AsyncIterable<SnapshotInContext>,
  folder: string,
): AsyncGenerator<string> {
  const entries = new Map<
    string,
    { readonly index: number; readonly target: number; readonly attrs: Attrs }
  >();
  const spill = new SpillFile(folder);
  try {
    let nr = 0;
    for await (const snapshot of snapshots) {
      const { attrs, target } = snapshot;
      const key = `${target.id} ${maxNrAccesses(attrs)}`;
      let entry = entries.get(key);
      if (!entry) {
        entry = { index: entries.size, target: target.id, attrs };
        entries.set(key, entry);
      }
      spill.add(entry.index, snapshotText(snapshot, nr++, entry.attrs));
    }
    let separator = '[';
    for (const { index, target, attrs } of entries.values()) {
      const { sampleUs, aggrUs, updateUs } = attrs;
      yield `${separator}{"kdamond_idx":0,"context_idx":0,"intervals":{"sample_us":"${sampleUs}","aggr_us":"${aggrUs}",` +
        `"ops_update_us":"${updateUs}"},"scheme_idx":null,"target_id":${target},"scheme_filters":[],"snapshots":[`;
      separator = '';
      for (const text of spill.texts(index)) {
        yield `${separator}\n${text}`;
        separator = ',';
      }
      yield ']}';
      separator = ',\n';
    }
    yield ']\n';
  } finally {
    spill.close();
  }
}

/** Joined at a time: many short texts take several times the memory of one. */
const REGIONS_AT_A_TIME = 512;

function snapshotText(context: SnapshotInContext, nr: number, { sampleUs }: Attrs): string {
  const { snapshot, header, attrs, sidecar } = context;
  const started = startedNs(header);
  const time = (us: number) => started + BigInt(Math.round(us * 1_000));
  let regions = '';
  for (let from = 0; from < snapshot.regions.length; from += REGIONS_AT_A_TIME) {
    const texts = snapshot.regions.slice(from, from + REGIONS_AT_A_TIME).map(regionText);
    regions += `${from > 0 ? ',' : ''}${texts.join(',')}`;
  }
  const { maxNrAccesses } = snapshot;
  const own = jsonText({ nr, maxNrAccesses, ...sidecar } satisfies DamoSidecar);
  return (
    `{"start_time":"${time(snapshot.startUs)}","end_time":"${time(snapshot.endUs)}","regions":[${regions}],` +
    `"total_bytes":null,"sample_interval_us":${attrs.sampleUs === sampleUs ? null : `"${attrs.sampleUs}"`},` +
    `"pagepulse":${own}}`
  );
}

function regionText([start, end, nrAccesses, age]: RecordedRegion): string {
  return (
    `{"start":"${BigInt(`0x${start}`)}","end":"${BigInt(`0x${end}`)}",` +
    `"nr_accesses":{"samples":${nrAccesses},"percent":null},"age":{"usec":null,"aggr_intervals":${age}}}`
  );
}

// Numbers as damo writes and reads them: `4096`, "4,096", "4.000 KiB", "5 ms", "1 m 2 s 345 ms".

// Maps, not objects: a file may name any unit, such as `constructor`.
const SIZES = new Map([['B', 1]]);
for (const [power, letter] of [...'KMGTPE'].entries()) {
  for (const unit of [letter, `${letter}B`, `${letter}iB`]) SIZES.set(unit, 1024 ** (power + 1));
}

const NANOSECONDS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3_600e9],
  ['d', 86_400e9],
]);

/** damo writes no longer ones, and parsing a million digits takes seconds. */
const MAX_LENGTH = 64;

/** @throws SyntaxError */
export function numberOf(value: unknown): number {
  const isText = typeof value === 'string' && value.length <= MAX_LENGTH;
  const number = isText ? Number(value.replaceAll(',', '') || 'no') : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw notANumber(value);
  return number;
}

/** Exact without a unit. @throws SyntaxError */
export function bytesOf(value: unknown): bigint {
  return sumOf(value, SIZES, 1);
}

/** Exact if each part is a whole number. @throws SyntaxError */
export function nanosecondsOf(value: unknown): bigint {
  return sumOf(value, NANOSECONDS, 1);
}

/** The unit defaults to microseconds. @throws SyntaxError */
export function microsecondsOf(value: unknown): number {
  return Number(sumOf(value, NANOSECONDS, 1e3)) / 1e3;
}

/** "35 %" or 35. @throws SyntaxError */
export function percentOf(value: unknown): number {
  return numberOf(typeof value === 'string' ? value.replace(/\s*%$/, '') : value);
}

function sumOf(value: unknown, units: ReadonlyMap<string, number>, defaultUnit: number): bigint {
  const isNumber = typeof value === 'number' || typeof value === 'string';
  const text = isNumber ? String(value).replaceAll(',', '') : '';
  if (text.length > MAX_LENGTH || !/^\s*-?[\d.]/.test(text)) throw notANumber(value);
  let sum = 0n;
  const rest = text.replace(
    /(-?\d+)(\.\d+)?(?:e([+-]?\d+))?\s*([a-zA-Z]*)\s*/g,
    (_, whole, fraction, exponent, unit) => {
      const factor = unit === '' ? defaultUnit : units.get(unit);
      if (factor === undefined) throw notANumber(value);
      const rounded = Math.round(Number(`${whole}${fraction ?? ''}e${exponent ?? 0}`) * factor);
      if (!Number.isFinite(rounded)) throw notANumber(value);
      sum += fraction || exponent ? BigInt(rounded) : BigInt(whole) * BigInt(factor);
      return '';
    },
  );
  if (rest !== '') throw notANumber(value);
  return sum;
}

function notANumber(value: unknown): SyntaxError {
  const text = typeof value === 'object' && value !== null ? 'a list' : String(JSON.stringify(value));
  return new SyntaxError(`${text.slice(0, MAX_LENGTH)} is not a number as damo writes it`);
}
