import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import { coldPagesOf } from '../../core/working-set.js';
import { piecesOf } from '../pieces.js';
import { forEachOverlap, kindOf, nameOfRange } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { MeanAccess, type MeanRegion, mergeAlike } from './mean-access.js';
import { ageUs, type ProcessInfo, ProcessSums, type Summary, sumsOfProcess } from './summary.js';

/** A range of addresses that was accessed about alike. */
export interface AccessRegion {
  readonly pid: number;
  readonly startAddress: number;
  readonly sizeBytes: number;
  /** Accessible bytes in memory that the check sees; null if not known. */
  readonly residentBytes: number | null;
  /** Null unless accessed bytes are counted by mapping. Both are means over the time. */
  readonly accessedBytes: number | null;
  /** Of samples, or of residentBytes if accessed bytes are counted. Mean over the time, 0 .. 1. */
  readonly accessShare: number;
  /** For how long it had been accessed about as it was at the end; null if no region lay there any more. */
  readonly ageUs: number | null;
  /** Null if mappings are not known. */
  readonly mapping: string | null;
}

/** Bytes accessed in more than `fromShare` and at most `toShare` of the samples. */
export interface ShareBin {
  readonly fromShare: number;
  readonly toShare: number;
  readonly bytes: number;
}

/** Bytes that at the end had not been accessed for at least this long. */
export interface UntouchedBin {
  readonly forUs: number;
  readonly bytes: number;
}

export interface AccessProcess extends ProcessInfo {
  /** Resident at the end, but invisible to the check, and in no other figure. Null if not known. */
  readonly unseenBytes: number | null;
}

export interface AccessResult {
  readonly processes: readonly AccessProcess[];
  /** Of all processes, by process and address. */
  readonly regions: readonly AccessRegion[];
  /** Of resident memory that the check sees; if that is not known, of accessible mappings; else of whole regions. */
  readonly byShare: readonly ShareBin[];
  readonly untouched: readonly UntouchedBin[];
  /** Whether the mappings of all processes are known. */
  readonly hasMappings: boolean;
  /** Whether the resident part of every region is known; older records lack it. */
  readonly isResidentKnown: boolean;
  /** Whether accessed bytes are counted by mapping: nothing is known of where in it they are. */
  readonly isCounted: boolean;
}

/** Mean regions are merged, as by DAMON, if their shares differ by less than this part of the largest share. */
const ALIKE = 0.1;

const SECONDS = [0, 1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400];
const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** All snapshots of one process together, and what the latest one showed. */
class AccessSums extends ProcessSums {
  readonly mean = new MeanAccess();
  latest: SnapshotColumns | undefined;
  mappings: Observation['mappings'] = [];
  ageUnitUs = 0;
  pageSize = 0;
  unseenBytes: number | null = null;

  add(observation: Observation): void {
    const { snapshot, mappings } = observation;
    if (!this.knows(observation)) return;
    const columns = piecesOf(snapshot, mappings);
    this.mean.add(snapshot, columns);
    this.latest = copyOf(columns, this.latest);
    this.ageUnitUs = ageUs(snapshot, 1);
    this.pageSize = snapshot.pageSize;
    this.unseenBytes = snapshot.columns.unseenPages ? snapshot.unseenBytes() : null;
    this.mappings = mappings;
  }

  get process(): AccessProcess {
    const { unknown, ...info } = this.info;
    return { ...info, unseenBytes: this.unseenBytes, unknown };
  }
}

/** Which addresses were accessed how often: means over the time of the observations, even of a single snapshot. */
export class AccessSummary implements Summary<AccessResult> {
  readonly #processes = new Map<number, AccessSums>();

  add(observation: Observation): void {
    const { snapshot } = observation;
    sumsOfProcess(this.#processes, snapshot, (warmUp) => new AccessSums(snapshot.target, warmUp)).add(
      observation,
    );
  }

  result(): AccessResult {
    const regions: AccessRegion[] = [];
    const byShare = new Float64Array(SHARES.length);
    const untouched = new Float64Array(SECONDS.length);
    const all = [...this.#processes.values()];
    for (const sums of all) {
      if (!sums.latest) continue;
      const means = sums.mean.regions();
      addByShare(byShare, means, sums, sums.latest);
      addUntouched(untouched, sums, sums.latest);
      for (const region of regionsOf(means, sums, sums.latest)) regions.push(region);
    }
    return {
      processes: all.map((sums) => sums.process),
      regions,
      byShare: Array.from(byShare, (bytes, i) => ({
        fromShare: SHARES[Math.max(0, i - 1)]!,
        toShare: SHARES[i]!,
        bytes,
      })),
      untouched: Array.from(untouched, (bytes, i) => ({ forUs: SECONDS[i]! * 1e6, bytes })),
      hasMappings: all.every(({ mappings }) => mappings.length > 0),
      isResidentKnown: all.every(({ latest }) => !latest || latest.residentPages !== undefined),
      isCounted: all.some(({ latest }) => latest?.accessedPages !== undefined),
    };
  }
}

/** Copied, in memory that is used again: with the snapshots of 500 processes kept, every garbage collection copies them. */
function copyOf(columns: SnapshotColumns, before: SnapshotColumns | undefined): SnapshotColumns {
  const copy = <Column extends Float64Array | Uint32Array>(column: Column, room: Column | undefined) => {
    const enough =
      room && room.buffer.byteLength >= column.byteLength
        ? room.buffer
        : new ArrayBuffer(2 * column.byteLength);
    const Kind = column.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => Column;
    const copied = new Kind(enough, 0, column.length);
    copied.set(column);
    return copied;
  };
  const { startPages, endPages, nrAccesses, ages, residentPages, unseenPages, accessedPages } = columns;
  return {
    startPages: copy(startPages, before?.startPages),
    endPages: copy(endPages, before?.endPages),
    nrAccesses: copy(nrAccesses, before?.nrAccesses),
    ages: copy(ages, before?.ages),
    ...(residentPages && { residentPages: copy(residentPages, before?.residentPages) }),
    ...(unseenPages && { unseenPages: copy(unseenPages, before?.unseenPages) }),
    ...(accessedPages && { accessedPages: copy(accessedPages, before?.accessedPages) }),
  };
}

function regionsOf(means: readonly MeanRegion[], sums: AccessSums, latest: SnapshotColumns): AccessRegion[] {
  const { target, pageSize, mappings, span } = sums;
  const largest = means.reduce((share, region) => Math.max(share, region.share), 0);
  const shown = span.snapshots > 1 ? mergeAlike(means, ALIKE * largest) : means;
  const ages = agesOf(shown, latest, sums.ageUnitUs);
  return shown.map(({ startPage, endPage, share, resident }, i) => {
    const residentBytes = (endPage - startPage) * resident * pageSize;
    return {
      pid: target.pid,
      startAddress: startPage * pageSize,
      sizeBytes: (endPage - startPage) * pageSize,
      residentBytes: latest.residentPages ? Math.round(residentBytes) : null,
      accessedBytes: latest.accessedPages ? Math.round(residentBytes * share) : null,
      accessShare: share,
      ageUs: ages[i]!,
      mapping: mappings.length > 0 ? nameOfRange(mappings, startPage, endPage) : null,
    };
  });
}

/** The ages of the latest regions that lie in each range, weighted by size. */
function agesOf(ranges: readonly MeanRegion[], latest: SnapshotColumns, unitUs: number): (number | null)[] {
  const pagesIn = new Float64Array(ranges.length);
  const sums = new Float64Array(ranges.length);
  forEachOverlap(latest, ranges, (region, range, pages) => {
    pagesIn[range]! += pages;
    sums[range]! += pages * latest.ages[region]! * unitUs;
  });
  return Array.from(sums, (sum, i) => (pagesIn[i]! > 0 ? Math.round(sum / pagesIn[i]!) : null));
}

function addByShare(
  bins: Float64Array,
  means: readonly MeanRegion[],
  sums: AccessSums,
  latest: SnapshotColumns,
): void {
  const add = (region: number, pages: number) => {
    // Rounding may put 10 % slightly above 0.1.
    bins[Math.ceil(means[region]!.share * 10 - 1e-9)]! += pages * sums.pageSize;
  };
  if (latest.residentPages) {
    means.forEach(({ startPage, endPage, resident }, i) => void add(i, (endPage - startPage) * resident));
    return;
  }
  const columns = {
    startPages: Float64Array.from(means, ({ startPage }) => startPage),
    endPages: Float64Array.from(means, ({ endPage }) => endPage),
  };
  forEachAccessible(columns, sums, add);
}

function addUntouched(bins: Float64Array, sums: AccessSums, latest: SnapshotColumns): void {
  const { ageUnitUs, pageSize } = sums;
  const add = (region: number, pages: number) => {
    // In a region accessed in part, all that is known of the rest is that this snapshot did not see it accessed.
    const seconds = latest.nrAccesses[region]! > 0 ? 0 : (latest.ages[region]! * ageUnitUs) / 1e6;
    for (let i = 0; i < bins.length && SECONDS[i]! <= seconds; i++) bins[i]! += pages * pageSize;
  };
  if (latest.residentPages) {
    for (let i = 0; i < latest.startPages.length; i++) add(i, coldPagesOf(latest, i));
    return;
  }
  forEachAccessible(latest, sums, (region, pages) => {
    if (latest.nrAccesses[region] === 0) add(region, pages);
  });
}

/** Pages of regions in accessible mappings; all pages if no mappings are known. */
function forEachAccessible(
  columns: Pick<SnapshotColumns, 'startPages' | 'endPages'>,
  { mappings }: AccessSums,
  visit: (region: number, pages: number) => void,
): void {
  if (mappings.length === 0) {
    columns.startPages.forEach((startPage, i) => void visit(i, columns.endPages[i]! - startPage));
    return;
  }
  forEachOverlap(columns, mappings, (region, mapping, pages) => {
    if (kindOf(mappings[mapping]!) !== 'reserved') visit(region, pages);
  });
}

export const ACCESS_KEYS = ['address', 'size', 'access', 'age', 'mapping'] as const;
export type AccessKey = (typeof ACCESS_KEYS)[number];

/** From one value to another, both included. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Which regions are shown, and in which order. What is left out bounds nothing. */
export interface AccessQuery {
  readonly sort: AccessKey;
  readonly reverse?: boolean;
  /** The region's first byte. */
  readonly address?: Bounds;
  /** Bytes. */
  readonly size?: Bounds;
  /** Shares, 0 .. 1. */
  readonly access?: Bounds;
  /** Microseconds; a region without an age is in no bounds. */
  readonly age?: Bounds;
  /** Matches a part of the name. */
  readonly mapping?: RegExp;
}

const FIGURES = {
  address: ({ startAddress }: AccessRegion) => startAddress,
  size: ({ sizeBytes }: AccessRegion) => sizeBytes,
  access: ({ accessShare }: AccessRegion) => accessShare,
  age: ({ ageUs }: AccessRegion) => ageUs ?? Number.NaN,
};

/** Addresses and names ascend, figures descend. */
export function selectRegions(regions: readonly AccessRegion[], query: AccessQuery): AccessRegion[] {
  const { sort, reverse, mapping } = query;
  const sign = reverse ? -1 : 1;
  return regions
    .filter(
      (region) =>
        (['address', 'size', 'access', 'age'] as const).every((key) =>
          isWithin(FIGURES[key](region), query[key]),
        ) &&
        (!mapping || mapping.test(region.mapping ?? '')),
    )
    .sort((a, b) => sign * (compare(a, b, sort) || a.pid - b.pid || a.startAddress - b.startAddress));
}

function compare(a: AccessRegion, b: AccessRegion, sort: AccessKey): number {
  if (sort === 'mapping') return (a.mapping ?? '').localeCompare(b.mapping ?? '', 'en');
  if (sort === 'address') return a.startAddress - b.startAddress;
  const figure = (region: AccessRegion) => FIGURES[sort](region);
  const orLeast = (value: number) => (Number.isNaN(value) ? -1 : value);
  return orLeast(figure(b)) - orLeast(figure(a));
}

function isWithin(value: number, bounds: Bounds | undefined): boolean {
  return bounds === undefined || (value >= bounds.from && value <= bounds.to);
}
