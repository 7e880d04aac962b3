import { PagepulseError } from '../../core/errors.js';
import type { AttrsReason } from '../../core/stats.js';
import type { HeaderLine, TargetLine } from '../../record/format.js';
import { type PackedLine, type RecordReader, readPacked } from '../../record/reader.js';
import { snapshotOfLine } from '../../record/restore.js';
import type { PackedSnapshot } from '../../record/snapshot-bytes.js';
import type { Observation, ObservationSource, SourceHeader } from './observation.js';
import { ObservedMemory } from './observed-memory.js';

interface ObservedTarget {
  readonly line: TargetLine;
  readonly memory: ObservedMemory;
}

/**
 * Opens a record and reads its header.
 *
 * @param path `-` for standard input
 * @throws PagepulseError `RECORD` where it cannot be read, or has no header
 */
export async function openRecord(path: string): Promise<RecordedSource> {
  const reader = readPacked(path === '-' ? process.stdin : path);
  const lines = reader[Symbol.asyncIterator]();
  const first = await lines.next();
  const name = path === '-' ? 'the input' : path;
  if (first.done || first.value.type !== 'header') {
    throw new PagepulseError('RECORD', `${name} ends within its header; record again`);
  }
  return new RecordedSource(name, first.value, lines, reader);
}

/** A record; how far it is read can be told. */
export class RecordedSource implements ObservationSource {
  readonly header: SourceHeader;
  readonly #targets = new Map<number, ObservedTarget>();
  /** What the snapshots need of it; with the attrs in force. */
  #inForce: HeaderLine & { readonly reason?: AttrsReason };
  #ofUnknownTargets = 0;

  constructor(
    name: string,
    header: HeaderLine,
    readonly lines: AsyncIterator<PackedLine>,
    readonly reader: RecordReader<PackedLine>,
  ) {
    const { startedAt, check, pageSize } = header;
    this.header = { name, startedAt, check, pageSize };
    this.#inForce = header;
  }

  get bytesRead(): number {
    return this.reader.bytesRead;
  }

  /** Undefined for a pipe. */
  get totalBytes(): number | undefined {
    return this.reader.totalBytes;
  }

  async *observations(): AsyncGenerator<Observation> {
    try {
      for (let next = await this.lines.next(); !next.done; next = await this.lines.next()) {
        const observation = this.#take(next.value);
        if (observation) yield observation;
      }
    } finally {
      await this.lines.return?.();
    }
  }

  notes(): string[] {
    const { skippedLines, truncated } = this.reader;
    const notes: string[] = [];
    if (skippedLines > 0) notes.push(`${skippedLines} damaged lines were left out`);
    if (this.#ofUnknownTargets > 0)
      notes.push(`${this.#ofUnknownTargets} snapshots of unknown processes were left out`);
    if (truncated) notes.push('it breaks off before its end, as a recording does that was killed');
    return notes.map((note) => `${this.header.name}: ${note}`);
  }

  #take(line: PackedLine): Observation | undefined {
    switch (line.type) {
      case 'target':
        this.#targets.set(line.id, { line, memory: new ObservedMemory(this.header.pageSize) });
        this.#targets.get(line.id)!.memory.take(line);
        return;
      case 'mappings':
        this.#targets.get(line.target)?.memory.take(line);
        return;
      case 'attrs':
        this.#inForce = { ...this.#inForce, attrs: line.attrs, reason: line.reason };
        return;
      case 'snapshot':
        return this.#observationOf(line);
    }
  }

  #observationOf(line: PackedSnapshot): Observation | undefined {
    const target = this.#targets.get(line.target);
    if (!target) {
      this.#ofUnknownTargets++;
      return;
    }
    const snapshot = snapshotOfLine(line, this.#inForce, target.line);
    const { mappings, residentBytes } = target.memory;
    return { snapshot, mappings, residentBytes };
  }
}
