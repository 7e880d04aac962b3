import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { AdaptedTarget } from '../core/adaptation.js';
import { type Attrs, maxNrAccesses } from '../core/attrs.js';
import { RegionTable, TargetStatus } from '../core/region-table.js';
import { initRegions } from '../core/regions.js';
import { Settling } from '../core/settling.js';
import { Presence } from '../core/snapshot-columns.js';
import type { TargetInfo } from '../core/target.js';
import type { TargetRequest } from '../sources/source.js';
import type { SamplerLink } from './sampler-link.js';

/** Where a target stands whose regions a source delivers: in an interval, or before the next one. Times in the monitor's. */
export interface Interval {
  isRunning: boolean;
  beganUs: number;
  /** Intervals that have been delivered. */
  delivered: number;
  peeks: number;
  /** The table holds a look that was not published. */
  hasPeek: boolean;
  lastEndUs: number;
}

function firstInterval(): Interval {
  return { isRunning: false, beganUs: 0, delivered: 0, peeks: 0, hasPeek: false, lastEndUs: 0 };
}

/** A target as the coordinator has it. */
export class Target implements AdaptedTarget {
  /** Pages of it have been marked old, for the next tick to check. */
  prepared = false;
  /** Ticks of this aggregation interval that checked it. */
  ticks = 0;
  /** Its mappings were read, and its regions have not been fitted to them for want of room in the table. */
  unfitted = false;
  /** Cannot be watched any longer, and its sampler is being asked why. */
  failing = false;
  /** Why, where not its sampler but the coordinator found that out. */
  failure: string | undefined;
  /** Snapshots that were published of it, and when it was waited for first. */
  snapshots = 0;
  sinceUs: number | undefined;
  /** Of a target whose regions are delivered. */
  readonly interval = firstInterval();
  /** When the interval of its next snapshot started, in the monitor's time. */
  startUs = 0;
  readonly presence = new Presence();
  readonly settling: Settling;
  /** Samplers that were lost because of it, as far as one can tell. */
  losses = 0;
  #snapshotsAtLoss = 0;

  constructor(
    readonly info: TargetInfo,
    readonly request: TargetRequest,
    readonly random: RandomGenerator,
    public table: RegionTable,
    /** Undefined while its sampler is lost and a fresh one is not there yet. */
    public link: SamplerLink | undefined,
    /** What its sampler calls it. */
    public handle: number,
  ) {
    this.settling = new Settling(table.delivered !== undefined);
  }

  /**
   * Counts that its sampler was lost.
   *
   * @param culprit the target that the sampler was at; if unknown, each target without a snapshot since the last loss is suspected
   */
  lost(culprit: number | undefined): void {
    const isSuspect = culprit === undefined && this.snapshots === this.#snapshotsAtLoss;
    if (culprit === this.info.id || isSuspect) this.losses++;
    this.#snapshotsAtLoss = this.snapshots;
  }

  /** What makes sure that it is the same process, when it is opened again. */
  get sameRequest(): TargetRequest {
    return 'pid' in this.request ? { ...this.request, startTime: this.info.startTime } : this.request;
  }
}

/** Makes a table, whatever was in it, one with the first regions in these ranges, about `minRegions` of them. */
export function fillFirst(table: RegionTable, attrs: Attrs, ranges: Float64Array, minRegions: number): void {
  table.status = TargetStatus.OK;
  table.maxNrAccesses = maxNrAccesses(attrs);
  table.tick = table.round = table.spent = 0;
  table.mostSamples = Number.POSITIVE_INFINITY;
  // What cells held was of other pages.
  table.cellPages = 0;
  table.residentBytes = 0;
  table.orders = table.deliveries = table.peeks = table.costUs = 0;
  table.clearPresence();
  table.setRanges(ranges);
  // What is delivered comes whole.
  if (table.delivered) table.count = 0;
  else initRegions(table, minRegions);
}

/** The same regions in memory of their own, with room for these limits. */
export function copiedTable(attrs: Attrs, old: RegionTable): RegionTable {
  const maxRegions = Math.max(attrs.maxRegions, old.count);
  const { evidence, delivered } = old;
  const fresh = RegionTable.forLimits(
    attrs.minRegions,
    maxRegions,
    evidence?.answersPerRegion,
    delivered !== undefined,
    old.rangeCapacity,
  );
  fresh.copyFrom(old);
  return fresh;
}
