import type { AttrsInForce, MonitorStats, ThreadCost } from '../core/stats.js';
import { openThreadCpu, readThreadCpuUs } from '../kernel/thread-cpu.js';
import type { ClockName, CostScope } from './protocol.js';
import type { Samplers } from './samplers.js';
import type { SharedState } from './shared-state.js';
import { NOT_SAMPLED, SAMPLES } from './slots.js';

/** Recent cost covers RECENT_US, with a mark every MARK_US. */
const RECENT_US = 10_000_000;
const MARK_US = 1_000_000;

/** Counts the monitor's own work and cost. The coordinator counts here; samplers count in their slots. */
export class Meter {
  ticks = 0;
  overruns = 0;
  snapshots = 0;
  droppedSnapshots = 0;
  lostSamplers = 0;
  lostTicks = 0;
  readonly #cpuFile = openThreadCpu();
  #cpuBaseUs = readThreadCpuUs(this.#cpuFile) || 0;
  #processBaseUs = processCpuUs();
  readonly #isOfProcess: boolean;
  /** The total cost at earlier times, the oldest first. */
  readonly #marks = [{ atUs: 0, cpuUs: 0 }];

  constructor(
    readonly shared: SharedState,
    readonly samplers: Samplers,
    readonly clock: ClockName,
    costOf: CostScope,
  ) {
    // If the kernel has no CPU clocks of threads, the clock of the process comes closest.
    this.#isOfProcess = costOf === 'process' || this.#cpuFile < 0;
  }

  /** Restarts counting CPU time, when the monitor's time starts. */
  restart(): void {
    this.#cpuBaseUs = readThreadCpuUs(this.#cpuFile) || 0;
    this.#processBaseUs = processCpuUs();
    for (const link of this.samplers.all) link.restartCpu();
  }

  /** CPU time of coordinator and samplers since the start, in microseconds. One read per thread. */
  threadsCpuUs(): number {
    return this.#sumOf(this.#threads());
  }

  /** CPU time that counts as cost since the start, in microseconds. */
  cpuUs(): number {
    return this.#isOfProcess ? processCpuUs() - this.#processBaseUs : this.threadsCpuUs();
  }

  /** @param regions current number in all targets */
  read(elapsedUs: number, regions: number, inForce: AttrsInForce): MonitorStats {
    const samples = this.shared.slots.sumOf(SAMPLES);
    const notSampled = this.shared.slots.sumOf(NOT_SAMPLED);
    const { ticks, overruns, snapshots, droppedSnapshots, lostSamplers, lostTicks } = this;
    const counted = { elapsedUs, ticks, overruns, samples, notSampled, snapshots, droppedSnapshots };
    const lost = { lostSamplers, lostTicks, regions, inForce };
    // On virtual time, two runs must give the same stats, and cost varies.
    if (this.clock === 'virtual') {
      const noCost = { cpuPercent: null, recentCpuPercent: null, usPerSample: null, threads: [] };
      const none = { ...noCost, meanLateUs: null, maxLateUs: null };
      return { ...counted, ...lost, ...none };
    }
    const threads = this.#threads();
    const samplersUs = this.#sumOf(threads.slice(1));
    const threadsUs = threads[0]!.cpuUs + samplersUs;
    const cpuUs = this.#isOfProcess ? this.cpuUs() : threadsUs;
    if (cpuUs > threadsUs) threads.push({ name: 'others', cpuUs: cpuUs - threadsUs });
    return {
      ...counted,
      ...lost,
      cpuPercent: elapsedUs > 0 ? (100 * cpuUs) / elapsedUs : 0,
      recentCpuPercent: this.#recentPercent(elapsedUs, cpuUs),
      usPerSample: samples > 0 ? samplersUs / samples : null,
      meanLateUs: this.shared.barrier.meanLateUs,
      maxLateUs: this.shared.barrier.maxLateUs,
      threads,
    };
  }

  /** The coordinator and the current samplers. One read per thread. */
  #threads(): ThreadCost[] {
    const coordinator = (readThreadCpuUs(this.#cpuFile) || 0) - this.#cpuBaseUs;
    const samplers = this.samplers.all.map((link) => {
      link.readCpu();
      return { name: `sampler ${link.slot}`, cpuUs: link.cpuUs };
    });
    return [{ name: 'coordinator', cpuUs: coordinator }, ...samplers];
  }

  /** Includes the cost of samplers that have ended. */
  #sumOf(threads: readonly ThreadCost[]): number {
    return threads.reduce((sum, { cpuUs }) => sum + cpuUs, this.samplers.endedCpuUs);
  }

  #recentPercent(atUs: number, cpuUs: number): number {
    const marks = this.#marks;
    if (atUs - marks.at(-1)!.atUs >= MARK_US) marks.push({ atUs, cpuUs });
    while (marks.length > 2 && marks[1]!.atUs <= atUs - RECENT_US) marks.shift();
    const from = marks[0]!;
    return atUs > from.atUs ? (100 * (cpuUs - from.cpuUs)) / (atUs - from.atUs) : 0;
  }
}

/** CPU time of all threads of this process, including those of V8 and libuv, in microseconds. */
function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
