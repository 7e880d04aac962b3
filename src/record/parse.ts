import { COST_COUNTS, type RecordLine, type RegionMemory, type SnapshotLine } from './format.js';
import { MAX_REGIONS, parseJson } from './limits.js';

type Check = (value: unknown) => boolean;
type LineType = RecordLine['type'];

/** A check for every field of a line: the compiler rejects a set that does not agree with format.ts. */
type Fields<Line> = { readonly [K in keyof Required<Omit<Line, 'type'>>]: Check };

/** What a snapshot line holds besides its regions and their times. */
export type SnapshotDetails = Pick<SnapshotLine, 'residentBytes' | 'memory' | 'settling' | 'cost'>;

/** Whole JSON, of a type that a later version may have added. */
export const UNKNOWN_TYPE = Symbol('unknown type');

/** Header fields that other programs may leave out, because they know less about themselves. */
const UNSTATED = { tool: '', startedAt: '', startedMonotonicNs: '', kernel: '', check: '' };

/** The kernel has 15; tables repeat the name in every row. */
const MAX_NAME_LENGTH = 255;

// Plain functions, no schema library: it would copy each of a record's millions of regions.
const isAny: Check = () => true;
const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
const isAddress: Check = (value) => typeof value === 'string' && /^[0-9a-f]{1,16}$/i.test(value);
/** A later version may have more reasons; none of them contains control sequences. */
const isReason: Check = (value) => typeof value === 'string' && /^[a-z]+$/.test(value);
/** With a size that is not a power of two, addresses would not be whole pages. */
const isPageSize: Check = (value) =>
  isCount(value) && value >= 1_024 && value <= 2 ** 30 && Number.isInteger(Math.log2(value));
const isRegion = tuple(isAddress, isAddress, isCount, isCount);

const MEMORY = {
  mappings: optional(listOf(tuple(isAddress, isAddress, isText, isText))),
  residentBytes: optional(isCount),
  resident: optional(listOf(tuple(isAddress, isCount))),
};

const DETAILS: Fields<SnapshotDetails> = {
  residentBytes: optional(isCount),
  memory: isAny, // depends on the regions: isRegionMemory
  settling: isAny,
  cost: optional(figures('cpuPercent', ...COST_COUNTS)),
};

const FIELDS: { readonly [T in LineType]: Fields<Extract<RecordLine, { type: T }>> } = {
  header: {
    version: isCount,
    tool: optional(isText),
    startedAt: optional(isText),
    startedMonotonicNs: optional(isText),
    kernel: optional(isText),
    pageSize: isPageSize,
    check: optional(isText),
    cover: optional(isText),
    attrs: isAttrs,
    seed: isAny,
  },
  target: { id: isCount, pid: isCount, startTime: isText, comm: isName, cmdline: listOf(isText), ...MEMORY },
  mappings: { target: isCount, atUs: isFigure, removed: optional(listOf(isAddress)), ...MEMORY },
  attrs: {
    atUs: isFigure,
    attrs: isAttrs,
    reason: isReason,
    turns: optional((turns) => isCount(turns) && turns > 1),
  },
  otherWatcher: { atUs: isFigure, pid: isCount, comm: isName, targets: listOf(isCount) },
  snapshot: {
    target: isCount,
    startUs: isFigure,
    endUs: isFigure,
    maxNrAccesses: (count) => isCount(count) && count > 0,
    regions: (regions) => Array.isArray(regions) && regions.length <= MAX_REGIONS && regions.every(isRegion),
    ...DETAILS,
  },
  end: {
    reason: isText,
    stats: figures(
      ...['cpuPercent', ...COST_COUNTS, 'elapsedUs', 'samples', 'notSampled', 'snapshots', 'regions'],
      ...['usPerSample', 'recentCpuPercent', 'meanLateUs', 'maxLateUs'],
    ),
  },
};

/**
 * One line of a record, or undefined if it is not a JSON object or lacks what its type requires. Unknown fields stay in it;
 * readers ignore them.
 */
export function parseLine(json: string | Uint8Array): RecordLine | typeof UNKNOWN_TYPE | undefined {
  let line: unknown;
  try {
    line = parseJson(json);
  } catch {
    return undefined;
  }
  if (!isObject(line) || typeof line.type !== 'string') return undefined;
  if (!Object.hasOwn(FIELDS, line.type)) return UNKNOWN_TYPE;
  const type = line.type as LineType;
  if (!hasFields(line, FIELDS[type])) return undefined;
  const known = line as unknown as RecordLine;
  if (known.type === 'snapshot' && !isConsistent(known)) return undefined;
  return known.type === 'header' ? { ...UNSTATED, ...known } : known;
}

function isConsistent({ startUs, endUs, regions, memory }: SnapshotLine): boolean {
  return startUs <= endUs && isRegionMemory(memory, regions.length);
}

/** Whether these are valid details of a snapshot with this number of regions, and nothing else. */
export function areDetails(details: unknown, regions: number): details is SnapshotDetails {
  return (
    isObject(details) &&
    Object.keys(details).every((name) => Object.hasOwn(DETAILS, name)) &&
    hasFields(details, DETAILS) &&
    isRegionMemory(details.memory, regions)
  );
}

/** Whether it is missing, or has columns for this number of regions. */
export function isRegionMemory(memory: unknown, regions: number): memory is RegionMemory | undefined {
  if (memory === undefined) return true;
  const isColumn: Check = (column) =>
    Array.isArray(column) && column.length === regions && column.every(isCount);
  return (
    isObject(memory) &&
    isColumn(memory.resident) &&
    optional(isColumn)(memory.unseen) &&
    optional(isColumn)(memory.accessed) &&
    optional(isColumn)(memory.mapped)
  );
}

function isAttrs(attrs: unknown): boolean {
  const names = ['sampleUs', 'aggrUs', 'updateUs', 'minRegions', 'maxRegions'];
  if (!isObject(attrs) || !names.every((name) => isCount(attrs[name]))) return false;
  const [sampleUs, aggrUs] = [attrs.sampleUs as number, attrs.aggrUs as number];
  return sampleUs > 0 && sampleUs <= aggrUs;
}

/** May have a fraction. Above 2^53 it has none, and a sum may not be finite. */
function isFigure(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasFields(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Check>>,
): boolean {
  return Object.keys(fields).every((name) => fields[name]!(value[name]));
}

/** Each may be missing; what a later version adds may be anything. */
function figures(...names: readonly string[]): Check {
  return (value) => isObject(value) && names.every((name) => optional(isFigure)(value[name]));
}

function optional(is: Check): Check {
  return (value) => value === undefined || is(value);
}

function listOf(is: Check): Check {
  return (value) => Array.isArray(value) && value.every(is);
}

/** More elements may follow, as a later version may add them. */
function tuple(...checks: readonly Check[]): Check {
  return (value) => Array.isArray(value) && checks.every((is, i) => is(value[i]));
}
