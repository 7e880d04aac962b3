import type { SnapshotColumns } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';
import { nameOfRange } from '../mapping-names.js';
import { forEachOverlap } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { AverageAccess, type AverageRegion, mergeAlike } from './average.js';
import { KeptColumns } from './kept-columns.js';
import { kindOf } from './mapping-kinds.js';
import { type ProcessSummary, processSummary, type Report, Span } from './report.js';

/** A range of addresses that was accessed about alike. */
export interface AccessRegion {
  readonly pid: number;
  readonly startAddress: number;
  readonly sizeBytes: number;
  /** Mean over the time, 0 .. 1. */
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

export interface AccessResult {
  readonly processes: readonly ProcessSummary[];
  /** Of all processes, by process and address. */
  readonly regions: readonly AccessRegion[];
  /** Of what is mapped and can be accessed, where that is known, otherwise of whole regions. */
  readonly byShare: readonly ShareBin[];
  readonly untouched: readonly UntouchedBin[];
  /** Whether the mappings of all processes are known. */
  readonly hasMappings: boolean;
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

  constructor(
    readonly target: TargetInfo,
    readonly pageSize: number,
  ) {}

  add({ snapshot, mappings }: Observation): void {
    this.span.add(snapshot.startUs, snapshot.endUs);
    this.average.add(snapshot);
    this.#latest.take(snapshot.columns);
    this.aggrUs = snapshot.stats.inForce.attrs.aggrUs;
    this.mappings = mappings;
  }

  get latest(): SnapshotColumns {
    return this.#latest.columns;
  }
}

/** Which addresses were accessed how often: means over the time of the observations, which may be that of one snapshot. */
export class AccessReport implements Report<AccessResult> {
  readonly #processes = new Map<number, WatchedProcess>();

  add(observation: Observation): void {
    const { target, pageSize } = observation.snapshot;
    let process = this.#processes.get(target.id);
    if (!process) {
      process = new WatchedProcess(target, pageSize);
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
      processes: known.map(({ target, span }) => processSummary(target, span)),
      regions,
      byShare: Array.from(bytesByShare, (bytes, i) => ({
        fromShare: Math.max(0, (i - 1) / 10),
        toShare: i / 10,
        bytes,
      })),
      untouched: Array.from(untouchedBytes, (bytes, i) => ({ forUs: (SECONDS[i - 1] ?? 0) * 1e6, bytes })),
      hasMappings: known.every(({ mappings }) => mappings.length > 0),
    };
  }
}

function regionsOf(process: WatchedProcess, averages: readonly AverageRegion[]): AccessRegion[] {
  const { target, pageSize, mappings, span } = process;
  const largest = averages.reduce((share, region) => Math.max(share, region.share), 0);
  const shown = span.snapshots > 1 ? mergeAlike(averages, ALIKE * largest) : averages;
  const ages = agesOf(shown, process);
  return shown.map(({ startPage, endPage, share }, i) => ({
    pid: target.pid,
    startAddress: startPage * pageSize,
    sizeBytes: (endPage - startPage) * pageSize,
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
  const columns = {
    startPages: Float64Array.from(averages, ({ startPage }) => startPage),
    endPages: Float64Array.from(averages, ({ endPage }) => endPage),
  };
  forEachUsable(columns, process, (region, pages) => {
    // What is 10 % may be a hair more by rounding.
    bins[Math.ceil(averages[region]!.share * 10 - 1e-9)]! += pages * process.pageSize;
  });
}

function addUntouched(bins: Float64Array, process: WatchedProcess): void {
  const { latest, aggrUs } = process;
  forEachUsable(latest, process, (region, pages) => {
    if (latest.nrAccesses[region]! > 0) return;
    const seconds = (latest.ages[region]! * aggrUs) / 1e6;
    for (let i = 0; i < bins.length && (SECONDS[i - 1] ?? 0) <= seconds; i++) {
      bins[i]! += pages * process.pageSize;
    }
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
