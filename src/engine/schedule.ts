import { type Adaptation, countRegions } from '../core/adaptation.js';
import { aggregate, extrapolate, mergeSeen, update } from '../core/cycle.js';
import { TargetStatus } from '../core/region-table.js';
import type { MonitorStats } from '../core/stats.js';
import type { AttrsPolicy } from './attrs-policy.js';
import type { Clock } from './clock.js';
import { toWire } from './comlink-errors.js';
import type { Meter } from './meter.js';
import type { Publisher } from './publisher.js';
import type { SharedState } from './shared-state.js';
import type { Target } from './target.js';
import type { Targets } from './targets.js';

/** Calls that need the samplers parked wait no longer than this. */
export const MAX_QUIET_US = 50_000;

/**
 * Where ticks are missed, an aggregation interval lasts until all of its ticks are made (as the kernel's does), but not
 * longer than so many times its length: a region's share is worth what the number of its samples is.
 */
const MAX_STRETCH = 4;

/** An aggregation interval that would go on for longer than this with more regions than are allowed by now ends at once. */
const TOO_LONG_US = 10_000_000;

/** The first snapshot of a target is published after this time at the latest, however long the intervals are. */
const FIRST_ANSWER_US = 4_000_000;
/** A part of an aggregation interval is published at the end if it had this share of its ticks, or nothing was before. */
const LEAST_PART = 0.25;

/** How the mappings of the targets are to be looked at in a tick. */
export type UpdateNeed = 'none' | 'stale' | 'part';

/**
 * Targets whose mappings are read at a time, at most: some 100 us each, divided among the samplers.
 */
const UPDATED_AT_ONCE = 32;

/**
 * What the coordinator does with the tables between the phases of a tick, and when what is due. It never waits. The
 * methods named for a tick run at every one and allocate nothing; the others run once an aggregation interval.
 */
export class Schedule {
  /** Of this aggregation interval: sampling intervals that have passed, and those of them that were used. */
  #passed = 0;
  #ticks = 0;
  #aggregationStartUs = 0;
  /** Whether this aggregation interval is to end with the next tick. */
  #endsEarly = false;
  #updateDueUs: number;
  /** Of the update interval: how many parts of the targets have been looked at. */
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

  /** When the next tick is due, in the monitor's time: a point of the grid. */
  get dueUs(): number {
    return this.shared.barrier.dueUs;
  }

  /** Lays the grid anew from now on. */
  startGrid(): void {
    const { sampleUs } = this.targets.attrs;
    this.setDue(this.clock.nowUs() + sampleUs);
  }

  setDue(dueUs: number): void {
    this.shared.barrier.setDue(dueUs, this.clock.monotonicMsAt(dueUs), this.targets.attrs.sampleUs);
  }

  /** Called while the next tick is waited for: whether it should come sooner. */
  reviseDue(): void {}

  /** After a tick with work on the tables. */
  setNextDue(): void {
    this.setDue(this.dueUs + this.targets.attrs.sampleUs);
  }

  /** Before the checks of a tick with work on the tables. */
  beginWork(): void {}

  /** Sampling intervals until one in which the tables have to be worked on, or the user may have been waiting. */
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

  /** Ticks until the one with which the aggregation interval ends. */
  get quietTicks(): number {
    return Math.max(0, this.targets.maxNrAccesses - 1 - this.#ticks);
  }

  /** Counts what the samplers did by themselves. */
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

  /** Whether the aggregation interval ends with the tick that begins. */
  get endsAggregation(): boolean {
    const isStretched = this.#passed + 1 >= MAX_STRETCH * this.targets.maxNrAccesses;
    return this.quietTicks === 0 || isStretched || this.#endsEarly;
  }

  /** An interval that ends early, after less than half of its ticks, only merges: it is too little to be published. */
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

  /** Sends a snapshot of each of these targets, as far as the user keeps up. Their `startUs` has been set. */
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
   * Targets of which nothing has been published for too long since they came: what was seen of them so far is, as a shorter
   * interval, and counting goes on. Looked for at every turn of the coordinator; not with evidence, whose rows tell nothing
   * before they are read together.
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
      target.presence.take(table);
      extrapolate(table, ticks, maxNrAccesses);
      target.startUs = Math.max(target.sinceUs, this.#aggregationStartUs);
      this.publish([target]);
      table.nrAccesses.set(counts);
    }
  }

  /** What was seen of a target in the interval that its end cuts off. */
  publishLastOf(target: Target): void {
    if (!this.#isWorthTelling(target)) return;
    mergeSeen([target], this.adaptation, this.targets.inForce.limits);
    target.startUs = this.#aggregationStartUs;
    this.publish([target]);
  }

  /**
   * The monitor ends.
   *
   * @returns whether one more tick is needed before the last aggregation: there are targets of which nothing was seen
   */
  beginLast(): boolean {
    return this.targets.all.some(({ prepared, ticks, snapshots }) => prepared && ticks + snapshots === 0);
  }

  /** At the end of the monitor: the interval that was cut off, as a shorter one. */
  aggregateLast(): void {
    const last = this.targets.all.filter((target) => this.#isWorthTelling(target));
    if (last.length === 0) return;
    mergeSeen(last, this.adaptation, this.targets.inForce.limits);
    for (const target of last) target.startUs = this.#aggregationStartUs;
    this.publish(last);
  }

  #isWorthTelling({ table, ticks, snapshots }: Target): boolean {
    const least = snapshots === 0 ? 1 : LEAST_PART * this.targets.maxNrAccesses;
    return table.count > 0 && ticks >= least;
  }

  readStats(): MonitorStats {
    const { all, inForce } = this.targets;
    return this.meter.read(this.clock.nowUs(), countRegions(all), inForce.reported);
  }

  /**
   * Which mappings this tick has to read again, and marks the targets whose regions follow from that. Of many targets a
   * part at a time, spread over the update interval: to read all at once would hold up the ticks.
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

  /** The share of the targets that a part of an update interval looks at. */
  get updateShare(): number {
    return 1 / this.#updateParts;
  }

  get #updateParts(): number {
    return Math.max(1, Math.ceil(this.targets.all.length / UPDATED_AT_ONCE));
  }

  /**
   * Fits regions to the mappings that were read, and lets go of targets that have ended.
   *
   * @returns a target that can no longer be watched, for the caller to find out why
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
      } else if (target.unfitted && !table.delivered && table.status === TargetStatus.OK) {
        try {
          target.unfitted = !update(table);
        } catch (error) {
          target.failure = toWire(error).pagepulse.message;
          table.status = TargetStatus.FAILED;
        }
      }
    }
    return undefined;
  }

  /** Pages of all targets are marked old. */
  countPrepared(): void {
    const { all: targets } = this.targets;
    for (let i = 0; i < targets.length; i++) targets[i]!.prepared = targets[i]!.link !== undefined;
  }

  get isOver(): boolean {
    return this.dueUs >= this.durationUs;
  }

  /** Until the next tick, or the end if that comes first: intervals may be longer than what is left. */
  msToWait(): number {
    const untilUs = this.#isDueInTime ? this.dueUs : this.durationUs;
    return this.clock.msUntil(untilUs);
  }

  /** Whether the monitor ends now, before the next tick. */
  get endsBeforeDue(): boolean {
    return !this.clock.isVirtual && !this.#isDueInTime && this.clock.msUntil(this.durationUs) <= 0;
  }

  /** A tick that is due at about the end is still made. */
  get #isDueInTime(): boolean {
    return this.dueUs <= this.durationUs + MAX_QUIET_US;
  }

  /** Whether there were targets, and none is left nor on its way. */
  get isAlone(): boolean {
    const { all: targets, arriving, hadTargets } = this.targets;
    return hadTargets && targets.length === 0 && arriving === 0;
  }

  /**
   * After new attrs: what was counted so far stands for the same share of the new interval; which ends early where it would
   * go on for long with more regions than there may be now.
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
