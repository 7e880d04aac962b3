import { TargetStatus } from '../core/region-table.js';
import { Order } from '../sources/source.js';
import { Schedule, type UpdateNeed } from './schedule.js';
import type { Interval, Target } from './target.js';

/** Events that lie closer together are one tick. */
const TICK_US = 50_000;
/** Without any event, the coordinator looks around this often. */
const IDLE_US = 1_000_000;
/** The first interval of a target is at most this long, unless the user chose a longer one: the first answer comes soon. */
const FIRST_US = 1_000_000;
/**
 * In the first interval of a target, what was accessed so far is also read after these times: a process that ends sooner
 * takes its counts with it. Only while there are few targets, since each read costs half of what an interval does.
 */
const PEEKS_US = [200_000, 500_000];
const PEEKED_TARGETS = 16;
/** At most this many intervals, of this much work, begin in one tick. The tick in which they end takes as long. */
const BEGUN_AT_ONCE = 64;
const WORK_AT_ONCE_US = 200_000;
/** An interval cut off by the end of the monitor is not published if it was shorter than this, unless it is the first. */
const SHORTEST_LAST_US = 50_000;
/** The last looks are left out if they would take longer than this, except for targets without a snapshot. */
const LAST_LOOKS_US = 500_000;

/**
 * The clock of targets whose regions a source delivers. There is no sampling: each target has intervals of its own, which
 * begin with one phase and end with another, so ticks come when some of them begin or end. Under a budget intervals get
 * longer, up to 10 s; beyond that there are pauses between them (`turns`). Runs some times a second at most.
 */
export class SourceSchedule extends Schedule {
  #isLast = false;
  #lastTickUs = Number.NEGATIVE_INFINITY;

  override startGrid(): void {
    this.setDue(this.#nextTickUs());
  }

  /** A target that has just come begins at once. */
  override reviseDue(): void {
    const nextUs = this.#nextTickUs();
    if (nextUs < this.dueUs) this.setDue(nextUs);
  }

  override setNextDue(): void {
    this.#lastTickUs = this.clock.nowUs();
    this.setDue(this.#nextTickUs());
  }

  override quietIntervals(): number {
    return 0;
  }

  override get endsAggregation(): boolean {
    return true;
  }

  override countTicks(ticks: number): void {
    this.meter.ticks += ticks;
  }

  override rescaleTicks(): void {}

  override updateNeed(): UpdateNeed {
    return this.targets.all.some(({ table }) => table.status === TargetStatus.STALE) ? 'stale' : 'none';
  }

  /** Before the looks of a tick: orders which intervals end, and which are peeked into. */
  override beginWork(): void {
    const nowUs = this.clock.nowUs();
    for (const { table, interval } of this.targets.all) {
      table.orders = 0;
      if (!interval.isRunning) continue;
      if (
        this.#isLast ? this.#isWorthALastLook(interval, nowUs) : this.#endUs(interval) <= nowUs + TICK_US / 2
      ) {
        table.ageStep = this.#passedIntervals(interval, nowUs);
        table.orders = Order.DELIVER;
      } else if (this.#peekUs(interval) <= nowUs) {
        table.orders = Order.PEEK;
      }
    }
  }

  /** Publishes what was delivered, and orders the intervals that begin. */
  override aggregate(): void {
    const nowUs = this.clock.nowUs();
    const delivered: Target[] = [];
    let looksUs = 0;
    for (const target of this.targets.all) {
      const { table, interval } = target;
      const isThere = table.status === TargetStatus.OK && target.link !== undefined;
      if (!interval.isRunning || !isThere) continue;
      if (table.orders & Order.DELIVER) continue; // its sampler was lost: again at the next tick
      if (table.deliveries !== interval.delivered) {
        delivered.push(target);
        looksUs += table.costUs;
        target.startUs = interval.beganUs;
        interval.delivered = table.deliveries;
        interval.isRunning = interval.hasPeek = false;
        interval.lastEndUs = nowUs;
      } else if (table.peeks !== interval.peeks) {
        interval.peeks = table.peeks;
        interval.hasPeek = true;
        interval.lastEndUs = nowUs;
      }
    }
    const { attrs } = this.targets;
    for (const target of delivered) this.policy.observe(target, attrs);
    this.publish(delivered, nowUs);
    if (delivered.length > 0) this.policy.aggregated(attrs, nowUs);
    this.policy.delivered(looksUs, this.#passUs());
    if (!this.#isLast) this.#orderBeginnings(nowUs);
  }

  override aggregateLast(): void {
    this.aggregate();
  }

  override answerWaiting(): void {}

  /** What a target that has ended was last seen to access, where no whole interval has told that. */
  override publishLastOf(target: Target): void {
    const { interval } = target;
    if (!interval.hasPeek) return;
    target.startUs = interval.beganUs;
    this.publish([target], interval.lastEndUs);
  }

  /** The last tick: running intervals end with it, if that does not take long. */
  override beginLast(): boolean {
    this.#isLast = true;
    const nowUs = this.clock.nowUs();
    return this.targets.all.some(({ interval }) => this.#isWorthALastLook(interval, nowUs));
  }

  #isWorthALastLook({ isRunning, beganUs, delivered }: Interval, nowUs: number): boolean {
    if (!isRunning || delivered === 0) return isRunning;
    return nowUs - beganUs >= SHORTEST_LAST_US && this.#passUs() <= LAST_LOOKS_US;
  }

  #orderBeginnings(nowUs: number): void {
    let begun = 0;
    let workUs = 0;
    for (const target of this.targets.all) {
      const { table, interval } = target;
      if (!this.#mayBegin(target) || this.#beginUs(interval) > nowUs + TICK_US / 2) continue;
      if (begun > 0 && (begun === BEGUN_AT_ONCE || workUs + table.costUs > WORK_AT_ONCE_US)) break;
      table.orders = Order.BEGIN;
      interval.isRunning = true;
      interval.beganUs = nowUs;
      begun++;
      workUs += table.costUs;
    }
  }

  #mayBegin({ table, link, interval }: Target): boolean {
    return !interval.isRunning && link !== undefined && table.status === TargetStatus.OK;
  }

  /** When the next interval begins or ends, or is peeked at; ticks keep their distance. */
  #nextTickUs(): number {
    const nowUs = this.clock.nowUs();
    let nextUs = Math.min(nowUs + IDLE_US, this.durationUs);
    for (const target of this.targets.all) {
      const { interval } = target;
      if (interval.isRunning) nextUs = Math.min(nextUs, this.#endUs(interval), this.#peekUs(interval));
      else if (this.#mayBegin(target)) nextUs = Math.min(nextUs, this.#beginUs(interval));
    }
    return Math.max(nextUs, nowUs, this.#lastTickUs + TICK_US);
  }

  /** When the next interval of a target is to begin: the first at once. */
  #beginUs({ beganUs, delivered }: Interval): number {
    const { attrs, turns = 1 } = this.targets.inForce;
    return delivered === 0 ? 0 : beganUs + turns * attrs.aggrUs;
  }

  #endUs({ beganUs, delivered }: Interval): number {
    const { attrs, reason } = this.targets.inForce;
    const isFirst = delivered === 0 && reason !== 'set';
    return beganUs + (isFirst ? Math.min(FIRST_US, attrs.aggrUs) : attrs.aggrUs);
  }

  #peekUs(interval: Interval): number {
    const isPeekedAt = interval.delivered === 0 && this.targets.all.length <= PEEKED_TARGETS;
    const afterUs = isPeekedAt ? PEEKS_US[interval.peeks] : undefined;
    return afterUs === undefined ? Number.POSITIVE_INFINITY : interval.beganUs + afterUs;
  }

  #passedIntervals({ lastEndUs }: Interval, nowUs: number): number {
    return Math.max(1, Math.round((nowUs - lastEndUs) / this.targets.attrs.aggrUs));
  }

  /** What one interval of every target costs, as it was measured last. */
  #passUs(): number {
    let passUs = 0;
    for (const { table } of this.targets.all) passUs += table.costUs;
    return passUs;
  }
}
