import { setImmediate as nextTurn } from 'node:timers/promises';
import { countRegions } from '../core/adaptation.js';
import type { Attrs } from '../core/attrs.js';
import { type AttrsInForce, sameInForce } from '../core/stats.js';
import type { AttrsPolicy } from './attrs-policy.js';
import type { Calls } from './calls.js';
import type { Clock } from './clock.js';
import { Phase } from './phases.js';
import type { EndReason } from './protocol.js';
import type { Publisher } from './publisher.js';
import type { Samplers } from './samplers.js';
import { MAX_QUIET_US, type Schedule } from './schedule.js';
import type { SharedState } from './shared-state.js';
import type { Targets } from './targets.js';

/** A sampler is given up when a phase takes it longer than this and than a sampling interval. */
const MIN_STALL_MS = 2_000;
const MAX_STALL_MS = 60_000;

/** How long the last phase may take: looks at many processes, or large ones. */
const LAST_PHASE_MS = 2_000;

/** How often the samplers are compared, whether one has much more to do than another. */
const BALANCE_US = 5_000_000;

/** On virtual time, how often the event loop gets a turn while the reader is waited for. */
const READER_SLICE_MS = 20;

/** What the loop drives. */
export interface LoopParts {
  readonly clock: Clock;
  readonly shared: SharedState;
  readonly calls: Calls;
  readonly samplers: Samplers;
  readonly targets: Targets;
  readonly publisher: Publisher;
  readonly schedule: Schedule;
  readonly policy: AttrsPolicy;
  /** Whether the monitor ends with its last target. */
  readonly endsAlone: boolean;
}

/**
 * The life of a monitor (core/cycle.ts) over its threads. The samplers tick by themselves until there is work on the tables: an
 * aggregation or update interval that ends, or a target whose address space is gone. Meanwhile this thread sleeps on a word
 * of the mailbox, which a call from the main thread changes; only then does the event loop get turns.
 */
export class Loop {
  #endReason: EndReason | undefined;
  /**
   * Of the next tick: whether its pages have been marked old; `none` if the grid itself must still be laid, at the start and
   * after new intervals.
   */
  #pages: 'none' | 'unmarked' | 'marked' = 'none';
  #balanceDueUs = BALANCE_US;

  constructor(readonly parts: LoopParts) {
    parts.samplers.stallMs = stallMs(parts.targets.attrs);
  }

  stop(reason: EndReason): void {
    this.#endReason ??= reason;
  }

  /** From the first tick to the end of the monitor. */
  async run(): Promise<void> {
    while (this.#endReason === undefined) await this.#turn();
    await this.#finish();
    const { publisher, schedule, samplers } = this.parts;
    publisher.send({ type: 'end', reason: this.#endReason, stats: schedule.readStats() });
    for (const link of [...samplers.all]) samplers.drop(link);
  }

  /**
   * Ticks up to the next one with work on the tables, or that tick. Some ten to twenty times a second; allocates nothing but
   * its promise while no call is being worked on.
   */
  async #turn(): Promise<void> {
    const { clock, shared, calls, samplers, targets, schedule, policy } = this.parts;
    if (this.#pages === 'none') {
      schedule.startGrid();
      this.#pages = 'unmarked';
    }
    const isAlone = !samplers.anyIsReady;
    schedule.reviseDue();
    // Long intervals, and those in which calls are worked on, are slept through here, where calls are heard.
    const isFast = clock.isVirtual || (targets.attrs.sampleUs <= MAX_QUIET_US && !calls.isBusy);
    const quiet = isAlone ? 0 : schedule.quietIntervals();
    if (isAlone || (this.#pages === 'marked' && (quiet === 0 || !isFast || calls.isOneOnItsWay))) {
      const msLeft = clock.isVirtual ? 0 : Math.max(0, schedule.msToWait());
      if (calls.isBusy || calls.sleep(msLeft)) {
        await calls.giveTurns(msLeft, this.#park);
        if (!clock.isVirtual && schedule.msToWait() > 0) return;
      }
      if (schedule.endsBeforeDue) return this.stop('duration');
      if (quiet === 0) return this.#work();
      if (this.#hasNewIntervals) return;
    }
    const isMarked = this.#pages === 'marked';
    if (!isMarked) schedule.countPrepared();
    this.#pages = 'marked';
    const intervals = isFast ? quiet : isMarked ? 1 : 0;
    samplers.begin(isMarked ? Phase.TICK : Phase.PREPARE_AND_TICK, intervals, schedule.quietTicks);
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
    schedule.countTicks(shared.barrier.ticks, shared.barrier.intervals);
    schedule.answerWaiting();
    if (policy.isDue(clock.nowUs())) await this.#keepPace();
  }

  /** A call may have changed them meanwhile. */
  get #hasNewIntervals(): boolean {
    return this.#pages === 'none';
  }

  /** A tick with work on the tables after its check. Sets the next one, its pages unmarked. */
  async #work(): Promise<void> {
    const { clock, shared, calls, samplers, targets, schedule, policy } = this.parts;
    clock.reached(schedule.dueUs);
    const need = schedule.updateNeed();
    const isAggregated = schedule.endsAggregation;
    schedule.beginWork();
    samplers.begin(Phase.CHECK);
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
    shared.barrier.countLateness();
    schedule.countTicks(1, 1);
    if (isAggregated) {
      if (clock.isVirtual) await this.#awaitReader();
      schedule.aggregate();
    }
    if (need !== 'none') {
      if (need === 'part') policy.beginUpdate();
      samplers.begin(need === 'part' ? Phase.UPDATE : Phase.REFRESH);
      if (!samplers.await(calls.arrived)) await this.#finishPhase();
    }
    const failed = schedule.fitRegions();
    if (need === 'part') policy.endUpdate(schedule.updateShare);
    if (failed) calls.inBackground(targets.fail(failed));
    if (schedule.isOver) this.stop('duration');
    if (this.parts.endsAlone && schedule.isAlone) this.stop('targets ended');
    schedule.setNextDue();
    if (this.#pages === 'marked') this.#pages = 'unmarked';
    if (isAggregated || policy.isDue(clock.nowUs())) await this.#keepPace();
    if (isAggregated) this.#balance();
  }

  /** Not on virtual time: a run must be the same however many samplers there are. */
  #balance(): void {
    const { clock, calls, targets } = this.parts;
    if (clock.isVirtual || calls.isBusy || clock.nowUs() < this.#balanceDueUs) return;
    this.#balanceDueUs = clock.nowUs() + BALANCE_US;
    if (targets.all.length > 1) calls.inBackground(targets.rebalance());
  }

  /** Applies what the policy asks for. The samplers must be parked; they need not answer. */
  async #keepPace(): Promise<void> {
    const { clock, targets, policy, publisher } = this.parts;
    policy.look(clock.nowUs(), countRegions(targets.all), targets.all.length);
    const { inForce } = policy;
    if (sameInForce(inForce, targets.inForce)) {
      targets.decide(inForce); // who chose them may have changed
    } else {
      // An answering sampler returns to its event loop, where V8 tidies up: more expensive than some ticks.
      if (targets.needsLargerTables(inForce.attrs)) await this.#park();
      await this.apply(inForce);
    }
    const step = policy.takeStep();
    if (step) publisher.send({ type: 'tuned', step });
  }

  /** Puts attrs in force. The samplers must be parked, and answering if tables must grow. */
  async apply(inForce: AttrsInForce): Promise<void> {
    const { clock, targets, schedule, samplers, policy, publisher } = this.parts;
    const before = targets.maxNrAccesses;
    await targets.setAttrs(inForce);
    schedule.rescaleTicks(before, targets.maxNrAccesses);
    samplers.stallMs = stallMs(inForce.attrs);
    this.#pages = 'none';
    policy.clearEvents();
    publisher.send({ type: 'attrs', change: { atUs: clock.nowUs(), ...inForce } });
  }

  /** Waits on for a phase while calls are heard, and gives up samplers that are lost. */
  async #finishPhase(): Promise<void> {
    const { shared, calls, samplers, targets } = this.parts;
    do {
      for (const link of samplers.findLost()) calls.inBackground(targets.reopen(targets.lose(link)));
      await nextTurn();
    } while (this.#endReason === undefined && !samplers.await(calls.arrived));
    // Which pages are marked is not known of a phase that was broken off.
    if (shared.phases.isBroken && this.#pages === 'marked') this.#pages = 'unmarked';
  }

  /** Parks the samplers where they answer calls. */
  readonly #park = async (): Promise<void> => {
    const { calls, samplers } = this.parts;
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
    samplers.begin(Phase.CONTROL);
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
  };

  /** On virtual time, the reader sets the pace: a run must be the same whoever reads it. */
  async #awaitReader(): Promise<void> {
    const { shared, publisher, targets } = this.parts;
    while (this.#endReason === undefined && !publisher.hasRoomFor(targets.all.length)) {
      shared.mailbox.awaitTaken(shared.mailbox.untaken, READER_SLICE_MS);
      await nextTurn();
    }
  }

  /** Publishes what was seen of the interval that the end cuts off. */
  async #finish(): Promise<void> {
    const { samplers, schedule } = this.parts;
    if (!samplers.anyIsReady || !(await this.#isParkedInTime())) return;
    if (schedule.beginLast()) {
      schedule.beginWork();
      samplers.begin(Phase.CHECK);
      if (!(await this.#isParkedInTime())) return;
      schedule.countTicks(1, 1);
    }
    schedule.aggregateLast();
  }

  /** Waits for the samplers, with a limit: stopping a monitor must not depend on a sampler that hangs. */
  async #isParkedInTime(): Promise<boolean> {
    const { samplers, calls } = this.parts;
    const untilMs = performance.now() + LAST_PHASE_MS;
    while (!samplers.await(calls.arrived)) {
      if (samplers.findLost().length > 0 || performance.now() > untilMs) return false;
      await nextTurn();
    }
    return true;
  }
}

function stallMs(attrs: Attrs): number {
  return Math.min(MAX_STALL_MS, Math.max(MIN_STALL_MS, attrs.sampleUs / 1_000));
}
