import type { Snapshot } from '../../core/snapshot.js';
import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import type { TargetInfo } from '../../core/target.js';
import { coldPagesOf, seenPagesOf, sizeOf } from '../../core/working-set.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import { forEachOverlap, type Grouping, groupNameOf, isSharedFile, kindOf } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { type Unknown, unknownOf, whyUnknown } from '../status-text.js';
import { addTo, groupNamed, type MappingsOf, type Sums, usesOf } from './mapping-sums.js';
import {
  type AccessLimits,
  ageUs,
  classOf,
  DEFAULT_LIMITS,
  type ProcessSummary,
  processSummary,
  type Report,
  Span,
  WarmUp,
} from './summary.js';

export interface MappingsOptions {
  readonly limits?: AccessLimits;
  /** Default `name`. */
  readonly by?: Grouping;
}

export interface MappingsOfProcess extends ProcessSummary, MappingsOf {
  /** Left out at the start, as its regions were still being found; 0 if nothing was. */
  readonly warmUpUs: number;
  /** False if they were until the end: nothing is left out then. */
  readonly isSettled: boolean;
  /** Why nothing is known of it but its mappings, if that is so. */
  readonly unknown: string | null;
}

export interface MappingsResult {
  readonly limits: AccessLimits;
  readonly by: Grouping;
  /** Whether accesses are counted by mapping: there is `accessed` in place of hot, warm and rare. */
  readonly isCounted: boolean;
  /** Whether what of the regions is resident is known: older records do not tell. */
  readonly isResidentKnown: boolean;
  /** Snapshots that nothing is known of but their regions: older records do not tell mappings. */
  readonly snapshotsWithoutMappings: number;
  /** Sums of all processes: a page that several map counts for each. */
  readonly all: MappingsOf;
  readonly processes: readonly MappingsOfProcess[];
}

/** What memory is by what it is mapped as, and how it is used. */
export class MappingsReport implements Report<MappingsResult> {
  readonly #processes = new Map<number, ProcessSums>();
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
    let process = this.#processes.get(target.id);
    const warmUp = process?.warmUp ?? new WarmUp();
    if (warmUp.add(observation.snapshot) || !process) {
      process = new ProcessSums(target, this.#limits, this.#by, warmUp);
      this.#processes.set(target.id, process);
    }
    this.#isCounted ||= columns.accessedPages !== undefined;
    this.#isResidentKnown &&= columns.residentPages !== undefined;
    if (!process.add(observation)) this.#snapshotsWithoutMappings++;
  }

  result(): MappingsResult {
    return {
      limits: this.#limits,
      by: this.#by,
      isCounted: this.#isCounted,
      isResidentKnown: this.#isResidentKnown,
      snapshotsWithoutMappings: this.#snapshotsWithoutMappings,
      all: this.all(),
      processes: Array.from(this.#processes.values(), (process) => process.result()),
    };
  }

  /** The part of the result that is of all processes. */
  all(): MappingsOf {
    const span = new Span();
    const all = new Map<string, Sums>();
    let unmapped = 0;
    for (const process of this.#processes.values()) {
      process.settle();
      span.add(process.span.startUs, process.span.endUs);
      // As much of its time as was seen stands for all of it.
      const spanUs = Math.max(1, process.span.us);
      unmapped += (process.unmapped * spanUs) / Math.max(1, process.knownUs);
      process.addTo(all, spanUs);
    }
    return usesOf(all, unmapped, Math.max(1, span.us));
  }
}

class ProcessSums {
  readonly span = new Span();
  readonly #sums = new Map<string, Sums>();
  /** What all snapshots together lasted, and those of which something is known. */
  us = 0;
  knownUs = 0;
  /** Bytes x microseconds. */
  unmapped = 0;
  #unknown: Unknown | undefined;
  /** The array that holds until they change, and the group of each. */
  #mappings: readonly ObservedMapping[] = [];
  readonly #groups: Sums[] = [];
  /** What a page of each stands for when a region's resident pages are divided: by what is resident of it, as far as known. */
  #densities = new Float64Array(0);
  #shared: boolean[] = [];
  /** For how long it has held, without what is in the sums already. */
  #heldUs = 0;
  #pageSize = 0;
  /** The one that is being gone through. It is not kept: who keeps one of each process pays for every collection. */
  #snapshot: Snapshot | undefined;
  #snapshotUs = 0;
  #mappedPages = 0;

  constructor(
    readonly target: TargetInfo,
    readonly limits: AccessLimits,
    readonly by: Grouping,
    readonly warmUp: WarmUp,
  ) {}

  /** @returns whether there was something to learn from it */
  add({ snapshot, mappings, residentBytes }: Observation): boolean {
    const { startUs, endUs, columns, pageSize } = snapshot;
    this.span.add(startUs, endUs);
    if (mappings.length === 0) return false;
    this.#pageSize = pageSize;
    if (mappings !== this.#mappings) this.#take(mappings);
    this.#snapshot = snapshot;
    this.#snapshotUs = Math.max(1, endUs - startUs);
    this.#heldUs += this.#snapshotUs;
    this.us += this.#snapshotUs;
    const unknown = unknownOf(snapshot, snapshot.residentBytes ?? residentBytes);
    if (unknown) this.#unknown = unknown;
    else this.#addKnown(columns);
    this.#snapshot = undefined;
    return true;
  }

  #addKnown(columns: SnapshotColumns): void {
    this.knownUs += this.#snapshotUs;
    this.#mappedPages = 0;
    if (columns.residentPages) this.#weigh(columns);
    forEachOverlap(columns, this.#mappings, this.#addOverlap);
    this.unmapped += Math.max(0, pagesOf(columns) - this.#mappedPages) * this.#pageSize * this.#snapshotUs;
  }

  /** Of each region, the sum of what it overlaps by their densities: what is resident of it is divided by that. */
  #weigh(columns: SnapshotColumns): void {
    const regions = columns.startPages.length;
    if (weights.length < regions) weights = new Float64Array(2 * regions);
    weights.fill(0, 0, regions);
    forEachOverlap(columns, this.#mappings, this.#addWeight);
  }

  readonly #addWeight = (region: number, mapping: number, pages: number): void => {
    weights[region]! += pages * this.#densities[mapping]!;
  };

  readonly #addOverlap = (region: number, mapping: number, pages: number): void => {
    const { columns, maxNrAccesses } = this.#snapshot!;
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
      if (this.#shared[mapping]) sums.shared += accessed;
    } else {
      const bytesUs = seen * unit;
      const accessClass = classOf(columns.nrAccesses[region]!, maxNrAccesses, this.limits);
      // Not sums[accessClass]: asked for every region of every snapshot, it takes five times as long.
      if (accessClass === 'hot') sums.hot += bytesUs;
      else if (accessClass === 'warm') sums.warm += bytesUs;
      else if (accessClass === 'rare') sums.rare += bytesUs;
      else sums.cold += bytesUs;
      if (!isUntouched && this.#shared[mapping]) sums.shared += bytesUs;
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
    this.settle();
    const groups = new Map<string, Sums>();
    this.addTo(groups, 1);
    const unmapped = this.unmapped / Math.max(1, this.knownUs);
    return {
      ...processSummary(this.target, this.span),
      ...usesOf(groups, unmapped, 1),
      warmUpUs: this.warmUp.us,
      isSettled: this.warmUp.isSettled,
      unknown: this.#unknown && this.knownUs === 0 ? whyUnknown(this.#unknown) : null,
    };
  }

  /** Adds means over its time, `us` times. */
  addTo(all: Map<string, Sums>, us: number): void {
    const held = us / Math.max(1, this.us);
    const known = us / Math.max(1, this.knownUs);
    for (const sums of this.#sums.values()) {
      const of = all.get(sums.name);
      const total = of ?? groupNamed(all, sums.name, sums.kind);
      addTo(total, sums, held, known);
    }
  }

  /** Makes the sums whole. */
  settle(): void {
    this.#addSizes();
    for (const sums of this.#sums.values()) {
      if (sums.last === this.span.snapshots) continue;
      sums.lastColdPages = 0;
      sums.lastColdAges = 0;
    }
  }

  /** Most are the same as before. */
  #take(mappings: readonly ObservedMapping[]): void {
    this.#addSizes();
    if (this.#densities.length < mappings.length) this.#densities = new Float64Array(2 * mappings.length);
    for (let i = 0; i < mappings.length; i++) {
      const mapping = mappings[i]!;
      this.#densities[i] = densityOf(mapping, this.#pageSize);
      this.#shared[i] = isSharedFile(mapping);
      if (mapping !== this.#mappings[i])
        this.#groups[i] = groupNamed(
          this.#sums,
          groupNameOf(mapping, this.by, this.#pageSize),
          kindOf(mapping),
        );
    }
    this.#mappings = mappings;
  }

  /** When an array of mappings has held: sizes are the same for all of its snapshots. */
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

/** Of the snapshot that is being added, by region. */
let weights = new Float64Array(0);

/** What nobody can access holds nothing. Where nothing is known to be resident something may have come since. */
function densityOf(mapping: ObservedMapping, pageSize: number): number {
  const { startPage, endPage, residentBytes } = mapping;
  if (kindOf(mapping) === 'reserved') return 0;
  if (residentBytes === undefined) return 1;
  return Math.max(LEAST_DENSITY, residentBytes / ((endPage - startPage) * pageSize));
}

const LEAST_DENSITY = 1e-6;

function pagesOf(columns: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0; i < columns.startPages.length; i++) pages += sizeOf(columns, i);
  return pages;
}
