import type { Snapshot } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';
import { forEachOverlap } from '../region-mappings.js';
import type { Observation, ObservedMapping } from '../source/observation.js';
import { type AccessLimits, ageUs, CLASSES, classOf, DEFAULT_LIMITS } from './classes.js';
import { type Grouping, groupNameOf, kindOf, type MappingKind } from './mapping-kinds.js';
import { type ProcessSummary, processSummary, type Report, Span } from './report.js';

export interface MappingsOptions {
  readonly limits?: AccessLimits;
  /** Default `name`. */
  readonly by?: Grouping;
}

/** Mappings that are told together. All bytes are means over the time. */
export interface MappingUse {
  readonly name: string;
  readonly kind: MappingKind;
  readonly sizeBytes: number;
  /** Null where it was not read. */
  readonly residentBytes: number | null;
  readonly hotBytes: number;
  readonly warmBytes: number;
  readonly rareBytes: number;
  readonly coldBytes: number;
  /** Resident memory that must have been cold, as the rest has no room in what was accessed; null as residentBytes. */
  readonly coldResidentBytes: number | null;
  /** For how long what was cold at the end had been so, a mean weighted by size; null where nothing was. */
  readonly coldForUs: number | null;
}

export interface MappingsOf {
  /** Of all mappings but reserved ones, which nobody can access. */
  readonly total: MappingUse;
  /** Bytes in regions that lie between the mappings. They count nowhere else. */
  readonly unmappedBytes: number;
  /** By working set (hot and warm), then by size. */
  readonly mappings: readonly MappingUse[];
}

export interface MappingsResult {
  readonly limits: AccessLimits;
  readonly by: Grouping;
  /** Snapshots that nothing is known of but their regions: older records do not tell mappings. */
  readonly snapshotsWithoutMappings: number;
  /** Sums of all processes: a page that several map counts for each. */
  readonly all: MappingsOf;
  readonly processes: readonly (ProcessSummary & MappingsOf)[];
}

/** What is summed up of one group of mappings: bytes x microseconds. */
interface Sums {
  readonly name: string;
  readonly kind: MappingKind;
  size: number;
  resident: number;
  isResidentKnown: boolean;
  hot: number;
  warm: number;
  rare: number;
  cold: number;
  /** In the last snapshot, if that is the one with this number: cold pages, and the sum of their ages in microseconds. */
  last: number;
  lastColdPages: number;
  lastColdAges: number;
}

/** What memory is by what it is mapped as, and how it is used. */
export class MappingsReport implements Report<MappingsResult> {
  readonly #processes = new Map<number, ProcessSums>();
  readonly #limits: AccessLimits;
  readonly #by: Grouping;
  #snapshotsWithoutMappings = 0;

  constructor({ limits = DEFAULT_LIMITS, by = 'name' }: MappingsOptions = {}) {
    this.#limits = limits;
    this.#by = by;
  }

  add(observation: Observation): void {
    const { target } = observation.snapshot;
    let process = this.#processes.get(target.id);
    if (!process) {
      process = new ProcessSums(target, this.#limits, this.#by);
      this.#processes.set(target.id, process);
    }
    if (!process.add(observation)) this.#snapshotsWithoutMappings++;
  }

  result(): MappingsResult {
    return {
      limits: this.#limits,
      by: this.#by,
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
      const weight = Math.max(1, process.span.us) / Math.max(1, process.us);
      unmapped += weight * process.unmapped;
      for (const sums of process.groups.values()) addTo(groupNamed(all, sums.name, sums.kind), sums, weight);
    }
    return usesOf(all, unmapped, Math.max(1, span.us));
  }
}

class ProcessSums {
  readonly span = new Span();
  readonly groups = new Map<string, Sums>();
  /** What all snapshots together lasted. */
  us = 0;
  /** Bytes x microseconds. */
  unmapped = 0;
  /** The array that holds until they change, and the group of each. */
  #mappings: readonly ObservedMapping[] = [];
  readonly #groups: Sums[] = [];
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
  ) {}

  /** @returns whether there was something to learn from it */
  add({ snapshot, mappings }: Observation): boolean {
    const { startUs, endUs, columns, pageSize } = snapshot;
    this.span.add(startUs, endUs);
    if (mappings.length === 0) return false;
    this.#pageSize = pageSize;
    if (mappings !== this.#mappings) this.#take(mappings);
    this.#snapshot = snapshot;
    this.#snapshotUs = Math.max(1, endUs - startUs);
    this.#heldUs += this.#snapshotUs;
    this.us += this.#snapshotUs;
    this.#mappedPages = 0;
    forEachOverlap(columns, mappings, this.#addOverlap);
    this.unmapped += (pagesOf(columns) - this.#mappedPages) * pageSize * this.#snapshotUs;
    this.#snapshot = undefined;
    return true;
  }

  readonly #addOverlap = (region: number, mapping: number, pages: number): void => {
    const { columns, maxNrAccesses } = this.#snapshot!;
    const sums = this.#groups[mapping]!;
    const bytesUs = pages * this.#pageSize * this.#snapshotUs;
    this.#mappedPages += pages;
    const accessClass = classOf(columns.nrAccesses[region]!, maxNrAccesses, this.limits);
    // Not sums[accessClass]: asked for every region of every snapshot, it takes five times as long.
    if (accessClass === 'hot') sums.hot += bytesUs;
    else if (accessClass === 'warm') sums.warm += bytesUs;
    else if (accessClass === 'rare') sums.rare += bytesUs;
    if (accessClass !== 'cold') return;
    sums.cold += bytesUs;
    if (sums.last !== this.span.snapshots) {
      sums.last = this.span.snapshots;
      sums.lastColdPages = 0;
      sums.lastColdAges = 0;
    }
    sums.lastColdPages += pages;
    sums.lastColdAges += pages * ageUs(this.#snapshot!, columns.ages[region]!);
  };

  result(): ProcessSummary & MappingsOf {
    this.settle();
    return {
      ...processSummary(this.target, this.span),
      ...usesOf(this.groups, this.unmapped, Math.max(1, this.us)),
    };
  }

  /** Makes the sums whole. */
  settle(): void {
    this.#addSizes();
    for (const sums of this.groups.values()) {
      if (sums.last === this.span.snapshots) continue;
      sums.lastColdPages = 0;
      sums.lastColdAges = 0;
    }
  }

  /** Most are the same as before. */
  #take(mappings: readonly ObservedMapping[]): void {
    this.#addSizes();
    for (let i = 0; i < mappings.length; i++) {
      const mapping = mappings[i]!;
      if (mapping !== this.#mappings[i])
        this.#groups[i] = groupNamed(
          this.groups,
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

function groupNamed(groups: Map<string, Sums>, name: string, kind: MappingKind): Sums {
  let sums = groups.get(name);
  if (!sums) {
    sums = emptySums(name, kind);
    groups.set(name, sums);
  }
  return sums;
}

/** Plain numbers: there may be fifty groups of each of hundreds of processes. */
function emptySums(name: string, kind: MappingKind): Sums {
  return {
    name,
    kind,
    size: 0,
    resident: 0,
    isResidentKnown: false,
    hot: 0,
    warm: 0,
    rare: 0,
    cold: 0,
    last: 0,
    lastColdPages: 0,
    lastColdAges: 0,
  };
}

function addTo(total: Sums, sums: Sums, weight: number): void {
  total.size += weight * sums.size;
  total.resident += weight * sums.resident;
  total.isResidentKnown ||= sums.isResidentKnown;
  for (const accessClass of CLASSES) total[accessClass] += weight * sums[accessClass];
  total.lastColdPages += sums.lastColdPages;
  total.lastColdAges += sums.lastColdAges;
}

function usesOf(groups: ReadonlyMap<string, Sums>, unmapped: number, us: number): MappingsOf {
  const mappings = Array.from(groups.values(), (sums) => useOf(sums, us));
  mappings.sort((a, b) => workingSetOf(b) - workingSetOf(a) || b.sizeBytes - a.sizeBytes);
  return { total: totalOf(groups, mappings, us), unmappedBytes: Math.round(unmapped / us), mappings };
}

function totalOf(groups: ReadonlyMap<string, Sums>, uses: readonly MappingUse[], us: number): MappingUse {
  const sums = emptySums('together', 'anonymous');
  for (const group of groups.values()) if (group.kind !== 'reserved') addTo(sums, group, 1);
  // What is surely cold in each of them surely is in all.
  const cold = uses.reduce(
    (sum, { kind, coldResidentBytes }) => sum + (kind === 'reserved' ? 0 : (coldResidentBytes ?? 0)),
    0,
  );
  const total = useOf(sums, us);
  return { ...total, coldResidentBytes: total.residentBytes === null ? null : cold };
}

function useOf(sums: Sums, us: number): MappingUse {
  const { name, kind, size, resident, isResidentKnown, lastColdPages, lastColdAges } = sums;
  const [hotBytes, warmBytes] = [Math.round(sums.hot / us), Math.round(sums.warm / us)];
  const [rareBytes, coldBytes] = [Math.round(sums.rare / us), Math.round(sums.cold / us)];
  const residentBytes = isResidentKnown ? Math.round(resident / us) : null;
  const spare = (residentBytes ?? 0) - hotBytes - warmBytes - rareBytes;
  return {
    name,
    kind,
    sizeBytes: Math.round(size / us),
    residentBytes,
    hotBytes,
    warmBytes,
    rareBytes,
    coldBytes,
    coldResidentBytes: residentBytes === null ? null : Math.max(0, Math.min(coldBytes, spare)),
    coldForUs: lastColdPages > 0 ? Math.round(lastColdAges / lastColdPages) : null,
  };
}

export function workingSetOf({ hotBytes, warmBytes }: MappingUse): number {
  return hotBytes + warmBytes;
}

function pagesOf({ startPages, endPages }: Snapshot['columns']): number {
  let pages = 0;
  for (let i = 0; i < startPages.length; i++) pages += endPages[i]! - startPages[i]!;
  return pages;
}
