import { isProcess, type TargetInfo } from '../core/target.js';
import { MemoryReader } from '../processes/facts.js';
import { ObservedMemory } from '../record/observed-memory.js';
import type { Observation, ObservationSource, SourceHeader } from '../report/source/observation.js';
import type { Session, SessionEvent } from './session.js';

/** The snapshots of a session as the source of a report, with what its targets have mapped. */
export class LiveSource implements ObservationSource {
  readonly header: SourceHeader;
  readonly #memories = new WeakMap<TargetInfo, ObservedMemory>();
  readonly #reader: MemoryReader;
  readonly #notes: string[] = [];

  /** @param events of the session */
  constructor(
    readonly session: Session,
    readonly events: AsyncIterable<SessionEvent> = session,
  ) {
    const { startedAt, check, pageSize, targets } = session.monitor;
    this.header = { name: nameOf(targets), startedAt, check, pageSize };
    this.#reader = new MemoryReader(session.monitor);
  }

  /** Ends with the session. Leaving it early stops the session. */
  async *observations(): AsyncGenerator<Observation> {
    try {
      for await (const event of this.events) {
        if (event.type === 'snapshot') {
          const { snapshot } = event;
          const { mappings, residentBytes } = await this.#memoryOf(snapshot.target);
          yield { snapshot, mappings, residentBytes };
        } else if (event.type === 'detached' && event.reason === 'failed') {
          const { target, message } = event;
          this.#notes.push(`process ${target.pid} (${target.comm}) was not watched to the end: ${message}`);
        }
      }
      const { droppedSnapshots } = (await this.session.ended).stats;
      if (droppedSnapshots > 0)
        this.#notes.push(
          `${droppedSnapshots} snapshots were dropped: the report was slower than the sampling`,
        );
    } finally {
      await this.session.stop();
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
  if (first && targets.length === 1) return isProcess(first) ? `${first.comm} (${first.pid})` : first.comm;
  return `${targets.length} processes`;
}
