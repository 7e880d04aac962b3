import * as Comlink from 'comlink';
import { type Attrs, requireKnownTo } from '../core/attrs.js';
import { createAdaptation } from '../core/create-adaptation.js';
import { DELIVERED } from '../core/delivered.js';
import { RandomStreams } from '../core/random.js';
import type { MonitorStats } from '../core/stats.js';
import type { TargetRequest } from '../sources/source.js';
import { AttrsPolicy } from './attrs-policy.js';
import { Calls } from './calls.js';
import { startClock } from './clock.js';
import { fromWire, isWire } from './comlink-errors.js';
import { Loop, type LoopParts } from './loop.js';
import { Meter } from './meter.js';
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
import { Samplers } from './samplers.js';
import { Schedule } from './schedule.js';
import { SharedState } from './shared-state.js';
import { SourceSchedule } from './source-schedule.js';
import { Targets } from './targets.js';

/** The thread that owns time and the region tables. Builds the parts of a monitor, and answers the main thread. */
export class Coordinator implements CoordinatorApi {
  readonly #shared: SharedState;
  readonly #host: Comlink.Remote<HostApi>;
  readonly #start: CoordinatorStart;
  readonly #calls: Calls;
  #loop: Loop | undefined;
  #onSetUp: (loop: Loop) => void = () => {};

  constructor(start: CoordinatorStart) {
    this.#start = start;
    this.#shared = new SharedState(start.shared);
    this.#calls = new Calls(this.#shared.mailbox);
    this.#host = Comlink.wrap<HostApi>(start.host);
  }

  /** The life of the monitor, from its set-up to its end. */
  async run(): Promise<void> {
    const loop = await new Promise<Loop>((resolve) => {
      this.#onSetUp = resolve;
    });
    await loop.run();
  }

  start(setup: MonitorSetup): Promise<Started> {
    return this.#calls.answer(async () => {
      const { attrs, source, cover, endsAlone, durationUs } = setup;
      const shared = this.#shared;
      const calls = this.#calls;
      const samplers = new Samplers(shared, this.#host, source, cover, setup.samplerLimit);
      const publisher = new Publisher(shared.mailbox, this.#start.data, setup.queueLimit);
      const meter = new Meter(shared, samplers, setup.clock, setup.costOf);
      const policy = new AttrsPolicy(attrs, setup.policy, meter);
      const { isDelivered } = setup.policy;
      const adaptation = isDelivered ? DELIVERED : createAdaptation(setup.adaptation);
      const targets = new Targets(policy.inForce, {
        answersPerRegion: adaptation.answersPerRegion,
        samplers,
        publisher,
        meter,
        streams: new RandomStreams(setup.seed),
        inControl: calls.inControl,
        inBackground: calls.inBackground,
        isDelivered,
      });
      const attached = await targets.attach(setup.targets);
      if (!setup.skipsFailing) for (const each of attached) if (isWire(each)) throw fromWire(each);
      policy.requireEnough(targets.inForce.reported.attrs.minRegions * targets.all.length);
      await targets.setAttrs(policy.inForce);
      const clock = startClock(setup.clock);
      // Opening the targets happened before time started: as a share of the elapsed time, it would be several cores.
      meter.restart();
      const ScheduleOf = isDelivered ? SourceSchedule : Schedule;
      const schedule = new ScheduleOf(
        clock,
        shared,
        targets,
        meter,
        policy,
        publisher,
        adaptation,
        durationUs,
      );
      this.#loop = new Loop({
        clock,
        shared,
        calls,
        samplers,
        targets,
        publisher,
        schedule,
        policy,
        endsAlone,
      });
      calls.areSamplersParked = false;
      this.#onSetUp(this.#loop);
      const { startedAt, startedMonotonicNs } = clock;
      return { inForce: policy.inForce, attached, startedAt, startedMonotonicNs };
    });
  }

  attach(requests: readonly TargetRequest[]): Promise<Attached[]> {
    return this.#answer(({ targets }) => targets.attach(requests));
  }

  detach(ids: readonly number[], reason: DetachReason): Promise<boolean> {
    const leaving = new Set(ids);
    // In control: a step in progress may have chosen some of them. And the counts of a target that has ended can be read only
    // while no sampler counts.
    return this.#answer(({ targets, schedule, calls }) =>
      calls.inControl(async () => {
        const its = targets.all.filter(({ info }) => leaving.has(info.id));
        for (const target of its) {
          if (reason === 'ended') schedule.publishLastOf(target);
          targets.detach(target, reason);
        }
        return its.length > 0;
      }),
    );
  }

  setAttrs(changed: Partial<Attrs>): Promise<Attrs> {
    return this.#answer(({ schedule, policy, targets, calls }, loop) =>
      calls.inControl(async () => {
        requireKnownTo(schedule.adaptation.name, changed);
        policy.setByHand(changed);
        await loop.apply(policy.inForce);
        return targets.attrs;
      }),
    );
  }

  stats(): Promise<MonitorStats> {
    return this.#answer(async ({ schedule }) => schedule.readStats());
  }

  stop(reason: EndReason): Promise<void> {
    return this.#answer(async (_, loop) => loop.stop(reason));
  }

  #answer<T>(work: (parts: LoopParts, loop: Loop) => Promise<T>): Promise<T> {
    return this.#calls.answer(() => work(this.#loop!.parts, this.#loop!));
  }
}
