import type { Snapshot } from '../../core/snapshot.js';
import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import type { TargetInfo } from '../../core/target.js';
import { coldPagesOf, seenPagesOf, sizeOf } from '../../core/working-set.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import { piecesOf } from '../pieces.js';
import { forEachOverlap, type Grouping, groupNameOf, isSharedFile, kindOf } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import {
  type AccessLimits,
  addScaled,
  classOf,
  DEFAULT_LIMITS,
  type GroupSums,
  groupNamed,
  type MappingsOf,
  usesOf,
} from './mapping-sums.js';
import {
  ageUs,
  type ProcessInfo,
  ProcessSums,
  Span,
  type Summary,
  sumsOfProcess,
  type WarmUp,
} from './summary.js';

export interface MappingsOptions {
  readonly limits?: AccessLimits;
  /** Default `name`. */
  readonly by?: Grouping;
}

export interface MappingsOfProcess extends ProcessInfo, MappingsOf {}

export interface MappingsResult {
  readonly limits: AccessLimits;
  readonly by: Grouping;
  /** Whether accesses are counted by mapping: `accessed` takes the place of hot, warm and rare. */
  readonly isCounted: boolean;
  /** Whether the resident part of every region is known; older records lack it. */
  readonly isResidentKnown: boolean;
  /** Snapshots that were left out because their mappings are not known; older records lack them. */
  readonly snapshotsWithoutMappings: number;
  /** Sums of all processes: a page that several map counts for each. */
  readonly all: MappingsOf;
  readonly processes: readonly MappingsOfProcess[];
}

/** What memory is mapped as, and how it is used. */
export class MappingsSummary implements Summary<MappingsResult> {
  readonly #processes = new Map<number, MappingsSums>();
  readonly #limits: AccessLimits;
  readonly #by: Grouping;
  #snapshotsWithoutMappings = 0;
  #isCounted = false;
  #isResidentKnown = true;

  constructor({ limits = DEFAULT_LIMITS, by = 'name' }: MappingsOptions = {}) {
    this.#limits = limits;
    this.#by = by;
  }

  add(observation: Observation): void {
    const { target, columns } = observation.snapshot;
    const make = (warmUp: WarmUp) => new MappingsSums(target, warmUp, this.#limits, this.#by);
    const sums = sumsOfProcess(this.#processes, observation.snapshot, make);
    this.#isCounted ||= columns.accessedPages !== undefined;
    this.#isResidentKnown &&= columns.residentPages !== undefined;
    if (observation.mappings.length > 0) sums.add(observation);
    else this.#snapshotsWithoutMappings++;
  }

  result(): MappingsResult {
    return {
      limits: this.#limits,
      by: this.#by,
      isCounted: this.#isCounted,
      isResidentKnown: this.#isResidentKnown,
      snapshotsWithoutMappings: this.#snapshotsWithoutMappings,
      all: this.all(),
      processes: Array.from(this.#processes.values(), (sums) => sums.result()),
    };
  }

  /** The part of the result that covers all processes. */
  all(): MappingsOf {
    const span = new Span();
    const groups = new Map<string, GroupSums>();
    let unmapped = 0;
    for (const sums of this.#processes.values()) {
      span.add(sums.span.startUs, sums.span.endUs);
      // The snapshots of a process stand for all of the time that they span.
      const spanUs = Math.max(1, sums.span.us);
      unmapped += spanUs * sums.unmappedBytes;
      sums.addTo(groups, spanUs);
    }
    return usesOf(groups, unmapped, Math.max(1, span.us));
  }
}

/** Gathers one process. Its sums are bytes x microseconds. */
class MappingsSums extends ProcessSums {
  readonly #sums = new Map<string, GroupSums>();
  /** How long all snapshots lasted, and those that say something of accesses. */
  #us = 0;
  #knownUs = 0;
  #unmapped = 0;
  /** The array that holds until they change, and by its index the group of each, its density, and isSharedFile. */
  #mappings: readonly ObservedMapping[] = [];
  readonly #groups: GroupSums[] = [];
  #densities = new Float64Array(0);
  readonly #isShared: boolean[] = [];
  /** For how long the array has held, as far as that is not in the sums yet. */
  #heldUs = 0;
  #pageSize = 0;
  /** The snapshot being added. It is not kept: one per process would slow down every garbage collection. */
  #snapshot: Snapshot | undefined;
  #columns: SnapshotColumns | undefined;
  #snapshotUs = 0;
  #mappedPages = 0;

  constructor(
    target: TargetInfo,
    warmUp: WarmUp,
    readonly limits: AccessLimits,
    readonly by: Grouping,
  ) {
    super(target, warmUp);
  }

  /** @param observation with mappings */
  add(observation: Observation): void {
    const { snapshot, mappings } = observation;
    this.#pageSize = snapshot.pageSize;
    if (mappings !== this.#mappings) this.#setMappings(mappings);
    this.#snapshot = snapshot;
    this.#columns = piecesOf(snapshot, mappings);
    this.#snapshotUs = Math.max(1, snapshot.endUs - snapshot.startUs);
    this.#heldUs += this.#snapshotUs;
    this.#us += this.#snapshotUs;
    if (this.knows(observation)) this.#addAccesses(this.#columns);
    this.#snapshot = this.#columns = undefined;
  }

  #addAccesses(columns: SnapshotColumns): void {
    const regions = columns.startPages.length;
    this.#knownUs += this.#snapshotUs;
    this.#mappedPages = 0;
    if (columns.residentPages) {
      if (weights.length < regions) weights = new Float64Array(2 * regions);
      weights.fill(0, 0, regions);
      forEachOverlap(columns, this.#mappings, this.#addWeight);
    }
    forEachOverlap(columns, this.#mappings, this.#addOverlap);
    let pages = 0;
    for (let i = 0; i < regions; i++) pages += sizeOf(columns, i);
    this.#unmapped += Math.max(0, pages - this.#mappedPages) * this.#pageSize * this.#snapshotUs;
  }

  readonly #addWeight = (region: number, mapping: number, pages: number): void => {
    weights[region]! += pages * this.#densities[mapping]!;
  };

  readonly #addOverlap = (region: number, mapping: number, pages: number): void => {
    const { maxNrAccesses } = this.#snapshot!;
    const columns = this.#columns!;
    const { residentPages, unseenPages, accessedPages } = columns;
    const sums = this.#groups[mapping]!;
    const unit = this.#pageSize * this.#snapshotUs;
    this.#mappedPages += pages;
    sums.isKnown = true;
    let part = 1;
    let seen = pages;
    if (residentPages) {
      part = weights[region]! > 0 ? (pages * this.#densities[mapping]!) / weights[region]! : 0;
      seen = part * seenPagesOf(columns, region);
      sums.hasMemory = true;
      sums.unseen += part * (unseenPages?.[region] ?? 0) * unit;
    }
    const isUntouched = columns.nrAccesses[region] === 0;
    if (accessedPages) {
      const accessed = part * accessedPages[region]! * unit;
      sums.isCounted = true;
      sums.counted += accessed;
      sums.countedResident += part * residentPages![region]! * unit;
      sums.cold += part * coldPagesOf(columns, region) * unit;
      if (this.#isShared[mapping]) sums.shared += accessed;
    } else {
      const bytesUs = seen * unit;
      const accessClass = classOf(columns.nrAccesses[region]!, maxNrAccesses, this.limits);
      // Not sums[accessClass], which takes five times as long, for every region of every snapshot.
      if (accessClass === 'hot') sums.hot += bytesUs;
      else if (accessClass === 'warm') sums.warm += bytesUs;
      else if (accessClass === 'rare') sums.rare += bytesUs;
      else sums.cold += bytesUs;
      if (!isUntouched && this.#isShared[mapping]) sums.shared += bytesUs;
    }
    if (!isUntouched) return;
    if (sums.last !== this.span.snapshots) {
      sums.last = this.span.snapshots;
      sums.lastColdPages = 0;
      sums.lastColdAges = 0;
    }
    sums.lastColdPages += seen;
    sums.lastColdAges += seen * ageUs(this.#snapshot!, columns.ages[region]!);
  };

  result(): MappingsOfProcess {
    const groups = new Map<string, GroupSums>();
    this.addTo(groups, 1);
    const { warmUpUs, isSettled, unknown, ...info } = this.info;
    return { ...info, ...usesOf(groups, this.unmappedBytes, 1), warmUpUs, isSettled, unknown };
  }

  get unmappedBytes(): number {
    return this.#unmapped / Math.max(1, this.#knownUs);
  }

  /** Adds means over its time, `us` times. */
  addTo(all: Map<string, GroupSums>, us: number): void {
    this.#addSizes();
    for (const sums of this.#sums.values()) {
      const total = groupNamed(all, sums.name, sums.kind);
      addScaled(total, sums, us / Math.max(1, this.#us), us / Math.max(1, this.#knownUs));
      if (sums.last !== this.span.snapshots) continue;
      total.lastColdPages += sums.lastColdPages;
      total.lastColdAges += sums.lastColdAges;
    }
  }

  #setMappings(mappings: readonly ObservedMapping[]): void {
    this.#addSizes();
    if (this.#densities.length < mappings.length) this.#densities = new Float64Array(2 * mappings.length);
    for (let i = 0; i < mappings.length; i++) {
      const mapping = mappings[i]!;
      this.#densities[i] = densityOf(mapping, this.#pageSize);
      this.#isShared[i] = isSharedFile(mapping);
      if (mapping === this.#mappings[i]) continue; // most are the same as before
      const name = groupNameOf(mapping, this.by, this.#pageSize);
      this.#groups[i] = groupNamed(this.#sums, name, kindOf(mapping));
    }
    this.#mappings = mappings;
  }

  /** Sizes are the same for all snapshots of an array of mappings, so they are added once. */
  #addSizes(): void {
    this.#mappings.forEach(({ startPage, endPage, residentBytes }, i) => {
      const sums = this.#groups[i]!;
      sums.size += (endPage - startPage) * this.#pageSize * this.#heldUs;
      if (residentBytes === undefined) return;
      sums.isResidentKnown = true;
      sums.resident += residentBytes * this.#heldUs;
    });
    this.#heldUs = 0;
  }
}

/** For each region of the snapshot being added, the sum of the pages it overlaps, weighted by density. */
let weights = new Float64Array(0);

/** Where nothing was resident when the mappings were read, something may be by now. */
const LEAST_DENSITY = 1e-6;

/** The resident pages of a region are divided among its mappings by their densities: resident / size, 1 if not known. */
function densityOf(mapping: ObservedMapping, pageSize: number): number {
  const { startPage, endPage, residentBytes } = mapping;
  if (kindOf(mapping) === 'reserved') return 0;
  if (residentBytes === undefined) return 1;
  return Math.max(LEAST_DENSITY, residentBytes / ((endPage - startPage) * pageSize));
}
