import { NOT_SAMPLED, SAMPLES } from '../checks/access-check.js';
import type { MonitorStats, ThreadCost } from '../core/stats.js';
import type { Gate } from './gate.js';
import type { ClockName } from './protocol.js';
import type { Samplers } from './samplers.js';
import { openThreadCpu, readThreadCpuUs } from './thread-cpu.js';

/** The monitor measuring itself. The coordinator counts here; what samplers count lies in the gate. */
export class Meter {
  ticks = 0;
  overruns = 0;
  snapshots = 0;
  droppedSnapshots = 0;
  lostSamplers = 0;
  lostTicks = 0;
  readonly #cpuFile = openThreadCpu();
  readonly #cpuBaseUs = readThreadCpuUs(this.#cpuFile) || 0;

  constructor(
    readonly gate: Gate,
    readonly samplers: Samplers,
    readonly clock: ClockName,
  ) {}

  /** @param regions in all targets now */
  read(elapsedUs: number, regions: number): MonitorStats {
    const samples = this.gate.sumOf(SAMPLES);
    const notSampled = this.gate.sumOf(NOT_SAMPLED);
    const { ticks, overruns, snapshots, droppedSnapshots, lostSamplers, lostTicks } = this;
    const counted = { elapsedUs, ticks, overruns, samples, notSampled, snapshots, droppedSnapshots };
    const lost = { lostSamplers, lostTicks, regions };
    // Virtual time has no cost that would be the same twice.
    if (this.clock === 'virtual')
      return { ...counted, ...lost, cpuPercent: null, usPerSample: null, threads: [] };

    const threads: ThreadCost[] = [
      { name: 'coordinator', cpuUs: (readThreadCpuUs(this.#cpuFile) || 0) - this.#cpuBaseUs },
    ];
    let samplerUs = this.samplers.endedCpuUs;
    for (const link of this.samplers.all) {
      link.readCpu();
      samplerUs += link.cpuUs;
      threads.push({ name: `sampler ${link.slot}`, cpuUs: link.cpuUs });
    }
    return {
      ...counted,
      ...lost,
      cpuPercent: elapsedUs > 0 ? (100 * (threads[0]!.cpuUs + samplerUs)) / elapsedUs : 0,
      usPerSample: samples > 0 ? samplerUs / samples : null,
      threads,
    };
  }
}
