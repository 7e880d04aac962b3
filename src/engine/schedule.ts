import { type Adaptation, countRegions } from '../core/adaptation.js';
import { aggregate, extrapolate, mergeSeen } from '../core/cycle.js';
import type { MonitorStats } from '../core/stats.js';
import { TargetStatus } from '../core/table-header.js';
import type { AttrsPolicy } from './attrs-policy.js';
import type { Clock } from './clock.js';
import { toWire } from './comlink-errors.js';
import type { Meter } from './meter.js';
import type { Publisher } from './publisher.js';
import type { SharedState } from './shared-state.js';
import type { Target } from './target.js';
import type { Targets } from './targets.js';

/** Calls that need parked samplers wait at most this long. */
export const MAX_QUIET_US = 50_000;

/**
 * If ticks are missed, an aggregation interval lasts until all of its ticks are made, as in the kernel, because rates need
 * enough samples. It ends at this multiple of its length at the latest.
 */
const MAX_STRETCH = 4;

/** After new attrs, an interval with too many regions ends at once if more than this is left of it. */
const TOO_LONG_US = 10_000_000;

/** A target's first snapshot is published after this time at the latest, however long the intervals are. */
const FIRST_ANSWER_US = 4_000_000;
/** A last, partial interval is published if it had this share of its ticks, or if the target has no snapshot yet. */
const LEAST_PART = 0.25;

/** Which mappings a tick must read: none, those of gone address spaces, or a part of all. */
export type UpdateNeed = 'none' | 'stale' | 'part';

/** Most targets whose mappings are read in one tick: about 100 us each, divided among the samplers. */
const UPDATED_AT_ONCE = 32;

/**
 * Decides when work on the tables is due, and does it between the phases of a tick. It never waits. Methods about single ticks
 * run at every turn and allocate nothing; the others run once per aggregation interval.
 */
export class Schedule {
  /** Sampling intervals passed, and ticks made, in this aggregation interval. */
  #passed = 0;
  #ticks = 0;
  #aggregationStartUs = 0;
  /** Whether this aggregation interval must end with the next tick. */
  #endsEarly = false;
  #updateDueUs: number;
  /** Parts of the targets whose mappings have been read in this update interval. */
  #updatedParts = 0;

  constructor(
    readonly clock: Clock,
    readonly shared: SharedState,
    readonly targets: Targets,
    readonly meter: Meter,
    readonly policy: AttrsPolicy,
    readonly publisher: Publisher,
    readonly adaptation: Adaptation,
    readonly durationUs: number,
  ) {
    this.#updateDueUs = targets.attrs.updateUs;
  }

  /** When the next tick is due, in the monitor's time; always a point of the grid. */
  get dueUs(): number {
    return this.shared.barrier.dueUs;
  }

  /** Starts a new grid of ticks at the current time. */
  startGrid(): void {
    const { sampleUs } = this.targets.attrs;
    this.setDue(this.clock.nowUs() + sampleUs);
  }

  setDue(dueUs: number): void {
    this.shared.barrier.setDue(dueUs, this.clock.monotonicMsAt(dueUs), this.targets.attrs.sampleUs);
  }

  /** Called before waiting for the next tick, which may move to an earlier time. */
  reviseDue(): void {}

  /** Called after a tick with work on the tables. */
  setNextDue(): void {
    this.setDue(this.dueUs + this.targets.attrs.sampleUs);
  }

  /** Called before the checks of a tick with work on the tables. */
  beginWork(): void {}

  /** Sampling intervals until the next work on the tables, or until calls must be heard. */
  quietIntervals(): number {
    const { attrs, maxNrAccesses, all: targets } = this.targets;
    for (let i = 0; i < targets.length; i++) if (targets[i]!.table.status !== TargetStatus.OK) return 0;
    if (this.quietTicks === 0 || this.#endsEarly) return 0;
    const untilAggregation = MAX_STRETCH * maxNrAccesses - 1 - this.#passed;
    const untilUpdate = Math.ceil(
      (Math.min(this.#updateDueUs, this.durationUs) - this.dueUs) / attrs.sampleUs,
    );
    const untilAnswer = Math.max(1, Math.floor(MAX_QUIET_US / attrs.sampleUs));
    return Math.max(0, Math.min(untilAggregation, untilUpdate, untilAnswer));
  }

  /** Ticks before the one that ends the aggregation interval. */
  get quietTicks(): number {
    return Math.max(0, this.targets.maxNrAccesses - 1 - this.#ticks);
  }

  /** Counts the ticks that the samplers made. */
  countTicks(ticks: number, intervals: number): void {
    const { all: targets } = this.targets;
    this.meter.ticks += ticks;
    this.meter.overruns += intervals - ticks;
    this.#passed += intervals;
    this.#ticks += ticks;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (target.prepared) target.ticks += ticks;
      else if (target.link === undefined) this.meter.lostTicks += ticks;
    }
  }

  /** Whether the aggregation interval ends with this tick. */
  get endsAggregation(): boolean {
    const isStretched = this.#passed + 1 >= MAX_STRETCH * this.targets.maxNrAccesses;
    return this.quietTicks === 0 || isStretched || this.#endsEarly;
  }

  /** Ends the aggregation interval. After less than half of its ticks, only merges: too few samples for a snapshot. */
  aggregate(): void {
    const { all: targets, attrs, maxNrAccesses } = this.targets;
    const isPublished = !this.#endsEarly || 2 * this.#ticks >= maxNrAccesses;
    aggregate(targets, this.#ticks, this.adaptation, this.targets.inForce.limits, (seen) => {
      for (const target of isPublished ? seen : []) {
        this.policy.observe(target, attrs);
        target.startUs = this.#aggregationStartUs;
      }
      if (isPublished) this.publish(seen);
      this.#aggregationStartUs = this.clock.nowUs();
    });
    this.#passed = 0;
    this.#ticks = 0;
    this.#endsEarly = false;
    if (isPublished) this.policy.aggregated(attrs, this.clock.nowUs());
  }

  /** Sends a snapshot of each target, and drops those that do not fit into the queue. The targets' `startUs` must be set. */
  protected publish(targets: readonly Target[], endUs = this.clock.nowUs()): void {
    for (const target of targets) {
      target.snapshots++;
      target.settling.add(target.table);
    }
    this.meter.snapshots += targets.length;
    const wanted = this.publisher.room;
    this.meter.droppedSnapshots += Math.max(0, targets.length - wanted);
    if (wanted === 0 || targets.length === 0) return;
    const times = { endUs, maxNrAccesses: this.targets.maxNrAccesses };
    this.publisher.snapshots(targets.slice(0, wanted), times, this.readStats());
  }

  /**
   * Publishes targets that have waited too long for their first snapshot, as a shorter interval. Counting continues. Called at
   * every turn of the coordinator. Not with evidence, whose rows mean nothing before the end of the interval.
   */
  answerWaiting(): void {
    const { all: targets, maxNrAccesses } = this.targets;
    const nowUs = this.clock.nowUs();
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (target.snapshots > 0) continue;
      target.sinceUs ??= nowUs;
      const { table, ticks } = target;
      if (ticks === 0 || table.evidence || nowUs - target.sinceUs < FIRST_ANSWER_US) continue;
      const counts = table.nrAccesses.slice(0, table.count);
      target.presence.measure(table);
      extrapolate(table, ticks, maxNrAccesses);
      target.startUs = Math.max(target.sinceUs, this.#aggregationStartUs);
      this.publish([target]);
      table.nrAccesses.set(counts);
    }
  }

  /** Publishes the interval that the end of a target cuts off. */
  publishLastOf(target: Target): void {
    if (!this.#isWorthPublishing(target)) return;
    mergeSeen([target], this.adaptation, this.targets.inForce.limits);
    target.startUs = this.#aggregationStartUs;
    this.publish([target]);
  }

  /**
   * Called when the monitor ends.
   *
   * @returns whether the last aggregation needs one more tick, for targets without any tick or snapshot
   */
  beginLast(): boolean {
    return this.targets.all.some(({ prepared, ticks, snapshots }) => prepared && ticks + snapshots === 0);
  }

  /** Publishes the interval that the end of the monitor cuts off, as a shorter one. */
  aggregateLast(): void {
    const last = this.targets.all.filter((target) => this.#isWorthPublishing(target));
    if (last.length === 0) return;
    mergeSeen(last, this.adaptation, this.targets.inForce.limits);
    for (const target of last) target.startUs = this.#aggregationStartUs;
    this.publish(last);
  }

  #isWorthPublishing({ table, ticks, snapshots }: Target): boolean {
    const least = snapshots === 0 ? 1 : LEAST_PART * this.targets.maxNrAccesses;
    return table.count > 0 && ticks >= least;
  }

  readStats(): MonitorStats {
    const { all, inForce } = this.targets;
    return this.meter.read(this.clock.nowUs(), countRegions(all), inForce.reported);
  }

  /**
   * Decides which mappings this tick must read, and marks the targets whose regions must then be fitted. With many targets,
   * reads a part at a time over the update interval, because reading all at once would delay ticks.
   */
  updateNeed(): UpdateNeed {
    const { all: targets, attrs } = this.targets;
    const isDue = this.dueUs >= this.#updateDueUs;
    const parts = this.#updateParts;
    const part = this.#updatedParts % parts;
    if (isDue) {
      this.shared.phases.setUpdate(part, parts);
      this.#updatedParts = part + 1;
      this.#updateDueUs = this.dueUs + attrs.updateUs / parts;
    }
    let need: UpdateNeed = isDue ? 'part' : 'none';
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      const isStale = target.table.status === TargetStatus.STALE;
      if (isStale && !isDue) need = 'stale';
      if (isStale || (isDue && target.info.id % parts === part)) target.unfitted = target.link !== undefined;
    }
    return need;
  }

  /** The share of the targets in each part of an update interval. */
  get updateShare(): number {
    return 1 / this.#updateParts;
  }

  get #updateParts(): number {
    return Math.max(1, Math.ceil(this.targets.all.length / UPDATED_AT_ONCE));
  }

  /**
   * Fits regions to the mappings just read, and detaches targets that have ended.
   *
   * @returns a target that can no longer be watched; the caller must ask its sampler why
   */
  fitRegions(): Target | undefined {
    const { all: targets } = this.targets;
    for (let i = targets.length - 1; i >= 0; i--) {
      const target = targets[i]!;
      const { table } = target;
      if (table.status === TargetStatus.GONE) {
        this.publishLastOf(target);
        this.targets.detach(target, 'ended');
      } else if (table.status === TargetStatus.FAILED) {
        if (!target.failing) return target;
      } else if (isToBeFitted(target) && table.status === TargetStatus.OK) {
        try {
          target.unfitted = !target.fitRegions();
        } catch (error) {
          target.failure = toWire(error).pagepulse.message;
          table.status = TargetStatus.FAILED;
        }
      }
    }
    return undefined;
  }

  /** Notes that the pages of all targets are marked old. */
  countPrepared(): void {
    const { all: targets } = this.targets;
    for (let i = 0; i < targets.length; i++) targets[i]!.prepared = targets[i]!.link !== undefined;
  }

  get isOver(): boolean {
    return this.dueUs >= this.durationUs;
  }

  /** Milliseconds until the next tick, or until the end of the monitor if that is sooner. */
  msToWait(): number {
    const untilUs = this.#isDueInTime ? this.dueUs : this.durationUs;
    return this.clock.msUntil(untilUs);
  }

  /** Whether the monitor must end now, before the next tick. */
  get endsBeforeDue(): boolean {
    return !this.clock.isVirtual && !this.#isDueInTime && this.clock.msUntil(this.durationUs) <= 0;
  }

  /** Whether the next tick is due before the end, or so shortly after it that it is still made. */
  get #isDueInTime(): boolean {
    return this.dueUs <= this.durationUs + MAX_QUIET_US;
  }

  /** Whether there were targets, and none is left or being opened. */
  get isAlone(): boolean {
    const { all: targets, arriving, hadTargets } = this.targets;
    return hadTargets && targets.length === 0 && arriving === 0;
  }

  /**
   * Called after new attrs. The ticks so far stand for the same share of the new interval. Ends the interval early if it would
   * continue for long with too many regions.
   */
  rescaleTicks(oldMax: number, newMax: number): void {
    const { attrs, all: targets } = this.targets;
    this.#passed = Math.floor((this.#passed * newMax) / oldMax);
    this.#ticks = Math.floor((this.#ticks * newMax) / oldMax);
    for (const target of targets) target.ticks = Math.floor((target.ticks * newMax) / oldMax);
    this.#updateDueUs = Math.min(this.#updateDueUs, this.dueUs + attrs.updateUs);
    const leftUs = (newMax - this.#ticks) * attrs.sampleUs;
    const { maxRegions } = this.targets.inForce.limits;
    this.#endsEarly = leftUs > TOO_LONG_US && countRegions(targets) > maxRegions;
  }
}

function isToBeFitted({ unfitted, hasNewLayout, table }: Target): boolean {
  return (unfitted || hasNewLayout) && !table.delivered;
}
