import { Snapshot } from '../core/snapshot.js';
import { ColumnSet, emptyColumns, type SnapshotColumns } from '../core/snapshot-columns.js';
import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { HeaderLine, RecordedRegion, RegionMemory, SnapshotLine } from './format.js';

/** A snapshot line with its regions as columns of pages. */
export interface PackedSnapshot extends Omit<SnapshotLine, 'regions' | 'memory'> {
  readonly columns: SnapshotColumns;
}

/**
 * A recorded snapshot as it was when it was live, so that reports need not know where one comes from. Of its statistics
 * it has what its line says (`cost`); the other counts, which the end line has, are 0, null or empty.
 *
 * @param header the record's first line; with what an `attrs` line says, where there was one since
 * @param target what the target line with the id `line.target` said
 */
export function snapshotOfLine(
  line: SnapshotLine | PackedSnapshot,
  header: Pick<HeaderLine, 'check' | 'pageSize' | 'attrs'> & Partial<AttrsInForce>,
  target: TargetInfo,
): Snapshot {
  const { check, pageSize, attrs, reason = 'set', turns } = header;
  const { startUs, endUs, maxNrAccesses, residentBytes, settling } = line;
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
    'columns' in line ? line.columns : columnsOf(line, pageSize),
  );
}

/** More does not fit a column. */
const MAX_COUNT = 2 ** 32 - 1;

/** The line with its regions as columns. */
export function packSnapshot({ regions, memory, ...line }: SnapshotLine, pageSize: number): PackedSnapshot {
  return {
    ...line,
    columns: columnsOf({ regions, maxNrAccesses: line.maxNrAccesses, ...(memory && { memory }) }, pageSize),
  };
}

/** What contradicts itself is cut to what may be: no region ends before it starts, or was accessed more often than asked.
 * Plain loops: a record has millions of regions, and the callback of a typed array's `from` takes twice the parsing. */
function columnsOf(
  { regions, maxNrAccesses, memory }: Pick<SnapshotLine, 'regions' | 'maxNrAccesses' | 'memory'>,
  pageSize: number,
): SnapshotColumns {
  const hasEvidence = regions.length > 0 && regions.every(isWithSamples);
  const columns = emptyColumns(regions.length, hasEvidence ? ColumnSet.EVIDENCE : ColumnSet.NONE);
  for (let i = 0; i < regions.length; i++) {
    const region = regions[i]!;
    columns.startPages[i] = Number.parseInt(region[0], 16) / pageSize;
    columns.endPages[i] = Math.max(columns.startPages[i]!, Number.parseInt(region[1], 16) / pageSize);
    columns.nrAccesses[i] = Math.min(region[2], maxNrAccesses, MAX_COUNT);
    columns.ages[i] = Math.min(region[3], MAX_COUNT);
    if (!hasEvidence) continue;
    columns.samples![i] = Math.min(region[4]!, MAX_COUNT);
    columns.deviations![i] = figure(region[5]);
    columns.unlike![i] = figure(region[6]);
  }
  return { ...columns, ...memoryColumns(memory, pageSize) };
}

/** What other programs add to a region may be anything. */
function figure(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
}

/** The columns of what a line says of its regions' memory; none where it says nothing. */
export function memoryColumns(
  memory: RegionMemory | undefined,
  pageSize: number,
): Pick<SnapshotColumns, 'residentPages' | 'unseenPages' | 'accessedPages'> {
  if (!memory) return {};
  const pages = (bytes: readonly number[]) => Float64Array.from(bytes, (each) => each / pageSize);
  return {
    residentPages: pages(memory.resident),
    unseenPages: memory.unseen ? pages(memory.unseen) : new Float64Array(memory.resident.length),
    ...(memory.accessed && { accessedPages: pages(memory.accessed) }),
  };
}

/** As those of the `evidence` adaptation are: what other programs add to a region may be anything. */
function isWithSamples([, , , , samples]: RecordedRegion): boolean {
  return Number.isSafeInteger(samples) && samples! >= 0;
}

/** One literal, for these are made by the million: V8 keeps what a spread has made until it collects all of its heap. */
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
