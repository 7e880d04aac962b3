import { TargetStatus } from '../core/table-header.js';
import { Order } from '../sources/source.js';
import { Schedule, type UpdateNeed } from './schedule.js';
import type { Interval, Target } from './target.js';

/** Events that lie closer together are one tick. */
const TICK_US = 50_000;
/** Without any event, a tick comes this often. */
const IDLE_US = 1_000_000;
/** Longest first interval of a target, for an early first snapshot, unless the user chose a longer one. */
const FIRST_US = 1_000_000;
/**
 * In the first interval of a target, accesses are also read after these times: if the process ends sooner, its counts are
 * lost. Only with few targets, because each read costs half as much as an interval.
 */
const PEEKS_US = [200_000, 500_000];
const PEEKED_TARGETS = 16;
/** At most this many intervals, with this much work, start in one tick. The tick in which they end takes as long. */
const BEGUN_AT_ONCE = 64;
const WORK_AT_ONCE_US = 200_000;
/** The end of the monitor publishes an interval only if it was at least this long, or the target's first. */
const SHORTEST_LAST_US = 50_000;
/** The last reads are left out if they would take longer than this, except for targets without a snapshot. */
const LAST_READS_US = 500_000;

/**
 * The schedule of targets whose regions a source delivers. There is no sampling. Each target has its own intervals, which start
 * in one phase and end in another, so ticks come when intervals start or end. Under a budget, intervals get longer, up to 10 s;
 * beyond that there are pauses between them (`turns`). Runs at most a few times a second.
 */
export class SourceSchedule extends Schedule {
  #isLast = false;
  #lastTickUs = Number.NEGATIVE_INFINITY;

  override startGrid(): void {
    this.setDue(this.#nextTickUs());
  }

  /** A new target starts its first interval at once. */
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

  /** Orders which intervals end in this tick, and which are read without ending. */
  override beginWork(): void {
    const nowUs = this.clock.nowUs();
    for (const { table, interval } of this.targets.all) {
      table.orders = 0;
      if (!interval.isRunning) continue;
      if (
        this.#isLast ? this.#isWorthALastRead(interval, nowUs) : this.#endUs(interval) <= nowUs + TICK_US / 2
      ) {
        table.ageStep = this.#passedIntervals(interval, nowUs);
        table.orders = Order.DELIVER;
      } else if (this.#peekUs(interval) <= nowUs) {
        table.orders = Order.PEEK;
      }
    }
  }

  /** Publishes delivered intervals, and orders new ones. */
  override aggregate(): void {
    const nowUs = this.clock.nowUs();
    const delivered: Target[] = [];
    let readsUs = 0;
    for (const target of this.targets.all) {
      const { table, interval } = target;
      const isThere = table.status === TargetStatus.OK && target.link !== undefined;
      if (!interval.isRunning || !isThere) continue;
      if (table.orders & Order.DELIVER) continue; // its sampler was lost; retried at the next tick
      if (table.deliveries !== interval.delivered) {
        delivered.push(target);
        readsUs += table.costUs;
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
    this.policy.delivered(readsUs, this.#passUs());
    if (!this.#isLast) this.#orderBeginnings(nowUs);
  }

  override aggregateLast(): void {
    this.aggregate();
  }

  override answerWaiting(): void {}

  /** Publishes the last read of a target that ended before its first interval did. */
  override publishLastOf(target: Target): void {
    const { interval } = target;
    if (!interval.hasPeek) return;
    target.startUs = interval.beganUs;
    this.publish([target], interval.lastEndUs);
  }

  /** Makes the next tick the last. It ends running intervals, unless that takes too long. */
  override beginLast(): boolean {
    this.#isLast = true;
    const nowUs = this.clock.nowUs();
    return this.targets.all.some(({ interval }) => this.#isWorthALastRead(interval, nowUs));
  }

  #isWorthALastRead({ isRunning, beganUs, delivered }: Interval, nowUs: number): boolean {
    if (!isRunning || delivered === 0) return isRunning;
    return nowUs - beganUs >= SHORTEST_LAST_US && this.#passUs() <= LAST_READS_US;
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

  /** When the next interval starts, ends, or is read without ending. Ticks are at least TICK_US apart. */
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

  /** When a target's next interval starts; the first one starts at once. */
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

  /** CPU time of one interval of every target, as last measured. */
  #passUs(): number {
    let passUs = 0;
    for (const { table } of this.targets.all) passUs += table.costUs;
    return passUs;
  }
}
