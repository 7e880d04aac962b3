import { Snapshot } from '../core/snapshot.js';
import { ColumnSet, emptyColumns, type SnapshotColumns } from '../core/snapshot-columns.js';
import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import { parsedTo, parseHex } from '../kernel/text-file.js';
import type { HeaderLine, RecordedRegion, RegionMemory, SnapshotLine } from './format.js';
import { MAX_REGIONS, parseJson } from './limits.js';
import { areDetails, type SnapshotDetails } from './parse.js';

/** A snapshot line with its regions as columns of pages. */
export interface ColumnarSnapshot extends Omit<SnapshotLine, 'regions' | 'memory'> {
  readonly columns: SnapshotColumns;
}

/**
 * A recorded snapshot in the form it had when it was live, so that reports treat both alike. Of the statistics it has those
 * that its line holds (`cost`); the counts that only the end line has are 0, null or empty.
 *
 * @param header the record's first line, with the fields of the last `attrs` line, if there was one
 * @param target from the target line with the id `line.target`
 */
export function snapshotOfLine(
  line: SnapshotLine | ColumnarSnapshot,
  header: Pick<HeaderLine, 'check' | 'pageSize' | 'attrs'> & Partial<AttrsInForce>,
  target: TargetInfo,
): Snapshot {
  const { check, pageSize, attrs, reason = 'set', turns } = header;
  const { startUs, endUs, maxNrAccesses, residentBytes, settling, columns } =
    'columns' in line ? line : toColumnar(line, pageSize);
  return new Snapshot(
    {
      target,
      check,
      pageSize,
      startUs,
      endUs,
      maxNrAccesses,
      residentBytes,
      isSettling: settling === true,
      stats: statsOfLine(line, turns === undefined ? { attrs, reason } : { attrs, reason, turns }),
    },
    columns,
  );
}

/** One literal, since a record has millions of lines: V8 keeps the results of a spread until it collects its whole heap. */
function statsOfLine(
  { cost, endUs }: Pick<SnapshotLine, 'cost' | 'endUs'>,
  inForce: MonitorStats['inForce'],
): MonitorStats {
  return {
    elapsedUs: endUs,
    ticks: cost?.ticks ?? 0,
    overruns: cost?.overruns ?? 0,
    samples: 0,
    notSampled: 0,
    snapshots: 0,
    droppedSnapshots: cost?.droppedSnapshots ?? 0,
    lostSamplers: cost?.lostSamplers ?? 0,
    lostTicks: cost?.lostTicks ?? 0,
    regions: 0,
    inForce,
    cpuPercent: cost?.cpuPercent ?? null,
    recentCpuPercent: null,
    usPerSample: null,
    meanLateUs: null,
    maxLateUs: null,
    threads: [],
  };
}

/** Numbers of a region in `scratch`: start, end, nrAccesses, age, samples, deviation, unlike. */
const WIDTH = 7;
/** The regions of the line that is being read. */
let scratch = new Float64Array(WIDTH * 1_024);
/** Whether these regions have samples. */
let hasEvidence = false;

/** Larger numbers do not fit a column. */
const MAX_COUNT = 2 ** 32 - 1;

export function toColumnar({ regions, memory, ...line }: SnapshotLine, pageSize: number): ColumnarSnapshot {
  hasEvidence = regions.every(hasSamples);
  for (let i = 0, to = 0; i < regions.length; i++, to += WIDTH) {
    const region = regions[i]!;
    if (to === scratch.length) growScratch();
    scratch[to] = Number.parseInt(region[0], 16);
    scratch[to + 1] = Number.parseInt(region[1], 16);
    scratch[to + 2] = Math.min(region[2], MAX_COUNT);
    scratch[to + 3] = Math.min(region[3], MAX_COUNT);
    if (!hasEvidence) continue;
    scratch[to + 4] = Math.min(region[4]!, MAX_COUNT);
    scratch[to + 5] = figure(region[5]);
    scratch[to + 6] = figure(region[6]);
  }
  return { ...line, columns: columnsOfScratch(regions.length, pageSize, line.maxNrAccesses, memory) };
}

/** Whatever other programs add to a region is not evidence. */
function hasSamples([, , , , samples]: RecordedRegion): boolean {
  return Number.isSafeInteger(samples) && samples! >= 0;
}

function figure(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
}

/** Clamps contradictions: no region ends before its start, or was accessed more often than it was sampled. */
function columnsOfScratch(
  count: number,
  pageSize: number,
  maxNrAccesses: number,
  memory: RegionMemory | undefined,
): SnapshotColumns {
  const columns = emptyColumns(count, hasEvidence && count > 0 ? ColumnSet.EVIDENCE : ColumnSet.NONE);
  const { startPages, endPages, nrAccesses, ages, samples, deviations, unlike } = columns;
  for (let i = 0, from = 0; i < count; i++, from += WIDTH) {
    startPages[i] = scratch[from]! / pageSize;
    endPages[i] = Math.max(scratch[from]!, scratch[from + 1]!) / pageSize;
    nrAccesses[i] = Math.min(scratch[from + 2]!, maxNrAccesses);
    ages[i] = scratch[from + 3]!;
    if (!samples) continue;
    samples[i] = scratch[from + 4]!;
    deviations![i] = scratch[from + 5]!;
    unlike![i] = scratch[from + 6]!;
  }
  if (!memory) return columns;
  const pages = (bytes: readonly number[]) => Float64Array.from(bytes, (each) => each / pageSize);
  return {
    ...columns,
    residentPages: pages(memory.resident),
    unseenPages: memory.unseen ? pages(memory.unseen) : new Float64Array(count),
    ...(memory.accessed && { accessedPages: pages(memory.accessed) }),
    ...(memory.mapped && { mappedPages: pages(memory.mapped) }),
  };
}

function growScratch(): void {
  const larger = new Float64Array(2 * scratch.length);
  larger.set(scratch);
  scratch = larger;
}

const COMMA = 0x2c;
const CLOSING = 0x5d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;

/** Longer ones do not fit a column of 32 bits, or a float64 exactly. */
const MAX_DECIMALS = 9;
const MAX_TIME_DECIMALS = 15;
/** 13 hex digits are 52 bits. Longer addresses are exact in a float64 if they end in zeros, as those of pages do. */
const EXACT_HEX_DIGITS = 13;
const MAX_HEX_DIGITS = 16;

/** Where the functions below stopped reading; -1 from the first byte that `snapshotLine` would not have written. */
let at = 0;

/**
 * Reads a snapshot line directly from its bytes, in a third of the time of JSON.parse: regions are nearly all of a record.
 * Accepts only what `snapshotLine` writes.
 *
 * @returns undefined for any other line, which must be parsed as JSON: it may be valid or damaged
 */
export function parseSnapshotBytes(bytes: Uint8Array, pageSize: number): ColumnarSnapshot | undefined {
  at = 0;
  skip(bytes, '{"type":"snapshot","target":');
  const target = decimal(bytes, MAX_DECIMALS);
  skip(bytes, ',"startUs":');
  const startUs = decimal(bytes, MAX_TIME_DECIMALS);
  skip(bytes, ',"endUs":');
  const endUs = decimal(bytes, MAX_TIME_DECIMALS);
  skip(bytes, ',"maxNrAccesses":');
  const maxNrAccesses = decimal(bytes, MAX_DECIMALS);
  skip(bytes, ',"regions":[');
  const count = readRegions(bytes);
  if (at < 0 || startUs > endUs || maxNrAccesses === 0) return undefined;
  const details = readDetails(bytes, count);
  if (details === undefined) return undefined;
  const { memory, ...more } = details;
  const columns = columnsOfScratch(count, pageSize, maxNrAccesses, memory);
  return { type: 'snapshot', target, startUs, endUs, maxNrAccesses, columns, ...more };
}

/** Reads from after the opening bracket to after the closing one into `scratch`; returns the number of regions. */
function readRegions(bytes: Uint8Array): number {
  let count = 0;
  if (at >= 0 && bytes[at] === CLOSING) {
    at++;
    return 0;
  }
  for (let to = 0; at >= 0; to += WIDTH) {
    if (to === scratch.length) growScratch();
    skip(bytes, '["');
    scratch[to] = hex(bytes);
    skip(bytes, '","');
    scratch[to + 1] = hex(bytes);
    skip(bytes, '",');
    scratch[to + 2] = decimal(bytes, MAX_DECIMALS);
    expect(bytes, COMMA);
    scratch[to + 3] = decimal(bytes, MAX_DECIMALS);
    if (count === 0) hasEvidence = at >= 0 && bytes[at] === COMMA;
    if (hasEvidence) {
      expect(bytes, COMMA);
      scratch[to + 4] = decimal(bytes, MAX_DECIMALS);
      scratch[to + 5] = at >= 0 && bytes[at] === COMMA ? thousandths(bytes) : 0;
      scratch[to + 6] = at >= 0 && bytes[at] === COMMA ? thousandths(bytes) : 0;
    }
    expect(bytes, CLOSING);
    if (++count > MAX_REGIONS) at = -1;
    if (at >= 0 && bytes[at] === CLOSING) {
      at++;
      break;
    }
    expect(bytes, COMMA);
  }
  return count;
}

/** What follows the regions; undefined if it is invalid, or has fields that are not known. */
function readDetails(bytes: Uint8Array, regions: number): SnapshotDetails | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at).toString();
  if (text === '}') return {};
  if (text[0] !== ',') return undefined;
  try {
    const details = parseJson(`{${text.slice(1)}`);
    return areDetails(details, regions) ? details : undefined;
  } catch {
    return undefined;
  }
}

function skip(bytes: Uint8Array, text: string): void {
  if (at < 0) return;
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) {
      at = -1;
      return;
    }
  }
  at += text.length;
}

function expect(bytes: Uint8Array, byte: number): void {
  if (at >= 0) at = bytes[at] === byte ? at + 1 : -1;
}

/** An unsigned integer without leading zeros, as in JSON. */
function decimal(bytes: Uint8Array, maxDigits: number): number {
  if (at < 0) return 0;
  const begin = at;
  let value = 0;
  for (let digit = bytes[at]! - DIGIT_0; digit >= 0 && digit <= 9; digit = bytes[++at]! - DIGIT_0)
    value = value * 10 + digit;
  const digits = at - begin;
  if (digits === 0 || digits > maxDigits || (digits > 1 && bytes[begin] === DIGIT_0)) at = -1;
  return value;
}

/** A comma, and a number with at most three decimals. */
function thousandths(bytes: Uint8Array): number {
  expect(bytes, COMMA);
  let value = decimal(bytes, MAX_TIME_DECIMALS - 3) * 1_000;
  if (at < 0 || bytes[at] !== POINT) return value / 1_000;
  const begin = ++at;
  let unit = 100;
  for (let digit = bytes[at]! - DIGIT_0; digit >= 0 && digit <= 9; digit = bytes[++at]! - DIGIT_0) {
    value += digit * unit;
    unit /= 10;
  }
  if (at === begin || at > begin + 3) at = -1;
  return value / 1_000;
}

function hex(bytes: Uint8Array): number {
  if (at < 0) return 0;
  const value = parseHex(bytes, at);
  const digits = parsedTo - at;
  let isExact =
    digits > 0 && digits <= MAX_HEX_DIGITS && (digits <= EXACT_HEX_DIGITS || bytes[at] !== DIGIT_0);
  for (let i = at + EXACT_HEX_DIGITS; i < parsedTo; i++) if (bytes[i] !== DIGIT_0) isExact = false;
  at = isExact ? parsedTo : -1;
  return value;
}
