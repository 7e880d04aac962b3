import { PagepulseError } from '../../core/errors.js';
import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import type { AttrsInForce } from '../../core/stats.js';
import type { TargetInfo } from '../../core/target.js';
import { type HeaderLine, RECORD_VERSION, type TargetLine } from '../../record/format.js';
import { BYTES_OF_TARGET } from '../../record/limits.js';
import { ObservedMemories } from '../../record/observed-memory.js';
import { type ColumnarLine, damageNote, type RecordReader, readColumnar } from '../../record/reader.js';
import { type ColumnarSnapshot, snapshotOfLine } from '../../record/restore.js';
import { otherWatcherText } from '../status-text.js';
import type { Observation, ObservationSource, SourceHeader } from './observation.js';

/** The most other watchers that are named. */
const MAX_OTHERS = 10;

/**
 * Opens a record and reads its header.
 *
 * @param path `-` for standard input
 * @throws PagepulseError `RECORD` if it cannot be read, or has no header
 */
export async function openRecord(path: string): Promise<RecordedSource> {
  const reader = readColumnar(path === '-' ? process.stdin : path);
  const lines = reader[Symbol.asyncIterator]();
  const first = await lines.next();
  const name = path === '-' ? 'the input' : path;
  if (first.done || first.value.type !== 'header') {
    throw new PagepulseError(
      'RECORD',
      `${name} ${reader.bytesRead > 0 ? 'ends within its header' : 'is empty'}; record again`,
    );
  }
  return new RecordedSource(name, first.value, lines, reader);
}

/** A record that is read from its start to its end. */
export class RecordedSource implements ObservationSource {
  readonly header: SourceHeader;
  readonly #targets = new Map<number, TargetInfo>();
  readonly #memories: ObservedMemories;
  /** The header with the attrs in force. */
  #inForce: HeaderLine & Partial<AttrsInForce>;
  #ofUnknownTargets = 0;
  /** A set, since each file of a rotated recording repeats them. */
  readonly #others = new Set<string>();

  constructor(
    name: string,
    header: HeaderLine,
    readonly lines: AsyncIterator<ColumnarLine>,
    readonly reader: RecordReader<ColumnarLine>,
  ) {
    const { startedAt, check, pageSize } = header;
    this.header = { name, startedAt, check, pageSize };
    this.#inForce = header;
    this.#memories = new ObservedMemories(reader.budget);
    this.#memories.take(header);
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
        const observation = this.#observationFrom(next.value);
        if (observation) yield observation;
      }
    } finally {
      await this.lines.return?.();
    }
  }

  notes(): string[] {
    const { truncated, lines } = this.reader;
    const { version } = this.#inForce;
    const notes: string[] = [];
    if (version > RECORD_VERSION)
      notes.push(
        `it has version ${version} of the format, of which only the fields of version ${RECORD_VERSION} were read; ` +
          'a newer Pagepulse reads the rest',
      );
    notes.push(...this.#others);
    const damage = damageNote(this.reader);
    if (damage) notes.push(damage);
    const unknown = this.#ofUnknownTargets;
    if (unknown > 0)
      notes.push(
        `${unknown === 1 ? '1 snapshot was' : `${unknown} snapshots were`} left out, of a process without a target line`,
      );
    if (truncated)
      notes.push(`it breaks off after line ${lines}, without an end, as if the recording had been killed`);
    return notes.map((note) => `${this.header.name}: ${note}`);
  }

  #observationFrom(line: ColumnarLine): Observation | undefined {
    switch (line.type) {
      case 'target':
        this.#addTarget(line);
        return;
      case 'mappings':
        this.#memories.take(line);
        return;
      case 'attrs':
        this.#inForce = { ...this.#inForce, attrs: line.attrs, reason: line.reason, turns: line.turns };
        return;
      case 'otherWatcher':
        if (this.#others.size < MAX_OTHERS) this.#others.add(otherWatcherText(line));
        return;
      case 'snapshot':
        return this.#observationOf(line);
    }
  }

  #observationOf(line: ColumnarSnapshot): Observation | undefined {
    const target = this.#targets.get(line.target);
    if (!target) {
      this.#ofUnknownTargets++;
      return;
    }
    const snapshot = snapshotOfLine(line, this.#inForce, target);
    const { columns } = snapshot;
    const memory = this.#memories.of(target.id, columns.startPages.length, () => areInOrder(columns));
    return { snapshot, mappings: memory?.mappings ?? [], residentBytes: memory?.residentBytes };
  }

  #addTarget(line: TargetLine): void {
    const { id, pid, startTime, comm, cmdline } = line;
    this.reader.budget.spend(BYTES_OF_TARGET);
    this.#memories.take(line);
    this.#targets.set(id, { id, pid, startTime, comm, cmdline });
  }
}

function areInOrder({ startPages, endPages }: SnapshotColumns): boolean {
  for (let i = 1; i < startPages.length; i++) if (startPages[i]! < endPages[i - 1]!) return false;
  return true;
}
