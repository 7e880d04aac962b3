import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { count, prepare, type SampledTarget } from '../core/cycle.js';
import { DeliveredRows, deliverRegions } from '../core/delivered.js';
import { PagepulseError } from '../core/errors.js';
import { SharedRanges } from '../core/layout.js';
import { randomFrom } from '../core/random.js';
import { RegionTable } from '../core/region-table.js';
import { Samples } from '../core/sampling.js';
import { TargetStatus } from '../core/table-header.js';
import { openThreadCpu, threadCpuMs } from '../kernel/thread-cpu.js';
import {
  type AddressSpace,
  type CoverName,
  type OpenTarget as OpenSource,
  Order,
  type PageCheck,
  type RegionSource,
} from '../sources/source.js';
import { toWire, type WireError } from './comlink-errors.js';
import { type Epoch, Phase } from './phases.js';
import type { OpenedTarget, SamplerApi, SamplerStart, TargetToOpen, TargetToWatch } from './protocol.js';
import { SharedState } from './shared-state.js';
import { NOT_SAMPLED, SAMPLES } from './slots.js';

/** Weight of the latest interval in the estimated cost of one. */
const LATEST = 0.3;

/** Delivered rows, shared by all targets of this thread, one at a time. */
const delivered = new DeliveredRows();

/** Marking is part of the phases with ticks, but not a phase of its own. */
const PREPARE = 'prepare';
type Work = Phase | typeof PREPARE;

/** A target that is open in this sampler, watched or not yet. */
interface OpenTarget {
  readonly source: PageCheck | RegionSource;
  readonly random: RandomGenerator;
  readonly salt: number;
}

/** A target that is watched. */
interface Watched {
  readonly id: number;
  readonly handle: number;
  readonly table: RegionTable;
  readonly source: PageCheck | RegionSource;
  /** Set with a page check. */
  readonly sampled: SampledTarget | undefined;
  /** What its layout is made of, if it has one. */
  readonly ranges: SharedRanges | undefined;
  /** Whether the sampled pages are marked old. False for a target that was attached after that phase. */
  prepared: boolean;
}

/** Performs each phase for its share of the targets, in one thread. */
export class Sampler implements SamplerApi {
  readonly #shared: SharedState;
  readonly #slot: number;
  readonly #openSource: OpenSource;
  readonly #cover: CoverName;
  /** By handle. */
  readonly #opened = new Map<number, OpenTarget>();
  /** Counters of samples, and of samples without an answer, in shared memory. */
  readonly #counts: Float64Array;
  readonly #failures = new Map<number, string>();
  #nextHandle = 0;
  #watched: Watched[] = [];
  #joined: (epoch: Epoch) => void = () => {};
  readonly #join = new Promise<Epoch>((resolve) => {
    this.#joined = resolve;
  });

  constructor(start: SamplerStart, openSource: OpenSource) {
    this.#shared = new SharedState(start.shared);
    this.#slot = start.slot;
    this.#openSource = openSource;
    this.#cover = start.cover;
    this.#counts = this.#shared.slots.countersOf(start.slot);
  }

  /**
   * Runs phase after phase until it is revoked. Hot, and without allocation: a tick costs a wake-up (about 20 us of CPU time)
   * and the checks.
   */
  async run(): Promise<void> {
    const { phases, slots, barrier } = this.#shared;
    let last = await this.#join;
    for (;;) {
      const epoch = phases.await(this.#slot, last);
      if (slots.isRevoked(this.#slot)) break;
      const { phase } = phases;
      if (phase === Phase.TICK || phase === Phase.PREPARE_AND_TICK) this.#tick(phase);
      else if (phase !== Phase.CONTROL) this.#work(phase, barrier.dueUs);
      if (!slots.finish(this.#slot, last, epoch)) break;
      if (phase === Phase.CONTROL) await phases.awaitAnswering(this.#slot, epoch);
      last = epoch;
    }
    this.close([...this.#opened.keys()]);
  }

  /** Tick after tick: check, wait until all have checked, prepare, wait until all have prepared. One wake-up each. */
  #tick(phase: Phase): void {
    const { barrier, slots } = this.#shared;
    if (phase === Phase.PREPARE_AND_TICK) {
      this.#work(PREPARE, barrier.dueUs);
      if (!barrier.awaitPrepared(false)) return;
    }
    do {
      barrier.awaitDue();
      this.#work(Phase.CHECK, barrier.dueUs);
      if (slots.isRevoked(this.#slot) || !barrier.awaitChecked()) return;
      this.#work(PREPARE, barrier.dueUs);
    } while (!slots.isRevoked(this.#slot) && barrier.awaitPrepared(true));
  }

  #work(phase: Work, nowUs: number): void {
    const watched = this.#watched;
    for (let i = 0; i < watched.length; i++) {
      const target = watched[i]!;
      const { status } = target.table;
      if (status === TargetStatus.GONE || status === TargetStatus.FAILED) continue;
      this.#shared.slots.isAt(this.#slot, target.id);
      try {
        this.#workOn(target, phase, nowUs);
      } catch (error) {
        this.#fail(target.handle, target.table, error);
      }
    }
    this.#shared.slots.isAtNone(this.#slot);
  }

  #workOn(target: Watched, phase: Work, nowUs: number): void {
    const { table, source, sampled } = target;
    switch (phase) {
      case PREPARE:
        if (source.delivers === 'regions') this.#begin(source, table);
        if (sampled) {
          const { ranges } = target;
          if (ranges && sampled.layout?.version !== table.layoutVersion) sampled.layout = ranges.layout();
          prepare(sampled, nowUs);
        }
        target.prepared = true;
        break;
      case Phase.CHECK:
        if (source.delivers === 'regions') this.#deliver(source, table);
        if (sampled && target.prepared) {
          this.#counts[NOT_SAMPLED]! += count(sampled, nowUs);
          this.#counts[SAMPLES]! += table.asked;
        }
        target.prepared = false;
        break;
      case Phase.UPDATE:
        if (table.status === TargetStatus.STALE || (sampled && this.#shared.phases.isUpdated(target.id)))
          storeSpace(target, source.readSpace(nowUs));
        break;
      case Phase.REFRESH:
        if (table.status === TargetStatus.STALE) storeSpace(target, source.readSpace(nowUs));
        break;
    }
  }

  /** Starts an interval of a region source if ordered. Walks the target's memory, at most a few times a second. */
  #begin(source: RegionSource, table: RegionTable): void {
    if (table.orders !== Order.BEGIN) return;
    const startedUs = cpuUs();
    if (!source.begin()) table.status = TargetStatus.STALE;
    table.orders = 0;
    table.beginUs = cpuUs() - startedUs;
  }

  /** Delivers the interval so far if ordered. */
  #deliver(source: RegionSource, table: RegionTable): void {
    const { orders } = table;
    if (orders === 0 || orders === Order.BEGIN) return;
    const startedUs = cpuUs();
    delivered.count = 0;
    const residentBytes = source.deliver(delivered);
    table.orders = 0;
    if (residentBytes === undefined) {
      table.status = TargetStatus.STALE;
      return;
    }
    this.#counts[SAMPLES]! += delivered.count;
    const isLast = orders === Order.DELIVER;
    deliverRegions(table, delivered, isLast);
    table.residentBytes = residentBytes;
    if (!isLast) {
      table.peeks++;
      return;
    }
    table.deliveries++;
    const costUs = table.beginUs + cpuUs() - startedUs;
    table.costUs = table.costUs === 0 ? costUs : table.costUs + LATEST * (costUs - table.costUs);
  }

  // Calls from the coordinator.

  cpuFile(): number {
    return openThreadCpu();
  }

  open(targets: readonly TargetToOpen[], withinMs: number): (OpenedTarget | WireError)[] {
    const opened: (OpenedTarget | WireError)[] = [];
    const startedMs = performance.now();
    for (const target of targets) {
      if (opened.length > 0 && performance.now() >= startedMs + withinMs) break;
      this.#shared.slots.isAt(this.#slot, target.id);
      try {
        opened.push(this.#open(target));
      } catch (error) {
        opened.push(toWire(error));
      }
    }
    this.#shared.slots.isAtNone(this.#slot);
    return opened;
  }

  #open({ request, random: state }: TargetToOpen): OpenedTarget {
    const random = randomFrom(state);
    const source = this.#openSource(request, random, this.#cover);
    const { target } = source;
    const space = source.readSpace(this.#shared.barrier.dueUs);
    if (space.ranges.length === 0) {
      source.close();
      throw new PagepulseError(
        'NO_PROCESS',
        target.process
          ? `process ${target.process.pid} (${target.comm}) ended while it was being opened; choose a running process`
          : `${target.comm} has no memory to watch`,
      );
    }
    const handle = this.#nextHandle++;
    const salt = source.delivers === 'pages' && source.repeatsPages ? random.next() : 0;
    this.#opened.set(handle, { source, random, salt });
    return { handle, target, ...space, isDense: space.isDense === true };
  }

  watch(targets: readonly TargetToWatch[]): void {
    this.#unwatch(targets.map(({ handle }) => handle));
    for (const { id, handle, table: tableBuffer, ranges: rangesBuffer } of targets) {
      const table = new RegionTable(tableBuffer);
      const ranges = rangesBuffer && new SharedRanges(rangesBuffer);
      const opened = this.#opened.get(handle);
      if (!opened) {
        this.#fail(handle, table, new Error(`target ${id} was not opened here`));
        continue;
      }
      const { source, random, salt } = opened;
      const sampled =
        source.delivers === 'pages'
          ? { samples: new Samples(table, ranges !== undefined), check: source, random, salt }
          : undefined;
      this.#watched.push({ id, handle, table, source, sampled, ranges, prepared: false });
    }
  }

  close(handles: readonly number[]): void {
    this.#unwatch(handles);
    for (const handle of handles) {
      this.#opened.get(handle)?.source.close();
      this.#opened.delete(handle);
      this.#failures.delete(handle);
    }
  }

  failureOf(handle: number): string {
    return this.#failures.get(handle) ?? 'unknown';
  }

  join(epoch: Epoch): void {
    this.#joined(epoch);
  }

  #unwatch(handles: readonly number[]): void {
    const gone = new Set(handles);
    this.#watched = this.#watched.filter(({ handle }) => !gone.has(handle));
  }

  /** Stops watching one target; the others continue. */
  #fail(handle: number, table: RegionTable, error: unknown): void {
    this.#failures.set(handle, toWire(error).pagepulse.message);
    table.status = TargetStatus.FAILED;
  }
}

/** Stores the target's current address space in shared memory. */
function storeSpace({ table, ranges: shared }: Watched, space: AddressSpace): void {
  table.status = space.status;
  if (space.status !== TargetStatus.OK) return;
  // A layout has at least one page.
  if (!shared) table.setRanges(space.ranges);
  else if (space.ranges.length > 0) shared.update(space.ranges);
  table.residentBytes = space.residentBytes;
}

/** CPU time of this thread in microseconds; wall-clock time if the kernel has no CPU clocks of threads. */
function cpuUs(): number {
  const ms = threadCpuMs();
  return 1_000 * (Number.isNaN(ms) ? performance.now() : ms);
}
