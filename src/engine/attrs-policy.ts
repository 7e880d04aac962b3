import type { AdaptedTarget } from '../core/adaptation.js';
import {
  type Attrs,
  completeAttrs,
  maxNrAccesses,
  sameAttrs,
  withoutSampling,
  withSampleUs,
} from '../core/attrs.js';
import { PagepulseError } from '../core/errors.js';
import { limitsFor } from '../core/region-budget.js';
import type { AttrsInForce } from '../core/stats.js';
import {
  AccessEvents,
  clampSampleUs,
  nextSampleUs,
  scoreOf,
  type TuningGoal,
  type TuningStep,
} from '../core/tuning.js';
import { Budget, leastShareFor } from './budget.js';
import type { Meter } from './meter.js';
import type { PolicySetup } from './protocol.js';
import { SourceBudget } from './source-budget.js';

/** Cost is measured over windows of this length, or of one tick if that is longer. */
const WINDOW_US = 1_000_000;

/** The cost of the start is not representative: V8 compiles, and threads settle. */
const WARM_UP_US = 2_000_000;

/**
 * Decides which attrs are in force: the wanted ones (given, or found by `auto`) as far as the budget allows. The coordinator
 * applies them. Runs once per aggregation interval and once per second, never at a tick.
 */
export class AttrsPolicy {
  #wanted: Attrs;
  #goal: TuningGoal | undefined;
  #budget: Budget | undefined;
  /** Replaces the budget if a region source delivers. */
  #sourceBudget: SourceBudget | undefined;
  /** CPU time of the source's reads in the current window. */
  #readsUs = 0;
  /** Access events of each target since the last step. */
  readonly #events = new Map<AdaptedTarget, AccessEvents>();
  /** Aggregation intervals since the last step of `auto`. */
  #aggregations = 0;
  /** The last step of `auto`, until it is reported. */
  #step: TuningStep | undefined;
  /** Start of the current window: its time, and the counters then. */
  #fromUs = 0;
  #fromIntervals = 0;
  #fromOverruns = 0;
  #fromCpuUs = 0;
  #updates = 0;
  #updateCpuUs = 0;
  #updateFromCpuUs = 0;
  #windowDueUs = Number.POSITIVE_INFINITY;

  constructor(
    wanted: Attrs,
    readonly setup: PolicySetup,
    readonly meter: Meter,
  ) {
    const { goal, maxCpuPercent, isDelivered, durationUs } = setup;
    this.#goal = goal;
    if (maxCpuPercent !== undefined) {
      if (isDelivered) this.#sourceBudget = new SourceBudget(maxCpuPercent / 100, durationUs);
      else this.#budget = new Budget(maxCpuPercent / 100, durationUs);
      this.#windowDueUs = WARM_UP_US;
    }
    this.#wanted = goal && !isDelivered ? withSampleUs(wanted, clampSampleUs(wanted.sampleUs, goal)) : wanted;
  }

  /**
   * Rejects a budget that even a sampling interval of one minute exceeds.
   *
   * @param regions the fewest possible
   * @throws PagepulseError `ATTRS` with the smallest budget that works
   */
  requireEnough(regions: number): void {
    const leastPercent = 100 * leastShareFor(regions);
    const { maxCpuPercent } = this.setup;
    if (!this.#budget || maxCpuPercent === undefined || maxCpuPercent >= leastPercent) return;
    throw new PagepulseError(
      'ATTRS',
      `maxCpuPercent (${maxCpuPercent}) is too small: sampling ${regions} regions once a minute takes about ` +
        `${leastPercent.toPrecision(2)} % of a core; give at least that, or watch fewer targets`,
    );
  }

  /**
   * Takes the cost of intervals of a region source that have ended.
   *
   * @param readsUs CPU time of their reads
   * @param passUs CPU time of one interval of every target
   */
  delivered(readsUs: number, passUs: number): void {
    this.#readsUs += readsUs;
    this.#sourceBudget?.expect(passUs);
  }

  /** The attrs that should be in force now. */
  get inForce(): AttrsInForce {
    const wanted = this.#wanted;
    const { attrs, turns } = this.#sourceBudget?.allow(wanted) ?? {
      attrs: this.#budget?.allow(wanted) ?? wanted,
      turns: 1,
    };
    const isKept = sameAttrs(attrs, wanted) && turns === 1;
    const reason = !isKept ? 'budget' : this.#goal && !this.setup.isDelivered ? 'auto' : 'set';
    return turns === 1 ? { attrs, reason } : { attrs, reason, turns };
  }

  /**
   * Takes attrs from the user; others stay as they are. Given intervals end `auto`, and with it the default budget.
   *
   * @throws PagepulseError `ATTRS`
   */
  setByHand(changed: Partial<Attrs>): void {
    this.#wanted = this.setup.isDelivered
      ? withoutSampling(completeAttrs({ ...changed, sampleUs: 1 }, this.#wanted))
      : completeAttrs(changed, this.#wanted);
    if (changed.sampleUs === undefined && changed.aggrUs === undefined) return;
    this.#goal = undefined;
    if (this.setup.isDefaultBudget) {
      this.#budget = this.#sourceBudget = undefined;
      this.#windowDueUs = Number.POSITIVE_INFINITY;
    }
  }

  /** Counts a target's accesses at the end of its aggregation interval, after the merge. */
  observe(target: AdaptedTarget, attrs: Attrs): void {
    if (!this.#goal) return;
    const events = this.#events.get(target) ?? new AccessEvents();
    this.#events.set(target, events);
    events.add(target.table, maxNrAccesses(attrs));
  }

  /**
   * Ends an aggregation interval in which `attrs` were in force, and takes a step of `auto` if one is due. A region source needs
   * no tuning: its steps report how much is accessed, and change nothing.
   */
  aggregated(attrs: Attrs, nowUs: number): void {
    if (!this.#goal || ++this.#aggregations < this.#goal.aggrs) return;
    const busiest = busiestOf(this.#events.values(), this.#goal);
    if (busiest && busiest.possible > 0) {
      const sampleUs = this.setup.isDelivered
        ? attrs.sampleUs
        : nextSampleUs(attrs.sampleUs, busiest, this.#goal);
      if (!this.setup.isDelivered) this.#wanted = withSampleUs(this.#wanted, sampleUs);
      const score = scoreOf(busiest, this.#goal);
      this.#step = { atUs: nowUs, score, sampleUs: attrs.sampleUs, wantedSampleUs: sampleUs };
    }
    this.clearEvents();
  }

  /** Restarts a step: events observed with other attrs say nothing about the new ones. */
  clearEvents(): void {
    this.#aggregations = 0;
    this.#events.clear();
  }

  /** The step taken since the last call, if any. */
  takeStep(): TuningStep | undefined {
    const step = this.#step;
    this.#step = undefined;
    return step;
  }

  /** Whether the current window has ended. Called at every turn of the coordinator. */
  isDue(nowUs: number): boolean {
    return nowUs >= this.#windowDueUs;
  }

  /** Measures the cost of the current window if it has ended. */
  measure(nowUs: number, regions: number, targets: number): void {
    if (!this.isDue(nowUs)) return;
    const { ticks, overruns } = this.meter;
    const cpuUs = this.meter.cpuUs();
    const intervals = ticks + overruns - this.#fromIntervals;
    const missed = overruns - this.#fromOverruns;
    if (this.#budget && this.#fromUs > 0 && targets > 0 && intervals > 0) {
      const [updates, updateCpuUs] = [this.#updates, this.#updateCpuUs];
      const [elapsedUs, windowCpuUs] = [nowUs - this.#fromUs, cpuUs - this.#fromCpuUs];
      const spent = { intervals, elapsedUs, cpuUs: windowCpuUs, updates, updateCpuUs };
      const window = { ...spent, regions, overruns: missed };
      this.#budget.measure(window, this.#wanted, limitsFor(this.#wanted, targets).minRegions * targets);
    }
    if (this.#fromUs > 0) {
      const [elapsedUs, windowCpuUs] = [nowUs - this.#fromUs, cpuUs - this.#fromCpuUs];
      this.#sourceBudget?.measure({ elapsedUs, cpuUs: windowCpuUs, readsUs: this.#readsUs });
    }
    this.#readsUs = 0;
    this.#fromOverruns = overruns;
    this.#fromUs = nowUs;
    this.#fromCpuUs = cpuUs;
    this.#fromIntervals = ticks + overruns;
    this.#updates = this.#updateCpuUs = 0;
    this.#windowDueUs = nowUs + WINDOW_US;
  }

  beginUpdate(): void {
    if (this.#budget) this.#updateFromCpuUs = this.meter.threadsCpuUs();
  }

  /** @param share the share of targets whose mappings were read */
  endUpdate(share: number): void {
    if (!this.#budget) return;
    this.#updates += share;
    this.#updateCpuUs += this.meter.threadsCpuUs() - this.#updateFromCpuUs;
  }
}

/** All targets use the intervals that the busiest one needs. Averaged with many idle targets, it would not count. */
function busiestOf(all: Iterable<AccessEvents>, goal: TuningGoal): AccessEvents | undefined {
  let busiest: AccessEvents | undefined;
  for (const events of all) {
    if (!busiest || scoreOf(events, goal) > scoreOf(busiest, goal)) busiest = events;
  }
  return busiest;
}
