import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { AdaptedTarget } from '../core/adaptation.js';
import { type Attrs, maxNrAccesses } from '../core/attrs.js';
import { update } from '../core/cycle.js';
import type { Layout, SharedRanges } from '../core/layout.js';
import { moveRegions } from '../core/move-regions.js';
import { RegionTable } from '../core/region-table.js';
import { initRegions } from '../core/regions.js';
import { Settling } from '../core/settling.js';
import { Presence } from '../core/snapshot-columns.js';
import { TargetStatus } from '../core/table-header.js';
import type { TargetInfo } from '../core/target.js';
import type { TargetIdentity, TargetRequest } from '../sources/source.js';
import type { SamplerLink } from './sampler-link.js';

/** The state of a target whose regions a source delivers: in an interval, or before the next one. In the monitor's time. */
export interface Interval {
  isRunning: boolean;
  beganUs: number;
  /** Intervals delivered so far. */
  delivered: number;
  /** Reads in the middle of an interval. */
  peeks: number;
  /** Whether the table contains such a read that was not published. */
  hasPeek: boolean;
  lastEndUs: number;
}

function firstInterval(): Interval {
  return { isRunning: false, beganUs: 0, delivered: 0, peeks: 0, hasPeek: false, lastEndUs: 0 };
}

/** The coordinator's view of a target. */
export class Target implements AdaptedTarget {
  /** Whether its pages are marked old, for the next tick to check. */
  prepared = false;
  /** Ticks of this aggregation interval that checked it. */
  ticks = 0;
  /** Whether its regions must still be fitted to its mappings, because those change or the table had no room. */
  unfitted = false;
  /** It can no longer be watched, and its sampler is being asked why. */
  failing = false;
  /** Why it failed, if the coordinator and not its sampler detected that. */
  failure: string | undefined;
  /** Snapshots published so far. */
  snapshots = 0;
  /** When its first snapshot was first due, in the monitor's time. */
  sinceUs: number | undefined;
  /** Only for a target whose regions are delivered. */
  readonly interval = firstInterval();
  /** Start of the interval of its next snapshot, in the monitor's time. */
  startUs = 0;
  readonly presence = new Presence();
  readonly settling: Settling;
  /** That its regions lie in now. */
  layout: Layout | undefined;
  /** Samplers probably lost because of it. */
  losses = 0;
  #snapshotsAtLoss = 0;

  constructor(
    readonly info: TargetInfo,
    readonly request: TargetRequest,
    readonly random: RandomGenerator,
    public table: RegionTable,
    /** Undefined while its sampler is lost and not replaced yet. */
    public link: SamplerLink | undefined,
    /** Identifies it in its sampler. */
    public handle: number,
    /** What its layout is made of; undefined if its regions lie over pages. */
    public ranges: SharedRanges | undefined,
  ) {
    this.layout = ranges?.layout();
    this.settling = new Settling(table.delivered !== undefined);
  }

  /**
   * Counts the loss of its sampler.
   *
   * @param culprit the target that the sampler worked on; if unknown, any target without a snapshot since the last loss
   */
  lost(culprit: number | undefined): void {
    const isSuspect = culprit === undefined && this.snapshots === this.#snapshotsAtLoss;
    if (culprit === this.info.id || isSuspect) this.losses++;
    this.#snapshotsAtLoss = this.snapshots;
  }

  /** Whether its sampler has read mappings that its regions do not lie in yet. */
  get hasNewLayout(): boolean {
    return this.ranges !== undefined && this.ranges.version !== this.layout!.version;
  }

  /** Fits its regions to the mappings that its sampler has read. @returns false if that must wait for the next merge */
  fitRegions(): boolean {
    const { table, ranges, layout: from } = this;
    if (!ranges || !from) return update(table);
    if (!this.hasNewLayout) return true;
    const to = ranges.layout();
    moveRegions(table, from, to);
    table.setRanges(Float64Array.of(0, to.pages));
    table.layoutVersion = to.version;
    this.layout = to;
    return true;
  }

  /** Takes the ranges that a new sampler has read, before it watches. Without a layout, the next update fits the regions. */
  takeRanges(pairs: Float64Array): void {
    if (!this.ranges) return;
    this.ranges.update(pairs);
    this.fitRegions();
  }

  /** A request that opens the same process again, and no other one with its PID. */
  get sameRequest(): TargetRequest {
    return 'pid' in this.request ? { ...this.request, startTime: this.info.startTime } : this.request;
  }
}

/** How snapshots and records tell of a target. */
export function infoOf(id: number, { comm, process }: TargetIdentity): TargetInfo {
  const { pid, startTime, cmdline } = process ?? { pid: 0, startTime: '0', cmdline: [] };
  // In the order in which records have them.
  return { id, pid, startTime, comm, cmdline };
}

/** Resets a table to the first regions of these ranges, about `minRegions` of them. */
export function fillFirst(table: RegionTable, attrs: Attrs, ranges: Float64Array, minRegions: number): void {
  table.status = TargetStatus.OK;
  table.maxNrAccesses = maxNrAccesses(attrs);
  table.tick = table.round = table.spent = 0;
  table.mostSamples = Number.POSITIVE_INFINITY;
  // The cells may describe pages of another target.
  table.cellPages = 0;
  table.residentBytes = 0;
  table.orders = table.deliveries = table.peeks = table.costUs = 0;
  table.clearPresence();
  table.layoutVersion = 0;
  table.setRanges(ranges);
  // A region source delivers all regions itself.
  if (table.delivered) table.count = 0;
  else initRegions(table, minRegions);
}

/** A copy of the table in new memory, with room for these limits. */
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
