import type { Attrs } from '../core/attrs.js';
import { rescale } from '../core/cycle.js';
import { type RandomStreams, randomFrom } from '../core/random.js';
import { type InForce, inForceFor } from '../core/region-budget.js';
import { DEFAULT_RANGES, RegionTable, TargetStatus } from '../core/region-table.js';
import type { AttrsInForce } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { TargetRequest } from '../sources/source.js';
import type { InControl } from './calls.js';
import { toWire } from './comlink-errors.js';
import type { Meter } from './meter.js';
import type { Attached, DetachReason, TargetToWatch } from './protocol.js';
import type { Publisher } from './publisher.js';
import type { SamplerLink } from './sampler-link.js';
import { type Samplers, targetToMove } from './samplers.js';
import { copiedTable, fillFirst, Target } from './target.js';
import { TargetOpener } from './target-opener.js';

/** A target whose samplers keep dying is given up after this many: it may be what kills them. */
const MAX_LOSSES = 3;

/** Tables that are kept for targets to come, at most: some 2 MiB. */
const SPARE_TABLES = 64;

/** What a targets works with. */
export interface TargetsParts {
  /** What the adaptation keeps of each region's samples. */
  readonly answersPerRegion: number;
  readonly samplers: Samplers;
  readonly publisher: Publisher;
  readonly meter: Meter;
  readonly streams: RandomStreams;
  readonly inControl: InControl;
  /** Lets calls go on while this is worked on. */
  readonly inBackground: (work: Promise<void>) => void;
  /** Whether a region source fills the tables. */
  readonly isDelivered: boolean;
}

/** Which targets are watched, by which sampler: they come, go, and change hands when a sampler is lost. */
export class Targets {
  /** In the order of their ids. */
  readonly all: Target[] = [];
  /** Targets on their way in. */
  arriving = 0;
  /** Whether any target was ever watched. */
  hadTargets = false;
  #nextId = 0;
  readonly #opener: TargetOpener;
  /** Targets that their samplers have still to close. */
  readonly #leaving = new Map<SamplerLink, { handle: number; table: RegionTable | undefined }[]>();
  /** Tables of targets that have left, for those to come: else a crowd that comes and goes fills the memory. */
  readonly #spareTables: RegionTable[] = [];

  readonly samplers: Samplers;
  readonly #parts: TargetsParts;

  #inForce: InForce;

  constructor(chosen: AttrsInForce, parts: TargetsParts) {
    this.#inForce = inForceFor(chosen, 0);
    this.samplers = parts.samplers;
    this.#parts = parts;
    this.#opener = new TargetOpener(
      parts.samplers,
      parts.inControl,
      (link) => this.#regionsOf(link),
      (link) => parts.inBackground(this.reopen(this.lose(link))),
      (link, handle) => this.#release(link, handle),
    );
  }

  /** Attaches what can be opened; tells of the rest why not. In the order of the requests. */
  async attach(requests: readonly TargetRequest[]): Promise<Attached[]> {
    const arrivals = requests.map((request) => ({
      id: this.#nextId++,
      request,
      tableRandom: this.#parts.streams.next(),
      random: this.#parts.streams.next(),
    }));
    const attached = new Map<number, TargetInfo>();
    this.arriving += arrivals.length;
    try {
      const errors = await this.#opener.open(arrivals, async (link, portion) => {
        const { minRegions } = inForceFor(this.#inForce, this.all.length + this.arriving).reported.attrs;
        const targets = portion.map(({ arrival, opened }) => {
          const info: TargetInfo = { id: arrival.id, ...opened.target };
          const table = this.#tableFor(opened.ranges, minRegions);
          table.residentBytes = opened.residentBytes;
          return new Target(
            info,
            arrival.request,
            randomFrom(arrival.tableRandom),
            table,
            link,
            opened.handle,
          );
        });
        await link.call((api) => api.watch(targets.map(toWatch)));
        for (const { info } of targets) attached.set(info.id, info);
        this.#insert(targets);
        link.isReady = true;
      });
      return arrivals.map(({ id }, i) => errors[i] ?? attached.get(id)!);
    } finally {
      this.arriving -= arrivals.length;
    }
  }

  detach(target: Target, reason: DetachReason, message = ''): void {
    const at = this.all.indexOf(target);
    if (at < 0) return;
    this.all.splice(at, 1);
    this.decide(this.#inForce);
    this.#parts.publisher.send({ type: 'detached', targetId: target.info.id, reason, message });
    if (target.link) this.#release(target.link, target.handle, target.table);
  }

  /** Lets go of a target that its sampler cannot watch any longer. */
  async fail(target: Target): Promise<void> {
    target.failing = true;
    // The sampler that it has then: a step before may have lost it.
    const message = await this.#parts
      .inControl(
        async () => target.failure ?? (await target.link?.call((api) => api.failureOf(target.handle))),
      )
      .catch((error) => toWire(error).pagepulse.message);
    this.detach(target, 'failed', message);
  }

  /** Gives up a sampler that died or stopped answering; its targets wait for a fresh one. */
  lose(link: SamplerLink): Target[] {
    if (!this.samplers.all.includes(link)) return [];
    const culprit = link.targetId;
    const affected = this.all.filter((target) => target.link === link);
    this.samplers.drop(link);
    this.#parts.meter.lostSamplers++;
    this.#parts.publisher.send({ type: 'samplerLost', slot: link.slot, targets: affected.length });
    for (const target of affected) {
      target.link = undefined;
      target.prepared = false;
      target.lost(culprit);
      // The thread may not be dead yet, and writes where it always did.
      target.table = copiedTable(this.attrs, target.table);
      // The sampler that could tell of what it failed is gone: the next one will see.
      if (target.table.status === TargetStatus.FAILED && !target.failing)
        target.table.status = TargetStatus.OK;
    }
    return affected.filter(({ failing }) => !failing);
  }

  /** Gives targets without a sampler a fresh one; a target that has ended meanwhile leaves. */
  async reopen(targets: readonly Target[]): Promise<void> {
    const [lost, others] = [targets.filter(isLost), targets.filter((target) => !isLost(target))];
    for (const target of lost) {
      this.detach(target, 'failed', `${MAX_LOSSES + 1} samplers were lost while they watched it`);
    }
    const arrivals = others.map((target) => {
      const { info, sameRequest: request } = target;
      return { id: info.id, request, random: this.#parts.streams.next(), target };
    });
    const errors = await this.#opener.open(arrivals, async (link, portion) => {
      const taken: Target[] = [];
      for (const { arrival, opened } of portion) {
        const { target } = arrival;
        // It may have left meanwhile, or have got another sampler.
        if (target.link || !this.all.includes(target)) {
          this.#release(link, opened.handle);
          continue;
        }
        target.handle = opened.handle;
        taken.push(target);
      }
      if (taken.length === 0) return;
      await link.call((api) => api.watch(taken.map(toWatch)));
      for (const target of taken) target.link = link;
      link.isReady = true;
    });
    errors.forEach((error, i) => {
      if (!error || others[i]!.link) return;
      const { code, message } = error.pagepulse;
      const hasEnded = code === 'NO_PROCESS' || code === 'ZOMBIE';
      this.detach(others[i]!, hasEnded ? 'ended' : 'failed', hasEnded ? '' : message);
    });
  }

  /**
   * Gives a target to a sampler with less to do, where that evens them out. It misses the rest of its aggregation
   * interval; where it cannot be opened again, all stays as it was.
   */
  async rebalance(): Promise<void> {
    const target = targetToMove(this.all, this.samplers.all, this.samplers.mayGrow);
    const from = target?.link;
    if (!target || !from) return;
    const { id } = target.info;
    await this.#opener.open(
      [{ id, request: target.sameRequest, random: this.#parts.streams.next() }],
      async (link, portion) => {
        const { handle } = portion[0]!.opened;
        const isAsItWas = target.link === from && target.table.status === TargetStatus.OK;
        if (!isAsItWas || !this.all.includes(target)) return this.#release(link, handle);
        // In one step: between two, both would count into the same table.
        await from.call((api) => api.close([target.handle]));
        from.targets--;
        target.link = undefined;
        target.prepared = false;
        target.handle = handle;
        await link.call((api) => api.watch([toWatch(target)]));
        target.link = link;
        link.isReady = true;
      },
      from,
    );
    // A thread that ends just then leaves it without a sampler.
    if (!target.link && this.all.includes(target)) await this.reopen([target]);
  }

  /** Whether new attrs need larger tables, of which the samplers have to be told. */
  needsLargerTables({ minRegions, maxRegions }: Attrs): boolean {
    return this.all.some(
      ({ table }) => table.capacity < RegionTable.capacityFor(minRegions, maxRegions, table.rangeCapacity),
    );
  }

  /** Brings all tables to new attrs. Call it in control, or where no table has to grow while the samplers are parked. */
  async setAttrs(inForce: AttrsInForce): Promise<void> {
    const { attrs } = inForce;
    const needsLarger = this.needsLargerTables(attrs);
    for (const target of this.all) {
      rescale(target.table, this.attrs, attrs);
      if (needsLarger) target.table = copiedTable(attrs, target.table);
    }
    // Before the calls: the tables of a sampler that is lost in one are copied for these attrs.
    this.decide(inForce);
    if (needsLarger) {
      const samplers = new Set(this.all.flatMap(({ link }) => link ?? []));
      for (const link of samplers) {
        const its = this.all.filter((target) => target.link === link);
        // One that does not answer writes into the old tables: it is lost.
        await link
          .call((api) => api.watch(its.map(toWatch)))
          .catch(() => this.#parts.inBackground(this.reopen(this.lose(link))));
      }
    }
  }

  get inForce(): InForce {
    return this.#inForce;
  }

  /** Other attrs are in force, or there are more or fewer targets. */
  decide(chosen: AttrsInForce): void {
    this.#inForce = inForceFor(chosen, this.all.length);
  }

  get attrs(): Attrs {
    return this.#inForce.attrs;
  }

  get maxNrAccesses(): number {
    return this.#inForce.limits.maxNrAccesses;
  }

  #insert(targets: readonly Target[]): void {
    this.all.push(...targets);
    this.decide(this.#inForce);
    this.hadTargets = true;
    this.all.sort((a, b) => a.info.id - b.info.id);
    for (const { info } of targets) this.#parts.publisher.send({ type: 'attached', target: info });
  }

  /** The sampler has one target less; without any, it ends. Without a handle, it had not opened it. */
  #release(link: SamplerLink, handle: number | undefined, table?: RegionTable): void {
    link.targets--;
    if (link.targets <= 0) {
      this.samplers.drop(link);
      return;
    }
    if (handle === undefined) return;
    const leaving = this.#leaving.get(link);
    if (leaving) {
      leaving.push({ handle, table });
      return;
    }
    this.#leaving.set(link, [{ handle, table }]);
    const close = async () => {
      const its = this.#leaving.get(link)!;
      this.#leaving.delete(link);
      await link.call((api) => api.close(its.map((each) => each.handle)));
      const free = its.flatMap((each) => each.table ?? []);
      this.#spareTables.push(...free.slice(0, SPARE_TABLES - this.#spareTables.length));
    };
    // A sampler that takes part in the phases answers only in control. Nobody waits for it, and if the sampler is lost
    // meanwhile its files go with it.
    (link.joined ? this.#parts.inControl(close) : Promise.resolve().then(close)).catch(() => {});
  }

  /** A table of its own, or that of a target that has left. */
  #tableFor(ranges: Float64Array, minRegions: number): RegionTable {
    const { attrs } = this;
    const rangeCapacity = Math.max(DEFAULT_RANGES, ranges.length / 2);
    const spare = this.#spareTables.pop();
    const isLargeEnough =
      spare?.rangeCapacity === rangeCapacity &&
      spare.capacity >= RegionTable.capacityFor(attrs.minRegions, attrs.maxRegions, rangeCapacity);
    const table = isLargeEnough
      ? spare
      : RegionTable.forLimits(
          attrs.minRegions,
          attrs.maxRegions,
          this.#parts.answersPerRegion,
          this.#parts.isDelivered,
          rangeCapacity,
        );
    fillFirst(table, attrs, ranges, minRegions);
    return table;
  }

  #regionsOf(link: SamplerLink): number {
    let regions = 0;
    for (const target of this.all) if (target.link === link) regions += target.table.count;
    return regions;
  }
}

function isLost({ losses }: Target): boolean {
  return losses > MAX_LOSSES;
}

function toWatch({ info, handle, table }: Target): TargetToWatch {
  return { id: info.id, handle, table: table.buffer };
}
