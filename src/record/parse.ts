import type { RecordedCost, RecordedStats, RecordLine, RegionMemory } from './format.js';
import { MAX_REGIONS, parseJson } from './limits.js';

type Fields = Readonly<Record<string, unknown>>;

const COST_FIGURES = [
  'cpuPercent',
  'ticks',
  'overruns',
  'droppedSnapshots',
  'lostSamplers',
  'lostTicks',
] as const satisfies readonly (keyof RecordedCost)[];

const STATS_FIGURES = [
  ...COST_FIGURES,
  'elapsedUs',
  'samples',
  'notSampled',
  'snapshots',
  'regions',
  'usPerSample',
  'recentCpuPercent',
  'meanLateUs',
  'maxLateUs',
] as const satisfies readonly (keyof RecordedStats)[];

/** What a header need not say: other programs write records too, and know less of themselves. */
const UNTOLD = { tool: '', startedAt: '', startedMonotonicNs: '', kernel: '', check: '' };

/** A line that is whole JSON, of a type that a later version may have added. */
export const UNKNOWN_TYPE = Symbol('unknown type');

/**
 * One line of a record, or undefined where it is no JSON object or lacks what its type must have. Fields that are not
 * known stay in it and do no harm.
 */
export function parseLine(json: string | Uint8Array): RecordLine | typeof UNKNOWN_TYPE | undefined {
  let line: unknown;
  try {
    line = parseJson(json);
  } catch {
    return undefined;
  }
  if (!isObject(line) || typeof line.type !== 'string') return undefined;
  switch (line.type) {
    case 'header':
      return isHeader(line) ? ({ ...UNTOLD, ...line } as unknown as RecordLine) : undefined;
    case 'target':
      return isTarget(line) && isMemory(line) ? (line as unknown as RecordLine) : undefined;
    case 'mappings':
      return isMappings(line) ? (line as unknown as RecordLine) : undefined;
    case 'attrs':
      return isFigure(line.atUs) && isAttrs(line.attrs) && isWord(line.reason) && isTurns(line.turns)
        ? (line as unknown as RecordLine)
        : undefined;
    case 'otherWatcher':
      return isOtherWatcher(line) ? (line as unknown as RecordLine) : undefined;
    case 'snapshot':
      return isSnapshot(line) ? (line as unknown as RecordLine) : undefined;
    case 'end':
      return typeof line.reason === 'string' && hasFigures(line.stats, STATS_FIGURES)
        ? (line as unknown as RecordLine)
        : undefined;
    default:
      return UNKNOWN_TYPE;
  }
}

function isHeader({ version, pageSize, attrs, ...texts }: Fields): boolean {
  return (
    isCount(version) &&
    isCount(pageSize) &&
    isPageSize(pageSize) &&
    isAttrs(attrs) &&
    Object.keys(UNTOLD).every((name) => !(name in texts) || typeof texts[name] === 'string')
  );
}

/** A power of two: other sizes would make pages of addresses that are none. */
function isPageSize(size: number): boolean {
  return size >= 1_024 && size <= 2 ** 30 && Number.isInteger(Math.log2(size));
}

function isAttrs(attrs: unknown): boolean {
  const names = ['sampleUs', 'aggrUs', 'updateUs', 'minRegions', 'maxRegions'];
  if (!isObject(attrs) || !names.every((name) => isCount(attrs[name]))) return false;
  const [sampleUs, aggrUs] = [attrs.sampleUs as number, attrs.aggrUs as number];
  return sampleUs > 0 && sampleUs <= aggrUs;
}

function isTurns(turns: unknown): boolean {
  return turns === undefined || (isCount(turns) && turns > 1);
}

/** A later version may have more reasons; none of them draws on a terminal. */
function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z]+$/.test(value);
}

/** The kernel has 15; tables have it in every row. */
const MAX_NAME_LENGTH = 255;

function isTarget({ id, pid, startTime, comm, cmdline }: Fields): boolean {
  return (
    isCount(id) &&
    isCount(pid) &&
    typeof startTime === 'string' &&
    typeof comm === 'string' &&
    comm.length <= MAX_NAME_LENGTH &&
    Array.isArray(cmdline) &&
    cmdline.every((word) => typeof word === 'string')
  );
}

function isOtherWatcher({ atUs, pid, comm, targets }: Fields): boolean {
  return (
    isFigure(atUs) &&
    isCount(pid) &&
    typeof comm === 'string' &&
    comm.length <= MAX_NAME_LENGTH &&
    Array.isArray(targets) &&
    targets.every(isCount)
  );
}

function isMappings(line: Fields): boolean {
  const { target, atUs, removed } = line;
  return (
    isCount(target) &&
    isFigure(atUs) &&
    isMemory(line) &&
    (removed === undefined || (Array.isArray(removed) && removed.every(isAddress)))
  );
}

function isMemory({ mappings, residentBytes, resident }: Fields): boolean {
  return (
    (mappings === undefined || (Array.isArray(mappings) && mappings.every(isMapping))) &&
    (residentBytes === undefined || isCount(residentBytes)) &&
    (resident === undefined || (Array.isArray(resident) && resident.every(isResident)))
  );
}

function isMapping(mapping: unknown): boolean {
  if (!Array.isArray(mapping)) return false;
  const [start, end, permissions, name] = mapping;
  return isAddress(start) && isAddress(end) && typeof permissions === 'string' && typeof name === 'string';
}

function isResident(resident: unknown): boolean {
  return Array.isArray(resident) && isAddress(resident[0]) && isCount(resident[1]);
}

function isSnapshot(line: Fields): boolean {
  const { target, startUs, endUs, maxNrAccesses, regions, residentBytes, memory, cost } = line;
  return (
    isCount(target) &&
    isFigure(startUs) &&
    isFigure(endUs) &&
    startUs <= endUs &&
    isCount(maxNrAccesses) &&
    maxNrAccesses > 0 &&
    Array.isArray(regions) &&
    regions.length <= MAX_REGIONS &&
    regions.every(isRegion) &&
    isResidentBytes(residentBytes) &&
    isRegionMemory(memory, regions.length) &&
    (cost === undefined || isCost(cost))
  );
}

/** Of a snapshot line; it may be missing. */
export function isResidentBytes(bytes: unknown): boolean {
  return bytes === undefined || isCount(bytes);
}

/** Bytes for each of `regions` regions; all of it may be missing. */
export function isRegionMemory(memory: unknown, regions: number): memory is RegionMemory | undefined {
  if (memory === undefined) return true;
  const isColumn = (column: unknown) =>
    Array.isArray(column) && column.length === regions && column.every(isCount);
  return (
    isObject(memory) &&
    isColumn(memory.resident) &&
    (memory.unseen === undefined || isColumn(memory.unseen)) &&
    (memory.accessed === undefined || isColumn(memory.accessed))
  );
}

export function isCost(cost: unknown): cost is RecordedCost {
  return hasFigures(cost, COST_FIGURES);
}

function isRegion(region: unknown): boolean {
  return (
    Array.isArray(region) &&
    isAddress(region[0]) &&
    isAddress(region[1]) &&
    isCount(region[2]) &&
    isCount(region[3])
  );
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{1,16}$/i.test(value);
}

/** Each may be missing, and what a later version adds may be anything. */
function hasFigures(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => !(name in value) || isFigure(value[name]));
}

/** A figure with a fraction; beyond 2^53 it has none, and sums of such are not finite. */
function isFigure(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
