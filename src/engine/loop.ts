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

/** A sampler is declared lost if a phase takes longer than this and longer than a sampling interval. */
const MIN_STALL_MS = 2_000;
const MAX_STALL_MS = 60_000;

/** How long the last phase may take: there may be many processes, or large ones. */
const LAST_PHASE_MS = 2_000;

/** How often targets may move from a busy sampler to another. */
const BALANCE_US = 5_000_000;

/** On virtual time, how often the event loop gets a turn while waiting for the reader. */
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
 * Runs the cycle of a monitor (core/cycle.ts) over its threads. The samplers tick without the coordinator until there is work
 * on the tables: the end of an aggregation or update interval, or a target whose address space is gone. Meanwhile this thread
 * sleeps on a word of the mailbox, which a call from the main thread changes. Only then does the event loop get turns.
 */
export class Loop {
  #endReason: EndReason | undefined;
  /**
   * Whether the pages of the next tick have been marked old. `none` if there is no grid of ticks yet: at the start and after
   * new intervals.
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
   * Runs the ticks before the next work on the tables, or the tick with that work. Called about ten to twenty times a second.
   * Allocates only its promise while no call is in progress.
   */
  async #turn(): Promise<void> {
    const { clock, shared, calls, samplers, targets, schedule, policy } = this.parts;
    if (this.#pages === 'none') {
      schedule.startGrid();
      this.#pages = 'unmarked';
    }
    const isAlone = !samplers.anyIsReady;
    schedule.reviseDue();
    // This thread, not the samplers, waits during long intervals and while calls are in progress, because it hears calls.
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

  /** Whether a call has changed the intervals meanwhile. */
  get #hasNewIntervals(): boolean {
    return this.#pages === 'none';
  }

  /** Runs a tick with work on the tables after its check. Sets the next tick, with unmarked pages. */
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

  /** Does nothing on virtual time, where a run must not depend on the number of samplers. */
  #balance(): void {
    const { clock, calls, targets } = this.parts;
    if (clock.isVirtual || calls.isBusy || clock.nowUs() < this.#balanceDueUs) return;
    this.#balanceDueUs = clock.nowUs() + BALANCE_US;
    if (targets.all.length > 1) calls.inBackground(targets.rebalance());
  }

  /** Applies the attrs that the policy decides. The samplers must be parked, but need not answer. */
  async #keepPace(): Promise<void> {
    const { clock, targets, policy, publisher } = this.parts;
    policy.measure(clock.nowUs(), countRegions(targets.all), targets.all.length);
    const { inForce } = policy;
    if (sameInForce(inForce, targets.inForce)) {
      targets.decide(inForce); // the reason may have changed
    } else {
      // An answering sampler returns to its event loop, where V8 collects garbage: more expensive than several ticks.
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

  /** Continues to wait for a phase while hearing calls, and replaces lost samplers. */
  async #finishPhase(): Promise<void> {
    const { shared, calls, samplers, targets } = this.parts;
    do {
      for (const link of samplers.findLost()) calls.inBackground(targets.reopen(targets.lose(link)));
      await nextTurn();
    } while (this.#endReason === undefined && !samplers.await(calls.arrived));
    // After an aborted phase, it is unknown which pages are marked.
    if (shared.phases.isBroken && this.#pages === 'marked') this.#pages = 'unmarked';
  }

  /** Parks the samplers and lets them answer calls. */
  readonly #park = async (): Promise<void> => {
    const { calls, samplers } = this.parts;
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
    samplers.begin(Phase.CONTROL);
    if (!samplers.await(calls.arrived)) await this.#finishPhase();
  };

  /** On virtual time, waits for the reader: a run must not depend on the reader's speed. */
  async #awaitReader(): Promise<void> {
    const { shared, publisher, targets } = this.parts;
    while (this.#endReason === undefined && !publisher.hasRoomFor(targets.all.length)) {
      shared.mailbox.awaitTaken(shared.mailbox.untaken, READER_SLICE_MS);
      await nextTurn();
    }
  }

  /** Publishes the interval that the end cuts off. */
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

  /** Waits for the samplers, with a time limit: a sampler that hangs must not keep the monitor from stopping. */
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
