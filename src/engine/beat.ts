import { type Adaptation, type AdaptationLimits, countRegions } from '../core/adaptation.js';
import { extrapolate, resetAggregated } from '../core/aggregate.js';
import { maxSamples } from '../core/attrs.js';
import { limitsFor } from '../core/region-budget.js';
import { TargetStatus } from '../core/region-table.js';
import type { MonitorStats } from '../core/stats.js';
import { updateRegions } from '../core/update.js';
import type { Clock } from './clock.js';
import { toWire } from './comlink-errors.js';
import type { Gate } from './gate.js';
import type { Meter } from './meter.js';
import type { Pace } from './pace.js';
import type { Publisher } from './publisher.js';
import type { Roster } from './roster.js';
import type { WatchedTarget } from './watched-target.js';

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
export class Beat {
  /** Of this aggregation interval: sampling intervals that have passed, and those of them that were used. */
  #passed = 0;
  #ticks = 0;
  #aggregationStartUs = 0;
  /** Whether this aggregation interval is to end with the next tick. */
  #endsEarly = false;
  #updateDueUs: number;
  /** Of the update interval: how many parts of the targets have been looked at. */
  #updatedParts = 0;
  /** Of the aggregation interval that ends: the targets that were checked in at least half of its ticks. */
  readonly #seen: WatchedTarget[] = [];

  constructor(
    readonly clock: Clock,
    readonly gate: Gate,
    readonly roster: Roster,
    readonly meter: Meter,
    readonly pace: Pace,
    readonly publisher: Publisher,
    readonly adaptation: Adaptation,
    readonly durationUs: number,
  ) {
    this.#updateDueUs = roster.attrs.updateUs;
  }

  /** When the next tick is due, in the monitor's time: a point of the grid. */
  get dueUs(): number {
    return this.gate.dueUs;
  }

  /** Lays the grid anew from now on. */
  startGrid(): void {
    const { sampleUs } = this.roster.attrs;
    this.setDue(this.clock.nowUs() + sampleUs);
  }

  setDue(dueUs: number): void {
    this.gate.setDue(dueUs, this.clock.monotonicMsAt(dueUs), this.roster.attrs.sampleUs);
  }

  /** Called while the next tick is waited for: whether it should come sooner. */
  reviseDue(): void {}

  /** After a tick with work on the tables. */
  setNextDue(): void {
    this.setDue(this.dueUs + this.roster.attrs.sampleUs);
  }

  /** Before the checks of a tick with work on the tables. */
  beginWork(): void {}

  /** Sampling intervals until one in which the tables have to be worked on, or the user may have been waiting. */
  quietIntervals(): number {
    const { attrs, maxNrAccesses, targets } = this.roster;
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
    return Math.max(0, this.roster.maxNrAccesses - 1 - this.#ticks);
  }

  /** Counts what the samplers did by themselves. */
  countTicks(ticks: number, intervals: number): void {
    const { targets } = this.roster;
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
    const isStretched = this.#passed + 1 >= MAX_STRETCH * this.roster.maxNrAccesses;
    return this.quietTicks === 0 || isStretched || this.#endsEarly;
  }

  /**
   * Merge, publish, reset, split. Ticks that a target has missed all the same, because it came late or the interval
   * would have become too long, are made up for by extrapolation; but what ends early after less than half of its ticks
   * only merges: it is too little to be told to anybody.
   */
  aggregate(): void {
    const { targets, attrs, maxNrAccesses } = this.roster;
    const limits = this.#limits();
    this.#findSeen();
    for (let i = 0; i < this.#seen.length; i++) {
      extrapolate(this.#seen[i]!.table, this.#seen[i]!.ticks, maxNrAccesses);
    }
    for (let i = 0; i < this.#seen.length; i++) this.#seen[i]!.presence.take(this.#seen[i]!.table);
    this.adaptation.merge(this.#seen, limits);
    const isTold = !this.#endsEarly || 2 * this.#ticks >= maxNrAccesses;
    if (isTold) {
      for (let i = 0; i < this.#seen.length; i++) this.pace.observe(this.#seen[i]!, attrs);
      for (let i = 0; i < this.#seen.length; i++) this.#seen[i]!.startUs = this.#aggregationStartUs;
      this.publish(this.#seen);
    }
    this.#aggregationStartUs = this.clock.nowUs();
    for (let i = 0; i < targets.length; i++) {
      resetAggregated(targets[i]!.table);
      targets[i]!.ticks = 0;
    }
    this.adaptation.split(this.#seen, limits);
    this.#passed = 0;
    this.#ticks = 0;
    this.#endsEarly = false;
    if (isTold) this.pace.aggregated(attrs, this.clock.nowUs());
  }

  #findSeen(): void {
    const { targets } = this.roster;
    this.#seen.length = 0;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      const isThere = target.table.status === TargetStatus.OK;
      if (isThere && target.ticks * 2 >= this.#ticks) this.#seen.push(target);
    }
  }

  /** Sends a snapshot of each of these targets, as far as the user keeps up. Their `startUs` has been set. */
  protected publish(targets: readonly WatchedTarget[], endUs = this.clock.nowUs()): void {
    for (const target of targets) {
      target.snapshots++;
      target.settling.add(target.table);
    }
    this.meter.snapshots += targets.length;
    const wanted = this.publisher.room;
    this.meter.droppedSnapshots += Math.max(0, targets.length - wanted);
    if (wanted === 0 || targets.length === 0) return;
    const times = { endUs, maxNrAccesses: this.roster.maxNrAccesses };
    this.publisher.snapshots(targets.slice(0, wanted), times, this.readStats());
  }

  /**
   * Targets of which nothing has been published for too long since they came: what was seen of them so far is, as a shorter
   * interval, and counting goes on. Looked for at every turn of the coordinator; not with evidence, whose rows tell nothing
   * before they are read together.
   */
  answerWaiting(): void {
    const { targets, maxNrAccesses } = this.roster;
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
  publishLastOf(target: WatchedTarget): void {
    if (!this.#isWorthTelling(target)) return;
    this.#mergePart([target]);
    target.startUs = this.#aggregationStartUs;
    this.publish([target]);
  }

  /**
   * The monitor ends.
   *
   * @returns whether one more tick is needed before the last aggregation: there are targets of which nothing was seen
   */
  beginLast(): boolean {
    return this.roster.targets.some(({ prepared, ticks, snapshots }) => prepared && ticks + snapshots === 0);
  }

  /** At the end of the monitor: the interval that was cut off, as a shorter one. */
  aggregateLast(): void {
    const last = this.roster.targets.filter((target) => this.#isWorthTelling(target));
    if (last.length === 0) return;
    this.#mergePart(last);
    for (const target of last) target.startUs = this.#aggregationStartUs;
    this.publish(last);
  }

  #isWorthTelling({ table, ticks, snapshots }: WatchedTarget): boolean {
    const least = snapshots === 0 ? 1 : LEAST_PART * this.roster.maxNrAccesses;
    return table.count > 0 && ticks >= least;
  }

  #mergePart(targets: readonly WatchedTarget[]): void {
    for (const { table, presence, ticks } of targets) {
      presence.take(table);
      extrapolate(table, ticks, this.roster.maxNrAccesses);
    }
    this.adaptation.merge(targets, this.#limits());
  }

  #limits(): AdaptationLimits {
    const { targets, attrs, maxNrAccesses } = this.roster;
    const { maxRegions } = limitsFor(attrs, targets.length);
    const { minRegions } = attrs;
    return { minRegions, maxRegions, maxNrAccesses, maxSamples: maxSamples(attrs, maxRegions) };
  }

  readStats(): MonitorStats {
    const { targets, inForce } = this.roster;
    const attrs = limitsFor(inForce.attrs, targets.length);
    return this.meter.read(this.clock.nowUs(), countRegions(targets), { ...inForce, attrs });
  }

  /**
   * Which mappings this tick has to read again, and marks the targets whose regions follow from that. Of many targets a
   * part at a time, spread over the update interval: to read all at once would hold up the ticks.
   */
  updateNeed(): UpdateNeed {
    const { targets, attrs } = this.roster;
    const isDue = this.dueUs >= this.#updateDueUs;
    const parts = this.#updateParts;
    const part = this.#updatedParts % parts;
    if (isDue) {
      this.gate.setUpdate(part, parts);
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
    return Math.max(1, Math.ceil(this.roster.targets.length / UPDATED_AT_ONCE));
  }

  /**
   * Fits regions to the mappings that were read, and lets go of targets that have ended.
   *
   * @returns a target that can no longer be watched, for the caller to find out why
   */
  fitRegions(): WatchedTarget | undefined {
    const { targets } = this.roster;
    for (let i = targets.length - 1; i >= 0; i--) {
      const target = targets[i]!;
      const { table } = target;
      if (table.status === TargetStatus.GONE) {
        this.publishLastOf(target);
        this.roster.detach(target, 'ended');
      } else if (table.status === TargetStatus.FAILED) {
        if (!target.failing) return target;
      } else if (
        target.unfitted &&
        !table.delivered &&
        table.status === TargetStatus.OK &&
        table.hasRoomForUpdate
      ) {
        target.unfitted = false;
        try {
          updateRegions(table);
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
    const { targets } = this.roster;
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
    const { targets, arriving, hadTargets } = this.roster;
    return hadTargets && targets.length === 0 && arriving === 0;
  }

  /**
   * After new attrs: what was counted so far stands for the same share of the new interval; which ends early where it would
   * go on for long with more regions than there may be now.
   */
  rescaleTicks(oldMax: number, newMax: number): void {
    const { attrs, targets } = this.roster;
    this.#passed = Math.floor((this.#passed * newMax) / oldMax);
    this.#ticks = Math.floor((this.#ticks * newMax) / oldMax);
    for (const target of targets) target.ticks = Math.floor((target.ticks * newMax) / oldMax);
    this.#updateDueUs = Math.min(this.#updateDueUs, this.dueUs + attrs.updateUs);
    const leftUs = (newMax - this.#ticks) * attrs.sampleUs;
    const { maxRegions } = limitsFor(attrs, targets.length);
    this.#endsEarly = leftUs > TOO_LONG_US && countRegions(targets) > maxRegions;
  }
}
