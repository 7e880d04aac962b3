import type { TargetRequest } from '../checks/target-request.js';
import { rescale } from '../core/aggregate.js';
import { type Attrs, maxNrAccesses } from '../core/attrs.js';
import { type RandomStreams, randomFrom } from '../core/random.js';
import type { AttrsInForce } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { Meter } from './meter.js';
import type { DetachReason } from './protocol.js';
import type { Publisher } from './publisher.js';
import type { SamplerLink } from './sampler-link.js';
import type { Samplers } from './samplers.js';
import { copiedTable, firstTable, WatchedTarget } from './watched-target.js';

/** A target whose samplers keep dying is given up after this many: it may be what kills them. */
const MAX_LOSSES = 3;

/** Runs a step while all samplers are parked and answer calls; steps never overlap. */
export type InControl = <T>(step: () => Promise<T>) => Promise<T>;

/** Which targets are watched, by which sampler: they come, go, and change hands when a sampler is lost. */
export class Roster {
  /** In the order of their ids. */
  readonly targets: WatchedTarget[] = [];
  /** Targets on their way in. */
  arriving = 0;
  /** Whether any target was ever watched. */
  hadTargets = false;
  #nextId = 0;
  #isRunning = false;

  constructor(
    public inForce: AttrsInForce,
    readonly samplers: Samplers,
    readonly publisher: Publisher,
    readonly meter: Meter,
    readonly streams: RandomStreams,
    readonly inControl: InControl,
  ) {}

  /** @throws PagepulseError as opening the check does, or `THREADS` */
  async attach(request: TargetRequest): Promise<TargetInfo> {
    const id = this.#nextId++;
    const random = randomFrom(this.streams.next());
    const samplerState = this.streams.next();
    this.arriving++;
    try {
      const link = await this.samplers.take((each) => this.#regionsOf(each));
      try {
        const opened = await this.#open(link, () => link.call((api) => api.open(id, request, samplerState)));
        const info: TargetInfo = { id, ...opened.target };
        await this.inControl(async () => {
          const table = firstTable(this.attrs, opened.ranges);
          await link.call((api) => api.watch(id, table.buffer));
          this.#insert(new WatchedTarget(info, request, random, table, link));
          if (this.#isRunning) link.join();
        });
        return info;
      } catch (error) {
        this.#release(link, id);
        throw error;
      }
    } finally {
      this.arriving--;
    }
  }

  /** Lets all samplers take part in the phases; those that come later do so at once. */
  run(): void {
    this.#isRunning = true;
    for (const { link } of this.targets) link?.join();
  }

  /** What a tick of all targets costs beside the samples, measured by their samplers. Only before `run`. */
  async tickCostUs(): Promise<number> {
    let costUs = 0;
    for (const { link, info } of this.targets) costUs += await link!.call((api) => api.tickCostUs(info.id));
    return costUs;
  }

  detach(target: WatchedTarget, reason: DetachReason, message = ''): void {
    const at = this.targets.indexOf(target);
    if (at < 0) return;
    this.targets.splice(at, 1);
    this.publisher.send({ type: 'detached', targetId: target.info.id, reason, message });
    if (target.link) this.#release(target.link, target.info.id);
  }

  /** Lets go of a target that its sampler cannot watch any longer. */
  async fail(target: WatchedTarget): Promise<void> {
    target.failing = true;
    const { link, info } = target;
    const message = await this.inControl(async () => link?.call((api) => api.failureOf(info.id)));
    this.detach(target, 'failed', message);
  }

  /** Gives up a sampler that died or stopped answering; its targets wait for a fresh one. */
  lose(link: SamplerLink): WatchedTarget[] {
    const affected = this.targets.filter((target) => target.link === link);
    this.samplers.drop(link);
    this.meter.lostSamplers++;
    this.publisher.send({ type: 'samplerLost', slot: link.slot, targets: affected.length });
    for (const target of affected) {
      target.link = undefined;
      target.prepared = false;
      target.losses++;
      // The thread may not be dead yet, and writes where it always did.
      target.table = copiedTable(this.attrs, target.table);
    }
    return affected;
  }

  /** Gives a target without a sampler a fresh one; a target that has ended meanwhile leaves. */
  async reopen(target: WatchedTarget): Promise<void> {
    if (target.losses > MAX_LOSSES) {
      this.detach(target, 'failed', `${MAX_LOSSES + 1} samplers were lost while they watched it`);
      return;
    }
    const { id } = target.info;
    const samplerState = this.streams.next();
    try {
      const link = await this.samplers.take((each) => this.#regionsOf(each));
      try {
        await this.#open(link, () => link.call((api) => api.open(id, target.sameRequest, samplerState)));
        await this.inControl(async () => {
          await link.call((api) => api.watch(id, target.table.buffer));
          if (!this.targets.includes(target)) return this.#release(link, id);
          target.link = link;
          link.join();
        });
      } catch (error) {
        this.#release(link, id);
        throw error;
      }
    } catch (error) {
      this.detach(target, 'failed', error instanceof Error ? error.message : String(error));
    }
  }

  /** Brings all tables to new attrs. Call it in control. */
  async setAttrs(inForce: AttrsInForce): Promise<void> {
    const { attrs } = inForce;
    for (const target of this.targets) {
      rescale(target.table, this.attrs, attrs);
      const table = copiedTable(attrs, target.table);
      if (table.capacity <= target.table.capacity) continue;
      target.table = table;
      const { link } = target;
      if (link) await link.call((api) => api.watch(target.info.id, table.buffer));
    }
    this.inForce = inForce;
  }

  get attrs(): Attrs {
    return this.inForce.attrs;
  }

  get maxNrAccesses(): number {
    return maxNrAccesses(this.attrs);
  }

  /** A sampler that takes part in the phases answers only in control; a fresh one does at any time. */
  #open<T>(link: SamplerLink, call: () => Promise<T>): Promise<T> {
    return link.joined ? this.inControl(call) : call();
  }

  #insert(target: WatchedTarget): void {
    this.targets.push(target);
    this.hadTargets = true;
    this.targets.sort((a, b) => a.info.id - b.info.id);
    this.publisher.send({ type: 'attached', target: target.info });
  }

  /** The sampler has one target less; without any, it ends. */
  #release(link: SamplerLink, id: number): void {
    link.targets--;
    if (link.targets <= 0) {
      this.samplers.drop(link);
      return;
    }
    // Nobody waits for it, and if the sampler is lost meanwhile its files go with it.
    this.#open(link, () => link.call((api) => api.close(id))).catch(() => {});
  }

  #regionsOf(link: SamplerLink): number {
    let regions = 0;
    for (const target of this.targets) if (target.link === link) regions += target.table.count;
    return regions;
  }
}
