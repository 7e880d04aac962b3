import type { TargetInfo } from '../../core/target.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import { piecesOf } from '../pieces.js';
import type { Observation, ObservationSource } from '../source/observation.js';
import { type Unknown, unknownOf } from '../status-text.js';
import { ageUs } from '../summaries/summary.js';
import { EMPTY_PROFILE, Profile, RunningSum } from './profile.js';

/** From, to, in microseconds since the start. */
export interface TimeSpan {
  readonly startUs: number;
  readonly endUs: number;
}

/** Some snapshots of one target, one after the other. */
interface Slice extends TimeSpan {
  readonly profile: Profile;
}

const ALL_TIME: TimeSpan = { startUs: 0, endUs: Number.POSITIVE_INFINITY };

/** How much is kept; more is merged into coarser sums. */
export interface SumLimits {
  /** Of one target; as many columns as a picture can have. At least 2. */
  readonly slices: number;
  /** Of one slice: addresses at which something changes. At least 8. */
  readonly pieces: number;
  /** Of all targets together. 40 bytes each. */
  readonly allPieces: number;
}

const LIMITS: SumLimits = { slices: 512, pieces: 2_048, allPieces: 2 ** 19 };
/** With less, nothing could be seen: this much is kept of every target. */
const LEAST_SLICES = 16;
const LEAST_PIECES = 32;
/** Rounding: two snapshots of 100.1 ms fill 200 ms. */
const SLACK = 1.02;

interface GrowingSlice extends Slice {
  endUs: number;
  profile: Profile;
}

/** The snapshot that is being added. */
const latest = new Profile();

/**
 * What happened in one target, in slices of time. A slice is one snapshot as long as there are few; when there are too
 * many, neighbours are merged, up to twice as long. So neither the length of the recording nor its addresses need to be
 * known before, and its first and its last minute are kept alike.
 */
export class TargetSums {
  #slices: GrowingSlice[] = [];
  #sliceUs = 0;
  /** The last slice while something is added to it; otherwise empty. */
  #pending = new RunningSum(LIMITS.pieces);
  readonly #mappings = new KnownMappings();
  snapshots = 0;
  /** Why some snapshots are left out: they say nothing of its accesses. */
  unknown: Unknown | undefined;
  /** Accessed bytes are counted by mapping: nothing is known of where in it they are. */
  isFlat = false;
  #settledPieces = 0;
  /** Page-microseconds in which it was found accessed. */
  accessed = 0;

  constructor(
    readonly target: TargetInfo,
    readonly pageSize: number,
  ) {}

  /** The memory that it takes, in pieces. */
  get pieces(): number {
    return this.#settledPieces + this.#pending.footprint;
  }

  get slices(): readonly Slice[] {
    this.#settle();
    return this.#slices;
  }

  /** All mappings it had at any time; the latest where they overlap. Empty if none are known. */
  get mappings(): readonly ObservedMapping[] {
    return this.#mappings.all;
  }

  add({ snapshot, mappings, residentBytes }: Observation, window: TimeSpan, limits: SumLimits): void {
    this.#mappings.add(mappings);
    const startUs = Math.max(snapshot.startUs, window.startUs);
    const endUs = Math.min(Math.max(snapshot.endUs, snapshot.startUs + 1), window.endUs);
    if (endUs <= startUs) return;
    const unknown = unknownOf(snapshot, residentBytes);
    if (unknown) {
      this.unknown = unknown;
      return;
    }
    const { maxNrAccesses } = snapshot;
    const columns = piecesOf(snapshot, mappings);
    this.isFlat ||= columns.accessedPages !== undefined;
    latest.setToSnapshot(columns, maxNrAccesses, endUs - startUs, ageUs(snapshot, 1));
    latest.coarsen(limits.pieces);
    this.snapshots++;
    for (let i = 0; i < latest.length; i++) this.accessed += latest.accessedUs(i) * latest.pagesOf(i);
    this.#pending.limit = limits.pieces;
    if (!this.#joinLast({ startUs, endUs, profile: latest })) {
      this.#append({ startUs, endUs, profile: EMPTY_PROFILE });
      this.#pending.add(latest);
    }
    while (this.#slices.length > limits.slices) this.#lengthen();
  }

  /** Shrinks its sums to the limits. */
  fit(limits: SumLimits): void {
    this.#settle();
    this.#pending = new RunningSum(limits.pieces);
    while (this.#slices.length > limits.slices) this.#lengthen();
    this.#settledPieces = 0;
    for (const slice of this.#slices) {
      if (slice.profile.length > limits.pieces) {
        slice.profile.coarsen(limits.pieces);
        slice.profile = slice.profile.copy();
      }
      this.#settledPieces += slice.profile.footprint;
    }
  }

  /** All slices together. */
  total(): Profile {
    const sum = new RunningSum(4 * LIMITS.pieces);
    for (const { profile } of this.slices) sum.add(profile);
    return sum.take().copy();
  }

  /** @returns whether the last slice was short enough */
  #joinLast({ endUs, profile }: Slice): boolean {
    const last = this.#slices.at(-1);
    if (!last || endUs - last.startUs > this.#sliceUs * SLACK) return false;
    last.endUs = endUs;
    if (this.#pending.isEmpty) this.#pending.add(last.profile);
    this.#pending.add(profile);
    return true;
  }

  #append(slice: GrowingSlice): void {
    this.#settle();
    this.#slices.push(slice);
    this.#settledPieces += slice.profile.footprint;
  }

  #settle(): void {
    const last = this.#slices.at(-1);
    if (!last || this.#pending.isEmpty) return;
    this.#settledPieces -= last.profile.footprint;
    last.profile = this.#pending.take().copy();
    this.#settledPieces += last.profile.footprint;
  }

  #lengthen(): void {
    this.#settle();
    const lengths = this.#slices.map(({ startUs, endUs }) => endUs - startUs).sort((a, b) => a - b);
    this.#sliceUs = 2 * Math.max(this.#sliceUs, lengths[lengths.length >> 1]!);
    const before = this.#slices;
    this.#slices = [];
    this.#settledPieces = 0;
    for (const slice of before) if (!this.#joinLast(slice)) this.#append(slice);
    this.#settle();
  }
}

interface Gathering {
  readonly window?: TimeSpan;
  readonly limits?: SumLimits;
}

/**
 * Goes through a source once, in bounded memory. Returns the targets in the order of their first snapshots; nothing is
 * known of those without any.
 */
export async function gather(source: ObservationSource, options: Gathering = {}): Promise<TargetSums[]> {
  const { window = ALL_TIME } = options;
  let limits = options.limits ?? LIMITS;
  const targets = new Map<number, TargetSums>();
  let pieces = 0;
  for await (const observation of source.observations()) {
    const { target, pageSize } = observation.snapshot;
    const sums = targets.get(target.id) ?? new TargetSums(target, pageSize);
    targets.set(target.id, sums);
    pieces -= sums.pieces;
    sums.add(observation, window, limits);
    pieces += sums.pieces;
    while (pieces > limits.allPieces && !isLeast(limits)) {
      limits = halved(limits);
      for (const each of targets.values()) each.fit(limits);
      pieces = [...targets.values()].reduce((sum, each) => sum + each.pieces, 0);
    }
  }
  return [...targets.values()].filter(({ snapshots, unknown }) => snapshots > 0 || unknown);
}

function isLeast({ slices, pieces }: SumLimits): boolean {
  return slices <= LEAST_SLICES && pieces <= LEAST_PIECES;
}

/** Takes first what few pictures have room for. */
function halved(limits: SumLimits): SumLimits {
  const { slices, pieces } = limits;
  const isFine = pieces / LEAST_PIECES > slices / LEAST_SLICES / 2;
  return isFine || slices <= LEAST_SLICES
    ? { ...limits, pieces: Math.max(LEAST_PIECES, pieces >> 1) }
    : { ...limits, slices: Math.max(LEAST_SLICES, slices >> 1) };
}

/** More former mappings are forgotten: a process that maps and unmaps for ever has no end of them. */
const MAX_FORMER = 20_000;

/** All mappings that a target had at any time; the latest where they overlap. */
class KnownMappings {
  #latest: readonly ObservedMapping[] = [];
  /** In address order. */
  all: readonly ObservedMapping[] = [];

  add(mappings: readonly ObservedMapping[]): void {
    if (mappings === this.#latest || mappings.length === 0) return;
    this.#latest = mappings;
    const former = outside(this.all, mappings).slice(0, MAX_FORMER);
    this.all =
      former.length === 0 ? mappings : [...former, ...mappings].sort((a, b) => a.startPage - b.startPage);
  }
}

/** The parts of `before` that lie outside of `now`. Both in address order. */
function outside(before: readonly ObservedMapping[], now: readonly ObservedMapping[]): ObservedMapping[] {
  const left: ObservedMapping[] = [];
  let i = 0;
  for (const mapping of before) {
    let startPage = mapping.startPage;
    while (i < now.length && now[i]!.endPage <= startPage) i++;
    for (let k = i; k < now.length && now[k]!.startPage < mapping.endPage; k++) {
      if (now[k]!.startPage > startPage) left.push({ ...mapping, startPage, endPage: now[k]!.startPage });
      startPage = now[k]!.endPage;
    }
    if (startPage < mapping.endPage) left.push({ ...mapping, startPage });
  }
  return left;
}
