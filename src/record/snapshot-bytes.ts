import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { ColumnSet, emptyColumns } from '../core/snapshot-columns.js';
import { parsedTo, parseHex } from '../kernel/text-file.js';
import type { SnapshotLine } from './format.js';
import { MAX_REGIONS, parseJson } from './limits.js';
import { isCost, isRegionMemory, isResidentBytes } from './parse.js';
import type { PackedSnapshot } from './restore.js';
import { memoryColumns } from './restore.js';

const BEFORE_TARGET = Buffer.from('{"type":"snapshot","target":');
const BEFORE_START = Buffer.from(',"startUs":');
const BEFORE_END = Buffer.from(',"endUs":');
const BEFORE_MAX = Buffer.from(',"maxNrAccesses":');
const BEFORE_REGIONS = Buffer.from(',"regions":[');
const BEGIN_REGION = Buffer.from('["');
const BETWEEN_ADDRESSES = Buffer.from('","');
const AFTER_ADDRESSES = Buffer.from('",');

const COMMA = 0x2c;
const CLOSING = 0x5d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;

/** More do not fit a column of 32 bits, or a float exactly. */
const MAX_DECIMALS = 9;
const MAX_TIME_DECIMALS = 15;
/** Up to 52 bits; longer addresses must be exact in a float64 as well, as those of pages are, which end with zeros. */
const EXACT_HEX_DIGITS = 13;
const MAX_HEX_DIGITS = 16;

/** Numbers of a region: start, end, nrAccesses, age, samples, deviation, unlike. */
const WIDTH = 7;

/** These of each region of the line that is being read. */
let scratch = new Float64Array(WIDTH * 1_024);

/** Whether its regions tell their samples. */
let hasEvidence = false;

/** Where the last of the functions below has stopped reading; -1 from when something was not as we write it. */
let at = 0;

/**
 * A snapshot line straight from its bytes, for nearly all of a record is regions: some 1 us for ten of them, a third of
 * what JSON.parse and its arrays and strings take. It knows the lines just as `snapshotLine` writes them.
 *
 * @returns undefined for any other line, to be parsed as JSON: it may be as good, or damaged
 */
export function parseSnapshotBytes(bytes: Uint8Array, pageSize: number): PackedSnapshot | undefined {
  at = 0;
  skip(bytes, BEFORE_TARGET);
  const target = decimal(bytes, MAX_DECIMALS);
  skip(bytes, BEFORE_START);
  const startUs = decimal(bytes, MAX_TIME_DECIMALS);
  skip(bytes, BEFORE_END);
  const endUs = decimal(bytes, MAX_TIME_DECIMALS);
  skip(bytes, BEFORE_MAX);
  const maxNrAccesses = decimal(bytes, MAX_DECIMALS);
  skip(bytes, BEFORE_REGIONS);
  const count = readRegions(bytes);
  if (at < 0 || startUs > endUs || maxNrAccesses === 0) return undefined;
  const rest = readRest(bytes, count);
  if (rest === undefined) return undefined;
  const { memory, ...more } = rest;
  const columns = columnsOfScratch(count, pageSize, maxNrAccesses, memory);
  return { type: 'snapshot', target, startUs, endUs, maxNrAccesses, columns, ...more };
}

/** From after the opening bracket to after the closing one; returns the number of regions, which are in `scratch`. */
function readRegions(bytes: Uint8Array): number {
  let count = 0;
  if (at >= 0 && bytes[at] === CLOSING) {
    at++;
    return 0;
  }
  for (let to = 0; at >= 0; to += WIDTH) {
    if (to === scratch.length) growScratch();
    skip(bytes, BEGIN_REGION);
    scratch[to] = hex(bytes);
    skip(bytes, BETWEEN_ADDRESSES);
    scratch[to + 1] = hex(bytes);
    skip(bytes, AFTER_ADDRESSES);
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

type Rest = Pick<SnapshotLine, 'cost' | 'residentBytes' | 'memory' | 'settling'>;
const REST = ['residentBytes', 'memory', 'settling', 'cost'];

/** What comes after the regions: memory and cost, and nothing that is not known. */
function readRest(bytes: Uint8Array, regions: number): Rest | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at).toString();
  if (text === '}') return {};
  if (text[0] !== ',') return undefined;
  try {
    const rest = parseJson(`{${text.slice(1)}`) as Rest;
    const isGood =
      Object.keys(rest).every((name) => REST.includes(name)) &&
      (rest.cost === undefined || isCost(rest.cost)) &&
      isResidentBytes(rest.residentBytes) &&
      isRegionMemory(rest.memory, regions);
    return isGood ? rest : undefined;
  } catch {
    return undefined;
  }
}

function columnsOfScratch(
  count: number,
  pageSize: number,
  maxNrAccesses: number,
  memory: Rest['memory'],
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
  return { ...columns, ...memoryColumns(memory, pageSize) };
}

function skip(bytes: Uint8Array, text: Uint8Array): void {
  if (at < 0) return;
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text[i]) {
      at = -1;
      return;
    }
  }
  at += text.length;
}

function expect(bytes: Uint8Array, byte: number): void {
  if (at >= 0) at = bytes[at] === byte ? at + 1 : -1;
}

/** A whole number as JSON has it: no sign, no zeros before it. */
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

/** From the comma on, with up to three digits behind a point. */
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

function growScratch(): void {
  const larger = new Float64Array(2 * scratch.length);
  larger.set(scratch);
  scratch = larger;
}
