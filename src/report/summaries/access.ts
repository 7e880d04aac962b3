import { ColumnSet, emptyColumns, type SnapshotColumns } from '../../core/snapshot-columns.js';
import type { TargetInfo } from '../../core/target.js';
import { coldPagesOf } from '../../core/working-set.js';
import { forEachOverlap, kindOf, nameOfRange } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { type Unknown, unknownOf, whyUnknown } from '../status-text.js';
import { AverageAccess, type AverageRegion, mergeAlike } from './mean-access.js';
import { type ProcessSummary, processSummary, type Report, Span, WarmUp } from './summary.js';

/** A range of addresses that was accessed about alike. */
export interface AccessRegion {
  readonly pid: number;
  readonly startAddress: number;
  readonly sizeBytes: number;
  /** Of what can be accessed, the bytes in memory that the check sees; null where that is not known. */
  readonly residentBytes: number | null;
  /** Accessed bytes, where they are counted by mapping; else null. Both are means over the time. */
  readonly accessedBytes: number | null;
  /** Of samples, or where accessed bytes are counted, of residentBytes. Mean over the time, 0 .. 1. */
  readonly accessShare: number;
  /** At the end, for how long it had been accessed about as it was then; null where it was in no region any more. */
  readonly ageUs: number | null;
  /** Null where no mappings are known. */
  readonly mapping: string | null;
}

/** Bytes by how often they were accessed: in more than `fromShare` and at most `toShare` of the samples. */
export interface ShareBin {
  readonly fromShare: number;
  readonly toShare: number;
  readonly bytes: number;
}

/** Bytes that at the end had not been accessed for at least so long. */
export interface UntouchedBin {
  readonly forUs: number;
  readonly bytes: number;
}

export interface AccessProcess extends ProcessSummary {
  /** Left out at the start, as its regions were still being found; 0 if nothing was. */
  readonly warmUpUs: number;
  /** False if they were until the end: nothing is left out then. */
  readonly isSettled: boolean;
  /** Resident at the end, and not to be seen by the check: in no other figure. Null where that is not known. */
  readonly unseenBytes: number | null;
  /** Why nothing is known of it, if that is so. */
  readonly unknown: string | null;
}

export interface AccessResult {
  readonly processes: readonly AccessProcess[];
  /** Of all processes, by process and address. */
  readonly regions: readonly AccessRegion[];
  /**
   * Of what is resident and can be seen, where that is known; otherwise of what is mapped and can be accessed, or where
   * mappings are not known either, of whole regions.
   */
  readonly byShare: readonly ShareBin[];
  readonly untouched: readonly UntouchedBin[];
  /** Whether the mappings of all processes are known. */
  readonly hasMappings: boolean;
  /** Whether it is known of all what of the regions is resident: older records do not tell. */
  readonly isResidentKnown: boolean;
  /** Whether accessed bytes are counted by mapping: each is as flat as it is known. */
  readonly isCounted: boolean;
}

/** Neighbours of a mean whose shares differ by less than this part of the largest share are one region, as for DAMON. */
const ALIKE = 0.1;

const SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400];

/** One process: all its snapshots together, and what its latest one showed. */
class WatchedProcess {
  readonly span = new Span();
  readonly average = new AverageAccess();
  readonly #latest = new KeptColumns();
  mappings: Observation['mappings'] = [];
  aggrUs = 0;
  unseenBytes: number | null = null;
  #unknown: Unknown | undefined;
  isKnown = false;

  constructor(
    readonly target: TargetInfo,
    readonly pageSize: number,
    readonly warmUp: WarmUp,
  ) {}

  add({ snapshot, mappings, residentBytes }: Observation): void {
    this.span.add(snapshot.startUs, snapshot.endUs);
    const unknown = unknownOf(snapshot, snapshot.residentBytes ?? residentBytes);
    if (unknown) {
      this.#unknown = unknown;
      return;
    }
    this.isKnown = true;
    this.average.add(snapshot);
    this.#latest.take(snapshot.columns);
    this.aggrUs = snapshot.stats.inForce.attrs.aggrUs;
    this.unseenBytes = snapshot.columns.unseenPages ? snapshot.unseenBytes() : null;
    this.mappings = mappings;
  }

  get latest(): SnapshotColumns {
    return this.#latest.columns;
  }

  summary(): AccessProcess {
    return {
      ...processSummary(this.target, this.span),
      warmUpUs: this.warmUp.us,
      isSettled: this.warmUp.isSettled,
      unseenBytes: this.unseenBytes,
      unknown: this.#unknown && !this.isKnown ? whyUnknown(this.#unknown) : null,
    };
  }
}

/** Which addresses were accessed how often: means over the time of the observations, which may be that of one snapshot. */
export class AccessReport implements Report<AccessResult> {
  readonly #processes = new Map<number, WatchedProcess>();

  add(observation: Observation): void {
    const { target, pageSize } = observation.snapshot;
    let process = this.#processes.get(target.id);
    const warmUp = process?.warmUp ?? new WarmUp();
    if (warmUp.add(observation.snapshot) || !process) {
      process = new WatchedProcess(target, pageSize, warmUp);
      this.#processes.set(target.id, process);
    }
    process.add(observation);
  }

  result(): AccessResult {
    const regions: AccessRegion[] = [];
    const bytesByShare = new Float64Array(11);
    const untouchedBytes = new Float64Array(1 + SECONDS.length);
    const known = [...this.#processes.values()];
    for (const process of known) {
      const averages = process.average.regions();
      addByShare(bytesByShare, averages, process);
      addUntouched(untouchedBytes, process);
      for (const region of regionsOf(process, averages)) regions.push(region);
    }
    return {
      processes: known.map((process) => process.summary()),
      regions,
      byShare: Array.from(bytesByShare, (bytes, i) => ({
        fromShare: Math.max(0, (i - 1) / 10),
        toShare: i / 10,
        bytes,
      })),
      untouched: Array.from(untouchedBytes, (bytes, i) => ({ forUs: (SECONDS[i - 1] ?? 0) * 1e6, bytes })),
      hasMappings: known.every(({ mappings }) => mappings.length > 0),
      isResidentKnown: known.every(({ isKnown, latest }) => !isKnown || latest.residentPages !== undefined),
      isCounted: known.some(({ latest }) => latest.accessedPages !== undefined),
    };
  }
}

function regionsOf(process: WatchedProcess, averages: readonly AverageRegion[]): AccessRegion[] {
  const { target, pageSize, mappings, span } = process;
  const largest = averages.reduce((share, region) => Math.max(share, region.share), 0);
  const shown = span.snapshots > 1 ? mergeAlike(averages, ALIKE * largest) : averages;
  const ages = agesOf(shown, process);
  const { residentPages, accessedPages } = process.latest;
  return shown.map(({ startPage, endPage, share, resident }, i) => ({
    pid: target.pid,
    startAddress: startPage * pageSize,
    sizeBytes: (endPage - startPage) * pageSize,
    residentBytes: residentPages ? Math.round((endPage - startPage) * resident * pageSize) : null,
    accessedBytes: accessedPages ? Math.round((endPage - startPage) * resident * share * pageSize) : null,
    accessShare: share,
    ageUs: ages[i]!,
    mapping: mappings.length > 0 ? nameOfRange(mappings, startPage, endPage) : null,
  }));
}

/** The ages of the latest regions that lie in each range, weighted by size. */
function agesOf(ranges: readonly AverageRegion[], { latest, aggrUs }: WatchedProcess): (number | null)[] {
  const pagesIn = new Float64Array(ranges.length);
  const sums = new Float64Array(ranges.length);
  forEachOverlap(latest, ranges, (region, range, pages) => {
    pagesIn[range]! += pages;
    sums[range]! += pages * latest.ages[region]! * aggrUs;
  });
  return Array.from(sums, (sum, i) => (pagesIn[i]! > 0 ? Math.round(sum / pagesIn[i]!) : null));
}

function addByShare(bins: Float64Array, averages: readonly AverageRegion[], process: WatchedProcess): void {
  const add = (region: number, pages: number) => {
    // What is 10 % may be a hair more by rounding.
    bins[Math.ceil(averages[region]!.share * 10 - 1e-9)]! += pages * process.pageSize;
  };
  if (process.latest.residentPages) {
    averages.forEach(({ startPage, endPage, resident }, i) => void add(i, (endPage - startPage) * resident));
    return;
  }
  const columns = {
    startPages: Float64Array.from(averages, ({ startPage }) => startPage),
    endPages: Float64Array.from(averages, ({ endPage }) => endPage),
  };
  forEachUsable(columns, process, add);
}

function addUntouched(bins: Float64Array, process: WatchedProcess): void {
  const { latest, aggrUs, pageSize } = process;
  const add = (region: number, pages: number) => {
    // Of what is accessed in part, nothing is known of the rest but that it was not in this snapshot.
    const seconds = latest.nrAccesses[region]! > 0 ? 0 : (latest.ages[region]! * aggrUs) / 1e6;
    for (let i = 0; i < bins.length && (SECONDS[i - 1] ?? 0) <= seconds; i++) bins[i]! += pages * pageSize;
  };
  if (latest.residentPages) {
    for (let i = 0; i < latest.startPages.length; i++) add(i, coldPagesOf(latest, i));
    return;
  }
  forEachUsable(latest, process, (region, pages) => {
    if (latest.nrAccesses[region] === 0) add(region, pages);
  });
}

/** Pages of regions that are mapped and can be accessed; all where no mappings are known. */
function forEachUsable(
  columns: Pick<SnapshotColumns, 'startPages' | 'endPages'>,
  { mappings }: WatchedProcess,
  visit: (region: number, pages: number) => void,
): void {
  if (mappings.length === 0) {
    for (let i = 0; i < columns.startPages.length; i++)
      visit(i, columns.endPages[i]! - columns.startPages[i]!);
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
  /** Microseconds; what has no age is in no bounds. */
  readonly age?: Bounds;
  /** Found in the name. */
  readonly mapping?: RegExp;
}

const VALUES = {
  address: ({ startAddress }: AccessRegion) => startAddress,
  size: ({ sizeBytes }: AccessRegion) => sizeBytes,
  access: ({ accessShare }: AccessRegion) => accessShare,
  age: ({ ageUs }: AccessRegion) => ageUs ?? Number.NaN,
};

/** Addresses and names from the first on, all else from the largest on. */
export function selectRegions(regions: readonly AccessRegion[], query: AccessQuery): AccessRegion[] {
  const chosen = regions.filter(
    (region) =>
      (['address', 'size', 'access', 'age'] as const).every((key) =>
        isWithin(VALUES[key](region), query[key]),
      ) &&
      (query.mapping === undefined || query.mapping.test(region.mapping ?? '')),
  );
  const { sort } = query;
  const sign = query.reverse ? -1 : 1;
  return chosen.sort(
    (a, b) => sign * (compare(a, b, sort) || a.pid - b.pid || a.startAddress - b.startAddress),
  );
}

function compare(a: AccessRegion, b: AccessRegion, sort: AccessKey): number {
  if (sort === 'mapping') return (a.mapping ?? '').localeCompare(b.mapping ?? '', 'en');
  if (sort === 'address') return a.startAddress - b.startAddress;
  const value = VALUES[sort];
  const [ofA, ofB] = [value(a), value(b)].map((each) => (Number.isNaN(each) ? -1 : each)) as [number, number];
  return ofB - ofA;
}

function isWithin(value: number, bounds: Bounds | undefined): boolean {
  return bounds === undefined || (value >= bounds.from && value <= bounds.to);
}

/** Beside those that every snapshot has. */
const OPTIONAL = ['residentPages', 'unseenPages', 'accessedPages'] as const;

/**
 * A copy of the latest of many snapshots' columns, in memory that is used again. To keep the snapshots themselves, one of
 * each of five hundred processes, would make every collection of garbage copy them.
 */
export class KeptColumns {
  #room = emptyColumns(0);
  #length = 0;
  #has: readonly (typeof OPTIONAL)[number][] = [];

  take(columns: SnapshotColumns): void {
    const { startPages, endPages, nrAccesses, ages } = columns;
    this.#length = startPages.length;
    this.#has = OPTIONAL.filter((name) => columns[name] !== undefined);
    const hasRoom = this.#length <= this.#room.ages.length && this.#has.every((name) => this.#room[name]);
    if (!hasRoom) {
      const memory = columns.residentPages ? ColumnSet.MEMORY : ColumnSet.NONE;
      const accessed = columns.accessedPages ? ColumnSet.ACCESSED : ColumnSet.NONE;
      this.#room = emptyColumns(2 * this.#length, memory | accessed);
    }
    this.#room.startPages.set(startPages);
    this.#room.endPages.set(endPages);
    this.#room.nrAccesses.set(nrAccesses);
    this.#room.ages.set(ages);
    for (const name of this.#has) this.#room[name]!.set(columns[name]!);
  }

  /** Until the next one is taken. */
  get columns(): SnapshotColumns {
    const { startPages, endPages, nrAccesses, ages } = this.#room;
    return {
      startPages: startPages.subarray(0, this.#length),
      endPages: endPages.subarray(0, this.#length),
      nrAccesses: nrAccesses.subarray(0, this.#length),
      ages: ages.subarray(0, this.#length),
      ...Object.fromEntries(this.#has.map((name) => [name, this.#room[name]!.subarray(0, this.#length)])),
    };
  }
}
