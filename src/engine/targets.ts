import type { Attrs } from '../core/attrs.js';
import { rescale } from '../core/cycle.js';
import { SharedRanges } from '../core/layout.js';
import { type RandomStreams, randomFrom } from '../core/random.js';
import { type InForce, inForceFor } from '../core/region-budget.js';
import { DEFAULT_RANGES, RegionTable } from '../core/region-table.js';
import type { AttrsInForce } from '../core/stats.js';
import { TargetStatus } from '../core/table-header.js';
import type { TargetInfo } from '../core/target.js';
import type { TargetRequest } from '../sources/source.js';
import type { InControl } from './calls.js';
import { toWire } from './comlink-errors.js';
import type { Meter } from './meter.js';
import type { Attached, DetachReason, TargetToWatch } from './protocol.js';
import type { Publisher } from './publisher.js';
import type { SamplerLink } from './sampler-link.js';
import { type Samplers, targetToMove } from './samplers.js';
import { copiedTable, fillFirst, infoOf, Target } from './target.js';
import { TargetOpener } from './target-opener.js';

/** A target may lose this many samplers. With one more it fails, because it probably kills them. */
const MAX_LOSSES = 3;

/** Most tables kept for future targets: about 2 MiB. */
const SPARE_TABLES = 64;

/** The parts that Targets works with. */
export interface TargetsParts {
  /** How many answers the adaptation keeps for each region. */
  readonly answersPerRegion: number;
  readonly samplers: Samplers;
  readonly publisher: Publisher;
  readonly meter: Meter;
  readonly streams: RandomStreams;
  readonly inControl: InControl;
  /** Runs work while calls continue to be answered. */
  readonly inBackground: (work: Promise<void>) => void;
  /** Whether a region source fills the tables. */
  readonly isDelivered: boolean;
}

/** The watched targets and their samplers. Attaches and detaches targets, and moves them when a sampler is lost. */
export class Targets {
  /** Ordered by ID. */
  readonly all: Target[] = [];
  /** Number of targets being opened. */
  arriving = 0;
  /** Whether any target was ever watched. */
  hadTargets = false;
  #nextId = 0;
  readonly #opener: TargetOpener;
  /** Targets that their samplers must still close. */
  readonly #leaving = new Map<SamplerLink, { handle: number; table: RegionTable | undefined }[]>();
  /** Tables of detached targets, for reuse: otherwise many short-lived targets would fill the memory. */
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

  /** Attaches all targets that can be opened. @returns targets or errors in the order of the requests */
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
          const info = infoOf(arrival.id, opened.target);
          const ranges = opened.isDense ? SharedRanges.of(opened.ranges) : undefined;
          const covered = ranges ? Float64Array.of(0, ranges.layout().pages) : opened.ranges;
          const table = this.#tableFor(covered, minRegions);
          table.residentBytes = opened.residentBytes;
          return new Target(
            info,
            arrival.request,
            randomFrom(arrival.tableRandom),
            table,
            link,
            opened.handle,
            ranges,
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

  /** Detaches a target that its sampler can no longer watch. */
  async fail(target: Target): Promise<void> {
    target.failing = true;
    // Reads `link` inside the step, because an earlier step may lose the sampler.
    const message = await this.#parts
      .inControl(
        async () => target.failure ?? (await target.link?.call((api) => api.failureOf(target.handle))),
      )
      .catch((error) => toWire(error).pagepulse.message);
    this.detach(target, 'failed', message);
  }

  /** Drops a sampler that died or stopped answering. @returns its targets, which need another sampler */
  lose(link: SamplerLink): Target[] {
    if (!this.samplers.all.includes(link)) return [];
    const culprit = link.targetId;
    // A thread that hangs may still write to its tables.
    const mayWrite = !link.isLost;
    const affected = this.all.filter((target) => target.link === link);
    this.samplers.drop(link);
    this.#parts.meter.lostSamplers++;
    this.#parts.publisher.send({ type: 'samplerLost', slot: link.slot, targets: affected.length });
    for (const target of affected) {
      target.link = undefined;
      target.prepared = false;
      target.lost(culprit);
      if (mayWrite) {
        const { layout } = target;
        target.table = copiedTable(this.attrs, target.table);
        target.ranges = layout && SharedRanges.of(layout.pairs(), layout.version);
      }
      // The sampler that knew the reason of the failure is gone. The next one will find it again.
      if (target.table.status === TargetStatus.FAILED && !target.failing)
        target.table.status = TargetStatus.OK;
    }
    return affected.filter(({ failing }) => !failing);
  }

  /** Opens targets without a sampler in another one. Detaches targets that have ended meanwhile. */
  async reopen(targets: readonly Target[]): Promise<void> {
    const [lost, others] = [targets.filter(isLost), targets.filter((target) => !isLost(target))];
    for (const target of lost) {
      this.detach(
        target,
        'failed',
        `${MAX_LOSSES + 1} sampler threads were lost while watching it; leave it out`,
      );
    }
    const arrivals = others.map((target) => {
      const { info, sameRequest: request } = target;
      return { id: info.id, request, random: this.#parts.streams.next(), target };
    });
    const errors = await this.#opener.open(arrivals, async (link, portion) => {
      const taken: Target[] = [];
      for (const { arrival, opened } of portion) {
        const { target } = arrival;
        // It may have been detached meanwhile, or have another sampler.
        if (target.link || !this.all.includes(target)) {
          this.#release(link, opened.handle);
          continue;
        }
        target.handle = opened.handle;
        target.takeRanges(opened.ranges);
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
   * Moves a target to a sampler with fewer regions, if that balances them. The target misses the rest of its aggregation
   * interval. If it cannot be opened again, nothing changes.
   */
  async rebalance(): Promise<void> {
    const target = targetToMove(this.all, this.samplers.all, this.samplers.mayGrow);
    const from = target?.link;
    if (!target || !from) return;
    const { id } = target.info;
    await this.#opener.open(
      [{ id, request: target.sameRequest, random: this.#parts.streams.next() }],
      async (link, portion) => {
        const { handle, ranges } = portion[0]!.opened;
        const isAsItWas = target.link === from && target.table.status === TargetStatus.OK;
        if (!isAsItWas || !this.all.includes(target)) return this.#release(link, handle);
        // In one step: otherwise both samplers would count in the same table.
        await from.call((api) => api.close([target.handle]));
        from.targets--;
        target.link = undefined;
        target.prepared = false;
        target.handle = handle;
        target.takeRanges(ranges);
        await link.call((api) => api.watch([toWatch(target)]));
        target.link = link;
        link.isReady = true;
      },
      from,
    );
    // If the thread ends at this moment, the target has no sampler.
    if (!target.link && this.all.includes(target)) await this.reopen([target]);
  }

  /** Whether new attrs need larger tables, which the samplers must then start to use. */
  needsLargerTables(attrs: Attrs): boolean {
    return this.all.some(({ table }) => isTooSmall(table, attrs));
  }

  /** Converts all tables to new attrs. Call it in control; parked samplers are enough if no table needs to grow. */
  async setAttrs(inForce: AttrsInForce): Promise<void> {
    const { attrs } = inForce;
    const grown = this.all.filter(({ table }) => isTooSmall(table, attrs));
    for (const { table } of this.all) rescale(table, this.attrs, attrs);
    for (const target of grown) target.table = copiedTable(attrs, target.table);
    // Before the calls: if a sampler is lost in one, its tables are copied for these attrs.
    this.decide(inForce);
    for (const link of new Set(grown.flatMap((target) => target.link ?? []))) {
      const its = grown.filter((target) => target.link === link);
      // A sampler that does not answer keeps writing to the old tables, so it counts as lost.
      await link
        .call((api) => api.watch(its.map(toWatch)))
        .catch(() => this.#parts.inBackground(this.reopen(this.lose(link))));
    }
  }

  get inForce(): InForce {
    return this.#inForce;
  }

  /** Called when other attrs are chosen, or when the number of targets changes. */
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

  /** Removes a target from its sampler, and ends a sampler without targets. No handle means that it was not opened. */
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
    // A sampler in the phases answers only in control. Nothing waits for the call: if the sampler is lost meanwhile, its files
    // are closed with it.
    (link.joined ? this.#parts.inControl(close) : Promise.resolve().then(close)).catch(() => {});
  }

  /** A new table, or that of a detached target. */
  #tableFor(ranges: Float64Array, minRegions: number): RegionTable {
    const { attrs } = this;
    const rangeCapacity = Math.max(DEFAULT_RANGES, ranges.length / 2);
    const spare = this.#spareTables.pop();
    const table =
      spare?.rangeCapacity === rangeCapacity && !isTooSmall(spare, attrs)
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

function isTooSmall({ capacity, rangeCapacity }: RegionTable, { minRegions, maxRegions }: Attrs): boolean {
  return capacity < RegionTable.capacityFor(minRegions, maxRegions, rangeCapacity);
}

function isLost({ losses }: Target): boolean {
  return losses > MAX_LOSSES;
}

function toWatch({ info, handle, table, ranges }: Target): TargetToWatch {
  return { id: info.id, handle, table: table.buffer, ranges: ranges?.buffer };
}
