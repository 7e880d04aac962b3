import type { TargetInfo } from '../core/target.js';
import type { Monitor } from '../engine/monitor.js';
import { MemoryReader } from '../processes/facts.js';
import { ObservedMemory } from '../record/observed-memory.js';
import type { Observation, ObservationSource, SourceHeader } from '../report/source/observation.js';

/**
 * What a monitor sees from now on, with what its targets have mapped, until it ends. Whoever leaves the observations early
 * stops the monitor.
 */
export function openLive(monitor: Monitor): ObservationSource {
  return new LiveSource(monitor);
}

class LiveSource implements ObservationSource {
  readonly header: SourceHeader;
  readonly #memories = new WeakMap<TargetInfo, ObservedMemory>();
  readonly #reader: MemoryReader;
  readonly #notes: string[] = [];

  constructor(readonly monitor: Monitor) {
    const { startedAt, check, pageSize } = monitor;
    this.header = { name: nameOf(monitor.targets), startedAt, check, pageSize };
    this.#reader = new MemoryReader(monitor);
    monitor.on('detached', ({ pid, comm }, reason, message) => {
      if (reason === 'failed')
        this.#notes.push(`process ${pid} (${comm}) was not watched to the end: ${message}`);
    });
  }

  async *observations(): AsyncGenerator<Observation> {
    try {
      for await (const snapshot of this.monitor) {
        const { mappings, residentBytes } = await this.#memoryOf(snapshot.target);
        yield { snapshot, mappings, residentBytes };
      }
      const { droppedSnapshots } = (await this.monitor.ended).stats;
      if (droppedSnapshots > 0)
        this.#notes.push(
          `${droppedSnapshots} snapshots were dropped: they came faster than they could be taken`,
        );
    } finally {
      await this.monitor.stop().catch(() => {}); // where it failed, that was thrown
    }
  }

  notes(): string[] {
    return [...this.#notes];
  }

  async #memoryOf(target: TargetInfo): Promise<ObservedMemory> {
    let memory = this.#memories.get(target);
    const change = memory ? this.#reader.change(target) : await this.#reader.first(target);
    if (!memory) {
      memory = new ObservedMemory(this.header.pageSize);
      this.#memories.set(target, memory);
    }
    if (change) memory.update(change);
    return memory;
  }
}

function nameOf(targets: readonly TargetInfo[]): string {
  const [first] = targets;
  if (first && targets.length === 1) return first.pid > 0 ? `${first.comm} (${first.pid})` : first.comm;
  return `${targets.length} processes`;
}
