import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import * as Comlink from 'comlink';
import { countRegions } from '../core/adaptation.js';
import { type Attrs, requireKnownTo } from '../core/attrs.js';
import { createAdaptation } from '../core/create-adaptation.js';
import { DELIVERED } from '../core/delivered.js';
import { RandomStreams } from '../core/random.js';
import { limitsFor } from '../core/region-budget.js';
import { type AttrsInForce, type MonitorStats, sameInForce } from '../core/stats.js';
import type { TargetRequest } from '../sources/target-request.js';
import { Beat, MAX_QUIET_US } from './beat.js';
import { type Clock, startClock } from './clock.js';
import { fromWire, isWire } from './comlink-errors.js';
import { Gate, Phase } from './gate.js';
import { Meter } from './meter.js';
import type { InControl } from './opening.js';
import { Pace } from './pace.js';
import type {
  Attached,
  CoordinatorApi,
  CoordinatorStart,
  DetachReason,
  EndReason,
  HostApi,
  MonitorSetup,
  Started,
} from './protocol.js';
import { Publisher } from './publisher.js';
import { Roster } from './roster.js';
import { Samplers } from './samplers.js';
import { SourceBeat } from './source-beat.js';

/** While calls are being worked on, the event loop gets a turn at least this often. */
const SLICE_MS = 20;

/** A sampler is given up when a phase takes it longer than this and than a sampling interval. */
const MIN_STALL_MS = 2_000;
const MAX_STALL_MS = 60_000;

/** How long the last phase may take: looks at many processes, or large ones. */
const LAST_PHASE_MS = 2_000;

/** Samplers are looked at so often, whether one has much more to do than another. */
const BALANCE_US = 5_000_000;

/** What there is once the monitor has been set up. */
interface Parts {
  readonly clock: Clock;
  readonly samplers: Samplers;
  readonly roster: Roster;
  readonly publisher: Publisher;
  readonly beat: Beat;
  readonly pace: Pace;
}

/**
 * Owns time, and with it the tables. Ticks follow each other without a return to the event loop, with the thread asleep
 * on a word of the gate in between; a call from outside changes that word. Only then, and while such a call is being
 * worked on, does the event loop get its turns: between two ticks, or in a phase that some sampler does not end.
 */
export class Coordinator implements CoordinatorApi {
  readonly #gate: Gate;
  readonly #host: Comlink.Remote<HostApi>;
  readonly #start: CoordinatorStart;
  #parts: Parts | undefined;
  #onSetUp: (parts: Parts) => void = () => {};
  #endReason: EndReason | undefined;
  /** Whether the monitor ends with its last target. */
  #endsAlone = true;
  /** Calls from outside that have arrived. */
  #arrived = 0;
  /** What is being worked on with the help of the event loop: calls, and the replacing of lost samplers. */
  #busy = 0;
  /** Steps that wait for the samplers to be parked and answering. */
  #steps: (() => Promise<void>)[] = [];
  /**
   * Of the next tick: whether its pages have been marked old; `none` where the grid itself is still to be laid, at the
   * start and after new intervals.
   */
  #pages: 'none' | 'unmarked' | 'marked' = 'none';
  #balanceDueUs = BALANCE_US;

  constructor(start: CoordinatorStart) {
    this.#start = start;
    this.#gate = new Gate(start.gate);
    this.#host = Comlink.wrap<HostApi>(start.host);
  }

  // Answers to the main thread.

  start(setup: MonitorSetup): Promise<Started> {
    return this.#answer(async () => {
      const { attrs, check } = setup;
      this.#endsAlone = setup.endsAlone;
      const samplers = new Samplers(this.#gate, this.#host, check, setup.samplerLimit);
      const publisher = new Publisher(this.#gate, this.#start.data, setup.queueLimit);
      const meter = new Meter(this.#gate, samplers, setup.clock, setup.costOf);
      const pace = new Pace(attrs, setup.pace, meter);
      const streams = new RandomStreams(setup.seed);
      const { isDelivered } = setup.pace;
      const adaptation = isDelivered ? DELIVERED : createAdaptation(setup.adaptation);
      const inControl: InControl = (step) => this.#inControl(step);
      const { answersPerRegion } = adaptation;
      const roster = new Roster(pace.inForce, {
        answersPerRegion,
        samplers,
        publisher,
        meter,
        streams,
        inControl,
        inBackground: (work) => this.#inBackground(work),
        isDelivered,
      });
      const attached = await roster.attach(setup.targets);
      if (!setup.skipsFailing) for (const each of attached) if (isWire(each)) throw fromWire(each);
      const { minRegions } = limitsFor(attrs, roster.targets.length);
      pace.requireEnough(minRegions * roster.targets.length);
      await roster.setAttrs(pace.inForce);
      samplers.stallMs = stallMs(roster.attrs);
      const clock = startClock(setup.clock);
      // What opening the targets took was before this time: in a share of it, it would be several cores.
      meter.restart();
      const ClockOf = isDelivered ? SourceBeat : Beat;
      const beat = new ClockOf(
        clock,
        this.#gate,
        roster,
        meter,
        pace,
        publisher,
        adaptation,
        setup.durationUs,
      );
      this.#parts = { clock, samplers, roster, publisher, beat, pace };
      this.#onSetUp(this.#parts);
      const { startedAt, startedMonotonicNs } = clock;
      return {
        inForce: roster.inForce,
        attached,
        startedAt,
        startedMonotonicNs,
      };
    });
  }

  attach(requests: readonly TargetRequest[]): Promise<Attached[]> {
    return this.#answer(({ roster }) => roster.attach(requests));
  }

  detach(ids: readonly number[], reason: DetachReason): Promise<boolean> {
    const leaving = new Set(ids);
    // In control: a step that is under way may have chosen some of them, and while no sampler counts, what was seen of a
    // target that has ended can be read.
    return this.#answer(({ roster, beat }) =>
      this.#inControl(async () => {
        const targets = roster.targets.filter(({ info }) => leaving.has(info.id));
        for (const target of targets) {
          if (reason === 'ended') beat.publishLastOf(target);
          roster.detach(target, reason);
        }
        return targets.length > 0;
      }),
    );
  }

  setAttrs(changed: Partial<Attrs>): Promise<Attrs> {
    return this.#answer((parts) =>
      this.#inControl(async () => {
        requireKnownTo(parts.beat.adaptation.name, changed);
        parts.pace.setByHand(changed);
        await this.#apply(parts, parts.pace.inForce);
        return parts.roster.attrs;
      }),
    );
  }

  stats(): Promise<MonitorStats> {
    return this.#answer(async ({ beat }) => beat.readStats());
  }

  stop(reason: EndReason): Promise<void> {
    return this.#answer(async () => {
      this.#endReason ??= reason;
    });
  }

  /** The life of the monitor, from its set-up to its end. */
  async run(): Promise<void> {
    const parts = await new Promise<Parts>((resolve) => {
      this.#onSetUp = resolve;
    });
    while (this.#endReason === undefined) await this.#runQuietly(parts);
    await this.#finish(parts);
    const { publisher, beat, samplers } = parts;
    publisher.send({ type: 'end', reason: this.#endReason, stats: beat.readStats() });
    for (const link of [...samplers.all]) samplers.drop(link);
  }

  /** Publishes what was seen of the interval that the end cuts off. */
  async #finish(parts: Parts): Promise<void> {
    const { samplers, beat } = parts;
    if (!samplers.anyIsReady || !(await this.#isParked(parts))) return;
    if (beat.beginLast()) {
      beat.beginWork();
      samplers.begin(Phase.CHECK);
      if (!(await this.#isParked(parts))) return;
      beat.countTicks(1, 1);
    }
    beat.aggregateLast();
  }

  /** Waits for the samplers, with a limit: stopping a monitor must not depend on a sampler that hangs. */
  async #isParked({ samplers }: Parts): Promise<boolean> {
    const untilMs = performance.now() + LAST_PHASE_MS;
    while (!samplers.await(this.#arrived)) {
      if (samplers.findLost().length > 0 || performance.now() > untilMs) return false;
      await nextTurn();
    }
    return true;
  }

  /**
   * The samplers tick by themselves, on the grid, until there is work to do on the tables: an aggregation or update
   * interval that ends, or a stale target. Hot: some ten to twenty times a second; allocates nothing while no call is
   * being worked on.
   */
  async #runQuietly(parts: Parts): Promise<void> {
    const { clock, samplers, roster, beat, pace } = parts;
    while (this.#endReason === undefined) {
      if (!this.#hasGrid) {
        beat.startGrid();
        this.#pages = 'unmarked';
      }
      const isAlone = !samplers.anyIsReady;
      beat.reviseDue();
      const { sampleUs } = roster.attrs;
      // Long intervals, and those in which calls are worked on, are slept through here, where calls are heard.
      const isFast = clock.isVirtual || (sampleUs <= MAX_QUIET_US && !this.#isBusy);
      const quiet = isAlone ? 0 : beat.quietIntervals();
      const isCalled = this.#gate.calls !== this.#arrived;
      if (isAlone || (this.#pages === 'marked' && (quiet === 0 || !isFast || isCalled))) {
        const msLeft = clock.isVirtual ? 0 : Math.max(0, beat.msToWait());
        if (this.#isBusy || this.#gate.sleep(this.#arrived, msLeft)) {
          await this.#giveTurns(parts, msLeft);
          if (!clock.isVirtual && beat.msToWait() > 0) continue;
        }
        if (beat.endsBeforeDue) {
          this.#endReason ??= 'duration';
          break;
        }
        if (quiet === 0) {
          await this.#work(parts);
          continue;
        }
        if (!this.#hasGrid) continue; // a call has changed the intervals
      }
      const isMarked = this.#pages === 'marked';
      const intervals = isFast ? quiet : isMarked ? 1 : 0;
      if (!isMarked) beat.countPrepared();
      this.#pages = 'marked';
      samplers.begin(isMarked ? Phase.TICK : Phase.PREPARE_AND_TICK, intervals, beat.quietTicks);
      if (!samplers.await(this.#arrived)) await this.#finishPhase(parts);
      beat.countTicks(this.#gate.ticks, this.#gate.intervals);
      beat.answerWaiting();
      if (pace.isDue(clock.nowUs())) await this.#keepPace(parts);
    }
  }

  /** A tick at which there is work on the tables, after its check. Leaves the next one set, its pages unmarked. */
  async #work(parts: Parts): Promise<void> {
    const { clock, samplers, roster, beat, pace } = parts;
    clock.reached(beat.dueUs);
    const need = beat.updateNeed();
    const isAggregated = beat.endsAggregation;
    beat.beginWork();
    samplers.begin(Phase.CHECK);
    if (!samplers.await(this.#arrived)) await this.#finishPhase(parts);
    this.#gate.countLateness();
    beat.countTicks(1, 1);
    if (isAggregated) {
      if (clock.isVirtual) await this.#awaitReader(parts);
      beat.aggregate();
    }
    if (need !== 'none') {
      if (need === 'part') pace.beginUpdate();
      samplers.begin(need === 'part' ? Phase.UPDATE : Phase.REFRESH);
      if (!samplers.await(this.#arrived)) await this.#finishPhase(parts);
    }
    const failed = beat.fitRegions();
    if (need === 'part') pace.endUpdate(beat.updateShare);
    if (failed) this.#inBackground(roster.fail(failed));
    if (beat.isOver) this.#endReason ??= 'duration';
    if (this.#endsAlone && beat.isAlone) this.#endReason ??= 'targets ended';
    beat.setNextDue();
    if (this.#pages === 'marked') this.#pages = 'unmarked';
    if (isAggregated || pace.isDue(clock.nowUs())) await this.#keepPace(parts);
    if (isAggregated) this.#balance(parts);
  }

  /** Not on virtual time: a run has to be the same however many samplers there are. */
  #balance({ clock, roster }: Parts): void {
    if (clock.isVirtual || this.#isBusy || clock.nowUs() < this.#balanceDueUs) return;
    this.#balanceDueUs = clock.nowUs() + BALANCE_US;
    if (roster.targets.length > 1) this.#inBackground(roster.rebalance());
  }

  /** Applies what the pace asks for. The samplers must be parked; they need not answer. */
  async #keepPace(parts: Parts): Promise<void> {
    const { clock, roster, pace, publisher } = parts;
    pace.look(clock.nowUs(), countRegions(roster.targets), roster.targets.length);
    const { inForce } = pace;
    if (sameInForce(inForce, roster.inForce)) {
      roster.inForce = inForce;
    } else {
      // An answering sampler returns to its event loop, where V8 tidies up: dearer than some ticks.
      if (roster.needsLargerTables(inForce.attrs)) await this.#park(parts);
      await this.#apply(parts, inForce);
    }
    const step = pace.takeStep();
    if (step) publisher.send({ type: 'tuned', step });
  }

  /** Puts attrs in force. The samplers must be parked, and answering where tables have to grow. */
  async #apply(
    { clock, roster, beat, samplers, pace, publisher }: Parts,
    inForce: AttrsInForce,
  ): Promise<void> {
    const before = roster.maxNrAccesses;
    await roster.setAttrs(inForce);
    beat.rescaleTicks(before, roster.maxNrAccesses);
    samplers.stallMs = stallMs(inForce.attrs);
    this.#pages = 'none';
    pace.clearEvents();
    publisher.send({ type: 'attrs', change: { atUs: clock.nowUs(), ...inForce } });
  }

  /** Waits on for a phase while calls are heard, and gives up samplers that are lost. */
  async #finishPhase({ samplers, roster }: Parts): Promise<void> {
    do {
      for (const link of samplers.findLost()) {
        this.#inBackground(roster.reopen(roster.lose(link)));
      }
      await nextTurn();
    } while (this.#endReason === undefined && !samplers.await(this.#arrived));
    // Of what was broken off, nobody knows which pages are marked.
    if (this.#gate.isBroken && this.#pages === 'marked') this.#pages = 'unmarked';
  }

  get #hasGrid(): boolean {
    return this.#pages !== 'none';
  }

  /** Whether somebody needs the event loop, or the samplers parked. */
  get #isBusy(): boolean {
    return this.#busy > 0 || this.#steps.length > 0;
  }

  /** Lets calls arrive and be worked on, until the next tick is due or there are none left. */
  async #giveTurns(parts: Parts, msLeft: number): Promise<void> {
    await nextTurn();
    if (this.#steps.length > 0) {
      await this.#park(parts);
      for (const step of this.#steps.splice(0)) await step();
    } else if (this.#isBusy) {
      await pause(Math.min(SLICE_MS, msLeft));
    }
  }

  /** Parks the samplers where they answer calls. */
  async #park(parts: Parts): Promise<void> {
    const { samplers } = parts;
    if (!samplers.await(this.#arrived)) await this.#finishPhase(parts);
    samplers.begin(Phase.CONTROL);
    if (!samplers.await(this.#arrived)) await this.#finishPhase(parts);
  }

  /** On virtual time, the reader sets the pace: a run has to be the same whoever reads it. */
  async #awaitReader({ publisher, roster }: Parts): Promise<void> {
    while (this.#endReason === undefined && !publisher.hasRoomFor(roster.targets.length)) {
      this.#gate.awaitTaken(this.#gate.untaken, SLICE_MS);
      await nextTurn();
    }
  }

  async #answer<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
    this.#arrived++;
    this.#busy++;
    try {
      return await work(this.#parts as Parts);
    } finally {
      // A turn later: the answer is posted after this, and must be before the thread goes to sleep again.
      setImmediate(() => this.#busy--);
    }
  }

  #inBackground(work: Promise<void>): void {
    this.#busy++;
    void work.finally(() => this.#busy--);
  }

  /** Before the first tick the samplers answer at any time. */
  #inControl<T>(step: () => Promise<T>): Promise<T> {
    if (!this.#parts) return step();
    return new Promise((resolve, reject) => {
      this.#steps.push(() => step().then(resolve, reject));
    });
  }
}

function stallMs(attrs: Attrs): number {
  return Math.min(MAX_STALL_MS, Math.max(MIN_STALL_MS, attrs.sampleUs / 1_000));
}
