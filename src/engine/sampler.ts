import type { AccessCheck } from '../checks/access-check.js';
import { CheckOpener } from '../checks/open-check.js';
import type { TargetRequest } from '../checks/target-request.js';
import { PagepulseError } from '../core/errors.js';
import type { RandomState } from '../core/random.js';
import { RegionTable, TargetStatus } from '../core/region-table.js';
import { type Epoch, Gate, Phase } from './gate.js';
import type { OpenedTarget, SamplerApi, SamplerStart } from './protocol.js';
import { openThreadCpu } from './thread-cpu.js';

/** The part of the phases with ticks that is no phase of its own. */
const PREPARE = 'prepare';
type Work = Phase | typeof PREPARE;

/** A target as its sampler has it. */
interface Watched {
  readonly id: number;
  readonly check: AccessCheck;
  readonly table: RegionTable;
  /** Whether the pages in `table.samplePage` have been marked old: not so in a target that came after that phase. */
  prepared: boolean;
}

/** Does in one thread, for its share of the targets, what each phase asks for. */
export class Sampler implements SamplerApi {
  readonly #gate: Gate;
  readonly #slot: number;
  readonly #opener: CheckOpener;
  readonly #opened = new Map<number, AccessCheck>();
  readonly #failures = new Map<number, string>();
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
      const epoch = gate.awaitPhase(last);
      if (gate.isRevoked(this.#slot)) break;
      const { phase } = gate;
      if (phase === Phase.TICK || phase === Phase.PREPARE_AND_TICK) this.#tick(phase);
      else if (phase !== Phase.CONTROL) this.#work(phase, gate.dueUs);
      if (!gate.finish(this.#slot, last, epoch)) break;
      if (phase === Phase.CONTROL) await gate.awaitPhaseAnswering(epoch);
      last = epoch;
    }
    for (const id of [...this.#opened.keys()]) this.close(id);
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
      try {
        this.#workOn(target, phase, nowUs);
      } catch (error) {
        this.#failures.set(target.id, error instanceof Error ? error.message : String(error));
        target.table.status = TargetStatus.FAILED;
      }
    }
  }

  #workOn(target: Watched, phase: Work, nowUs: number): void {
    const { check, table } = target;
    switch (phase) {
      case PREPARE:
        check.prepareAccessChecks(table, nowUs);
        target.prepared = true;
        break;
      case Phase.CHECK:
        if (target.prepared) check.checkAccesses(table, nowUs);
        target.prepared = false;
        break;
      case Phase.UPDATE:
        check.updateRanges(table, nowUs);
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

  open(id: number, request: TargetRequest, random: RandomState): OpenedTarget {
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
    this.#opened.set(id, check);
    return { target: check.target, ranges: table.ranges.slice(0, 2 * table.rangeCount) };
  }

  tickCostUs(id: number): number {
    return this.#checkOf(id).tickCostUs();
  }

  watch(id: number, table: SharedArrayBuffer): void {
    const watched = { id, check: this.#checkOf(id), table: new RegionTable(table), prepared: false };
    this.#watched = [...this.#watched.filter((other) => other.id !== id), watched];
  }

  close(id: number): void {
    this.#watched = this.#watched.filter((other) => other.id !== id);
    this.#opened.get(id)?.close();
    this.#opened.delete(id);
    this.#failures.delete(id);
  }

  failureOf(id: number): string {
    return this.#failures.get(id) ?? 'unknown';
  }

  join(epoch: Epoch): void {
    this.#joined(epoch);
  }

  #checkOf(id: number): AccessCheck {
    const check = this.#opened.get(id);
    if (!check) throw new Error(`target ${id} was not opened here`);
    return check;
  }
}
