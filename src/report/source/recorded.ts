import { PagepulseError } from '../../core/errors.js';
import type { SnapshotColumns } from '../../core/snapshot-columns.js';
import type { AttrsInForce } from '../../core/stats.js';
import type { TargetInfo } from '../../core/target.js';
import { type HeaderLine, RECORD_VERSION, type TargetLine } from '../../record/format.js';
import { BYTES_OF_TARGET } from '../../record/limits.js';
import { ObservedMemory } from '../../record/observed-memory.js';
import { type ColumnarLine, damageNote, type RecordReader, readColumnar } from '../../record/reader.js';
import { type ColumnarSnapshot, snapshotOfLine } from '../../record/restore.js';
import { otherWatcherText } from '../status-text.js';
import type { Observation, ObservationSource, SourceHeader } from './observation.js';

interface ObservedTarget {
  readonly info: TargetInfo;
  /** Undefined once it was dropped. */
  memory: ObservedMemory | undefined;
  /** How many snapshots of all targets came before its latest one. */
  lastSeen: number;
}

/** Targets whose mappings are kept: those with the latest snapshots, since a record does not say when a process ended. */
const MAX_MEMORIES = 2_000;

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
  readonly #targets = new Map<number, ObservedTarget>();
  readonly #withMemory = new Set<ObservedTarget>();
  #snapshots = 0;
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
        this.#targets.get(line.target)?.memory?.take(line);
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
    const snapshot = snapshotOfLine(line, this.#inForce, target.info);
    const { mappings = [], residentBytes } = target.memory ?? {};
    target.memory?.willName(snapshot.columns.startPages.length, () => areInOrder(snapshot.columns));
    target.lastSeen = this.#snapshots++;
    return { snapshot, mappings, residentBytes };
  }

  #addTarget({ id, pid, startTime, comm, cmdline, ...memory }: TargetLine): void {
    const info = { id, pid, startTime, comm, cmdline };
    this.reader.budget.spend(BYTES_OF_TARGET);
    const observed = new ObservedMemory(this.header.pageSize, this.reader.budget);
    observed.take(memory);
    const target = { info, memory: observed, lastSeen: this.#snapshots };
    const before = this.#targets.get(id); // of a file that was rotated, and joined with this one
    if (before) this.#withMemory.delete(before);
    this.#targets.set(id, target);
    this.#withMemory.add(target);
    if (this.#withMemory.size > MAX_MEMORIES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest: ObservedTarget | undefined;
    for (const target of this.#withMemory) {
      if (oldest === undefined || target.lastSeen < oldest.lastSeen) oldest = target;
    }
    this.#withMemory.delete(oldest!);
    oldest!.memory = undefined;
  }
}

function areInOrder({ startPages, endPages }: SnapshotColumns): boolean {
  for (let i = 1; i < startPages.length; i++) if (startPages[i]! < endPages[i - 1]!) return false;
  return true;
}
