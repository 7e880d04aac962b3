import type { TargetInfo } from '../../core/target.js';
import { ageUs } from '../reports/classes.js';
import type { Observation, ObservationSource, ObservedMapping } from '../source/observation.js';
import { KnownMappings } from './known-mappings.js';
import { coarsened, NOTHING, type Profile, profileOfSnapshot, sumOf } from './profile.js';

/** From, to, in microseconds since the start. */
export interface TimeSpan {
  readonly startUs: number;
  readonly endUs: number;
}

/** Some snapshots of one target, one after the other. */
export interface Slice extends TimeSpan {
  readonly profile: Profile;
}

export const FOR_EVER: TimeSpan = { startUs: 0, endUs: Number.POSITIVE_INFINITY };

/** How much is kept; where there is more, it gets coarser. */
export interface SumLimits {
  /** Of one target; as many columns as a picture can have. At least 2. */
  readonly slices: number;
  /** Of one slice: so many addresses at which something changes. At least 8. */
  readonly pieces: number;
  /** Of all targets together. 32 bytes each. */
  readonly allPieces: number;
}

/** What a slice takes beside its pieces, in pieces: four typed arrays and their memory, about 1 KiB. */
const SLICE_PIECES = 32;

const LIMITS: SumLimits = { slices: 512, pieces: 2_048, allPieces: 2 ** 19 };
/** Below these nothing is to be seen any more: that is kept for however many targets. */
const LEAST_SLICES = 16;
const LEAST_PIECES = 32;
/** Rounding: two snapshots of 100.1 ms fill 200 ms. */
const SLACK = 1.02;

/**
 * What happened in one target, in slices of time. A slice is one snapshot while there are few; when there are too many,
 * neighbours become one, up to twice as long. So neither the length of the recording nor its addresses need be known
 * before, and its first and its last minute are kept alike.
 */
export class TargetSums {
  #slices: Slice[] = [];
  #sliceUs = 0;
  /** Pieces of a slice. */
  #limit = LIMITS.pieces;
  /**
   * What is yet to be added to the last slice: sums of 1, 2, 4, ... snapshots, the largest first, as the bits of a number
   * that counts them. So a snapshot is part of a few sums, not of as many as there are snapshots in the slice.
   */
  readonly #pending: { readonly snapshots: number; readonly profile: Profile }[] = [];
  readonly #mappings = new KnownMappings();
  snapshots = 0;
  #settledPieces = 0;
  /** Page-microseconds in which it was found accessed. */
  accessed = 0;

  constructor(
    readonly target: TargetInfo,
    readonly pageSize: number,
  ) {}

  /** How many it keeps, as far as memory goes. */
  get pieces(): number {
    const settled = this.#settledPieces + this.#slices.length * SLICE_PIECES;
    return this.#pending.reduce((sum, { profile }) => sum + profile.watchedUs.length + SLICE_PIECES, settled);
  }

  get slices(): readonly Slice[] {
    this.#settle();
    return this.#slices;
  }

  /** All that were mapped at any time; where they overlap, the latest. Empty where none are known. */
  get mappings(): readonly ObservedMapping[] {
    return this.#mappings.all;
  }

  add({ snapshot, mappings }: Observation, window: TimeSpan, limits: SumLimits): void {
    this.#mappings.take(mappings);
    const startUs = Math.max(snapshot.startUs, window.startUs);
    const endUs = Math.min(Math.max(snapshot.endUs, snapshot.startUs + 1), window.endUs);
    if (endUs <= startUs) return;
    const { columns, maxNrAccesses } = snapshot;
    const profile = profileOfSnapshot(columns, maxNrAccesses, endUs - startUs, ageUs(snapshot, 1));
    this.snapshots++;
    this.accessed += accessedOf(profile);
    this.#limit = limits.pieces;
    this.#append({ startUs, endUs, profile: coarsened(profile, limits.pieces) });
    while (this.#slices.length > limits.slices) this.#lengthen();
  }

  /** Makes what is kept fit the limits. */
  fit(limits: SumLimits): void {
    this.#limit = limits.pieces;
    this.#settle();
    while (this.#slices.length > limits.slices) this.#lengthen();
    this.#slices = this.#slices.map(({ profile, ...span }) => ({
      ...span,
      profile: coarsened(profile, limits.pieces),
    }));
    this.#settledPieces = this.#slices.reduce((sum, { profile }) => sum + profile.watchedUs.length, 0);
  }

  /** All slices together. */
  total(): Profile {
    let level = this.slices.map(({ profile }) => profile);
    while (level.length > 1) {
      level = level.flatMap((profile, i) =>
        i % 2 > 0 ? [] : [coarsened(sumOf(profile, level[i + 1] ?? NOTHING), 4 * LIMITS.pieces)],
      );
    }
    return level[0] ?? NOTHING;
  }

  #append(slice: Slice): void {
    const last = this.#slices.at(-1);
    const isPart = last && slice.endUs - last.startUs <= this.#sliceUs * SLACK;
    if (!isPart) {
      this.#settle();
      this.#slices.push(slice);
      this.#settledPieces += slice.profile.watchedUs.length;
      return;
    }
    this.#slices[this.#slices.length - 1] = { ...last, endUs: slice.endUs };
    let sum = { snapshots: 1, profile: slice.profile };
    while (this.#pending.at(-1)?.snapshots === sum.snapshots) {
      const { snapshots, profile } = this.#pending.pop()!;
      sum = { snapshots: 2 * snapshots, profile: this.#sum(profile, sum.profile) };
    }
    this.#pending.push(sum);
  }

  #settle(): void {
    const last = this.#slices.at(-1);
    if (!last || this.#pending.length === 0) return;
    let sum = NOTHING;
    for (const { profile } of this.#pending.splice(0).reverse()) sum = this.#sum(profile, sum);
    const profile = this.#sum(last.profile, sum);
    this.#slices[this.#slices.length - 1] = { ...last, profile };
    this.#settledPieces += profile.watchedUs.length - last.profile.watchedUs.length;
  }

  #sum(a: Profile, b: Profile): Profile {
    return coarsened(sumOf(a, b), this.#limit);
  }

  #lengthen(): void {
    this.#settle();
    const lengths = this.#slices.map(({ startUs, endUs }) => endUs - startUs).sort((a, b) => a - b);
    this.#sliceUs = 2 * Math.max(this.#sliceUs, lengths[lengths.length >> 1]!);
    const before = this.#slices;
    this.#slices = [];
    this.#settledPieces = 0;
    for (const slice of before) this.#append(slice);
    this.#settle();
  }
}

function accessedOf({ edges, accessedUs }: Profile): number {
  return accessedUs.reduce((sum, us, i) => sum + us * (edges[i + 1]! - edges[i]!), 0);
}

export interface Gathering {
  readonly window?: TimeSpan;
  readonly limits?: SumLimits;
}

/** Goes through a source once, in memory that has a bound. Targets in the order of their first snapshots. */
export async function gather(source: ObservationSource, options: Gathering = {}): Promise<TargetSums[]> {
  const { window = FOR_EVER } = options;
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
  return [...targets.values()].filter(({ snapshots }) => snapshots > 0);
}

function isLeast({ slices, pieces }: SumLimits): boolean {
  return slices <= LEAST_SLICES && pieces <= LEAST_PIECES;
}

/** First what few pictures have room for. */
function halved(limits: SumLimits): SumLimits {
  const { slices, pieces } = limits;
  const isFine = pieces / LEAST_PIECES > slices / LEAST_SLICES / 2;
  return isFine || slices <= LEAST_SLICES
    ? { ...limits, pieces: Math.max(LEAST_PIECES, pieces >> 1) }
    : { ...limits, slices: Math.max(LEAST_SLICES, slices >> 1) };
}
