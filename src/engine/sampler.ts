import { PagepulseError } from '../core/errors.js';
import { EvidenceRecorder } from '../core/evidence/recorder.js';
import { RegionTable, TargetStatus } from '../core/region-table.js';
import { openThreadCpu, threadCpuMs } from '../kernel/thread-cpu.js';
import { CheckOpener } from '../sources/open.js';
import type { AccessCheck } from '../sources/page-check.js';
import { Order, type RegionSource } from '../sources/region-source.js';
import { toWire, type WireError } from './comlink-errors.js';
import { type Epoch, Gate, Phase } from './gate.js';
import type { OpenedTarget, SamplerApi, SamplerStart, TargetToOpen, TargetToWatch } from './protocol.js';

/** Weight of the latest interval in what one is thought to cost. */
const LATEST = 0.3;

/** The part of the phases with ticks that is no phase of its own. */
const PREPARE = 'prepare';
type Work = Phase | typeof PREPARE;

/** A target as its sampler has it. */
interface Watched {
  readonly id: number;
  readonly handle: number;
  readonly check: AccessCheck | RegionSource;
  readonly table: RegionTable;
  /** Of a table with evidence. */
  readonly recorder: EvidenceRecorder | undefined;
  /** Whether the pages in `table.samplePage` have been marked old: not so in a target that came after that phase. */
  prepared: boolean;
}

/** Does in one thread, for its share of the targets, what each phase asks for. */
export class Sampler implements SamplerApi {
  readonly #gate: Gate;
  readonly #slot: number;
  readonly #opener: CheckOpener;
  /** By handle. */
  readonly #opened = new Map<number, AccessCheck | RegionSource>();
  readonly #failures = new Map<number, string>();
  #nextHandle = 0;
  #watched: Watched[] = [];
  #joined: (epoch: Epoch) => void = () => {};
  readonly #join = new Promise<Epoch>((resolve) => {
    this.#joined = resolve;
  });

  constructor(start: SamplerStart) {
    this.#gate = new Gate(start.gate);
    this.#slot = start.slot;
    this.#opener = new CheckOpener(start.check, this.#gate.countersOf(start.slot));
  }

  /**
   * Takes part in phase after phase until it is given up. Hot, and without allocation: a tick costs waking up
   * (about 20 us of CPU) and what the checks cost.
   */
  async run(): Promise<void> {
    const gate = this.#gate;
    let last = await this.#join;
    for (;;) {
      const epoch = gate.awaitPhase(this.#slot, last);
      if (gate.isRevoked(this.#slot)) break;
      const { phase } = gate;
      if (phase === Phase.TICK || phase === Phase.PREPARE_AND_TICK) this.#tick(phase);
      else if (phase !== Phase.CONTROL) this.#work(phase, gate.dueUs);
      if (!gate.finish(this.#slot, last, epoch)) break;
      if (phase === Phase.CONTROL) await gate.awaitPhaseAnswering(this.#slot, epoch);
      last = epoch;
    }
    this.close([...this.#opened.keys()]);
  }

  /** Tick after tick: check, wait until all have, prepare, wait until all have. One wake-up each. */
  #tick(phase: Phase): void {
    const gate = this.#gate;
    if (phase === Phase.PREPARE_AND_TICK) {
      this.#work(PREPARE, gate.dueUs);
      if (!gate.awaitPrepared(false)) return;
    }
    do {
      gate.awaitDue();
      this.#work(Phase.CHECK, gate.dueUs);
      if (gate.isRevoked(this.#slot) || !gate.awaitChecked()) return;
      this.#work(PREPARE, gate.dueUs);
    } while (!gate.isRevoked(this.#slot) && gate.awaitPrepared(true));
  }

  #work(phase: Work, nowUs: number): void {
    const watched = this.#watched;
    for (let i = 0; i < watched.length; i++) {
      const target = watched[i]!;
      const { status } = target.table;
      if (status === TargetStatus.GONE || status === TargetStatus.FAILED) continue;
      this.#gate.isAt(this.#slot, target.id);
      try {
        this.#workOn(target, phase, nowUs);
      } catch (error) {
        this.#fail(target.handle, target.table, error);
      }
    }
    this.#gate.isAtNone(this.#slot);
  }

  #workOn(target: Watched, phase: Work, nowUs: number): void {
    const { check, table } = target;
    if (check.delivers === 'regions') {
      workOnSource(check, table, phase);
      return;
    }
    switch (phase) {
      case PREPARE:
        check.prepareAccessChecks(table, nowUs);
        target.prepared = true;
        break;
      case Phase.CHECK:
        if (target.prepared) {
          target.recorder?.before();
          check.checkAccesses(table, nowUs);
          target.recorder?.after();
        }
        target.prepared = false;
        break;
      case Phase.UPDATE:
        if (table.status === TargetStatus.STALE || this.#gate.isUpdated(target.id)) {
          check.updateRanges(table, nowUs);
        }
        break;
      case Phase.REFRESH:
        if (table.status === TargetStatus.STALE) check.updateRanges(table, nowUs);
        break;
    }
  }

  // Answers to the coordinator.

  cpuFile(): number {
    return openThreadCpu();
  }

  open(targets: readonly TargetToOpen[], withinMs: number): (OpenedTarget | WireError)[] {
    const opened: (OpenedTarget | WireError)[] = [];
    const startedMs = performance.now();
    for (const target of targets) {
      if (opened.length > 0 && performance.now() >= startedMs + withinMs) break;
      this.#gate.isAt(this.#slot, target.id);
      try {
        opened.push(this.#open(target));
      } catch (error) {
        opened.push(toWire(error));
      }
    }
    this.#gate.isAtNone(this.#slot);
    return opened;
  }

  #open({ request, random }: TargetToOpen): OpenedTarget {
    const check = this.#opener.open(request, random);
    const table = RegionTable.forLimits(3, 3);
    check.updateRanges(table, this.#gate.dueUs);
    if (table.status === TargetStatus.GONE || table.rangeCount === 0) {
      check.close();
      throw new PagepulseError(
        'NO_PROCESS',
        `process ${check.target.pid} (${check.target.comm}) ended while it was being opened; nothing was watched`,
      );
    }
    const handle = this.#nextHandle++;
    this.#opened.set(handle, check);
    const ranges = table.ranges.slice(0, 2 * table.rangeCount);
    return { handle, target: check.target, ranges, residentBytes: table.residentBytes };
  }

  watch(targets: readonly TargetToWatch[]): void {
    this.#unwatch(targets.map(({ handle }) => handle));
    for (const { id, handle, table: buffer } of targets) {
      const table = new RegionTable(buffer);
      const check = this.#opened.get(handle);
      if (!check) {
        this.#fail(handle, table, new Error(`target ${id} was not opened here`));
        continue;
      }
      this.#watched.push({
        id,
        handle,
        check,
        table,
        recorder: table.evidence && new EvidenceRecorder(table),
        prepared: false,
      });
    }
  }

  close(handles: readonly number[]): void {
    this.#unwatch(handles);
    for (const handle of handles) {
      this.#opened.get(handle)?.close();
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

  /** Ends the watching of one target; the others go on. */
  #fail(handle: number, table: RegionTable, error: unknown): void {
    this.#failures.set(handle, toWire(error).pagepulse.message);
    table.status = TargetStatus.FAILED;
  }
}

/** Does what was ordered of a region source, and clears the order: some times a second at most, a walk through its memory. */
function workOnSource(source: RegionSource, table: RegionTable, phase: Work): void {
  const isUpdate = phase === Phase.UPDATE || phase === Phase.REFRESH;
  if (isUpdate && table.status === TargetStatus.STALE) source.updateRanges(table);
  if (isUpdate || table.orders === 0) return;
  const startedUs = cpuUs();
  if (phase === PREPARE && table.orders === Order.BEGIN) {
    source.begin(table);
    table.orders = 0;
    table.beginUs = cpuUs() - startedUs;
  } else if (phase === Phase.CHECK && table.orders !== Order.BEGIN) {
    const isLast = table.orders === Order.DELIVER;
    source.deliver(table, isLast);
    table.orders = 0;
    if (table.status !== TargetStatus.OK) return;
    if (isLast) {
      table.deliveries++;
      const costUs = table.beginUs + cpuUs() - startedUs;
      table.costUs = table.costUs === 0 ? costUs : table.costUs + LATEST * (costUs - table.costUs);
    } else table.peeks++;
  }
}

/** CPU of this thread in microseconds; on a kernel without clocks of threads, the time. */
function cpuUs(): number {
  const ms = threadCpuMs();
  return 1_000 * (Number.isNaN(ms) ? performance.now() : ms);
}
