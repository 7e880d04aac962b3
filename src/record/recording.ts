import { lstatSync, renameSync } from 'node:fs';
import { join, parse } from 'node:path';
import { PagepulseError, systemCode } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { OtherWatcher } from '../core/target.js';
import type { MemoryReader } from '../processes/facts.js';
import { type HeaderLine, recordedMemory } from './format.js';
import { outputError } from './output-error.js';
import { RecordWriter } from './writer.js';

type Header = Omit<HeaderLine, 'type' | 'version'>;

/** When a recording starts a new file: at each multiple of a time since its start, or from a size on. */
export type Rotation = { readonly everyUs: number } | { readonly fromBytes: number };

/** What targets have mapped. A recording reads nothing of processes itself. */
export type MemorySource = Pick<MemoryReader, 'first' | 'change' | 'whole' | 'lastChanges'>;

/**
 * Records what a monitor publishes: each target with its mappings before its first snapshot, and changes of mappings and
 * attrs where they belong. With rotation, each file can be read alone, and times count from the start of the recording.
 */
export class Recording {
  #writer: RecordWriter;
  #header: Header | undefined;
  #memory: MemorySource | undefined;
  /** Ids of the targets in this file. */
  readonly #known = new Set<number>();
  /** Not written yet: earlier snapshots may still arrive. */
  readonly #changes: AttrsChange[] = [];
  #lastChange: AttrsChange | undefined;
  readonly #others: OtherWatcher[] = [];
  /** How many of them this file has. */
  #othersWritten = 0;
  #last: Snapshot | undefined;
  #files = 1;

  /**
   * Opens the file.
   *
   * @throws PagepulseError `OUTPUT`
   */
  static create(
    path: string,
    { force = false, rotation }: { force?: boolean; rotation?: Rotation | undefined },
  ): Recording {
    const writer = RecordWriter.create(path, { force });
    if (rotation && !writer.isRegular) {
      void writer.close();
      throw new PagepulseError(
        'OUTPUT',
        `cannot rotate ${path}: not a regular file; choose another path or drop --rotate`,
      );
    }
    return new Recording(writer, rotation);
  }

  private constructor(
    writer: RecordWriter,
    readonly rotation: Rotation | undefined,
  ) {
    this.#writer = writer;
  }

  get path(): string {
    return this.#writer.path;
  }

  /** Files so far. */
  get files(): number {
    return this.#files;
  }

  begin(header: Header, memory: MemorySource): Promise<void> {
    this.#header = header;
    this.#memory = memory;
    return this.#writer.header(header);
  }

  /** Written before the first snapshot that ends after the change. */
  attrs(change: AttrsChange): void {
    this.#changes.push(change);
  }

  /** Written before the next snapshot, and in each later file of a rotated recording. */
  otherWatcher(other: OtherWatcher): void {
    this.#others.push(other);
  }

  async snapshot(snapshot: Snapshot): Promise<void> {
    if (this.#isFull(snapshot)) await this.#rotate();
    await this.#writeChanges(snapshot.endUs);
    const { target, endUs } = snapshot;
    const isKnown = this.#known.has(target.id);
    const { pageSize } = this.#header!;
    const change = isKnown ? this.#memory!.change(target) : await this.#memory!.first(target);
    if (!isKnown) await this.#writer.target(target, recordedMemory(this.#memory!.whole(target), pageSize));
    else if (change) await this.#writer.mappings(target, endUs, recordedMemory(change, pageSize));
    this.#known.add(target.id);
    await this.#writer.snapshot(snapshot);
    this.#last = snapshot;
  }

  /** @param reason `stopped`, `duration`, `targets ended`, `error`, ... */
  async end(reason: string, stats: MonitorStats): Promise<void> {
    if (this.#known.size > 0) {
      await this.#writeChanges(Number.POSITIVE_INFINITY);
      for (const [target, change] of this.#memory!.lastChanges()) {
        if (!this.#known.has(target.id)) continue;
        const memory = recordedMemory(change, this.#header!.pageSize);
        await this.#writer.mappings(target, stats.elapsedUs, memory);
      }
    }
    await this.#writer.end(reason, stats);
    await this.#writer.close();
  }

  /** As RecordWriter.discard: for a recording that has not started or cannot continue. */
  discard(): Promise<string | undefined> {
    return this.#writer.discard();
  }

  /** A file has at least one snapshot. */
  #isFull({ endUs }: Snapshot): boolean {
    if (!this.rotation || !this.#last) return false;
    if ('fromBytes' in this.rotation) return this.#writer.bytesWritten >= this.rotation.fromBytes;
    const { everyUs } = this.rotation;
    return Math.ceil(endUs / everyUs) > Math.ceil(this.#last.endUs / everyUs);
  }

  async #rotate(): Promise<void> {
    await this.#writer.end('rotated', this.#last!.stats);
    await this.#writer.close();
    rotateFiles(this.path);
    this.#writer = RecordWriter.create(this.path);
    this.#files++;
    this.#known.clear();
    this.#othersWritten = 0;
    const attrs = this.#lastChange?.attrs ?? this.#header!.attrs;
    await this.#writer.header({ ...this.#header!, attrs });
    if (this.#lastChange) await this.#writer.attrs(this.#lastChange); // the header does not hold the reason
  }

  async #writeChanges(untilUs: number): Promise<void> {
    while (this.#changes[0] && this.#changes[0].atUs < untilUs) {
      this.#lastChange = this.#changes.shift()!;
      await this.#writer.attrs(this.#lastChange);
    }
    while (this.#othersWritten < this.#others.length) {
      await this.#writer.otherWatcher(this.#others[this.#othersWritten++]!);
    }
  }
}

/**
 * Renames as logrotate does: `it.ndjson` becomes `it.1.ndjson`, an existing `it.1.ndjson` becomes `it.2.ndjson`, and so on
 * up to the first free name. Nothing is overwritten, and a larger number means an older file.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function rotateFiles(path: string): void {
  let last = 0;
  // lstat: a dangling link takes a name, too.
  while (lstatSync(rotatedName(path, last + 1), { throwIfNoEntry: false })) last++;
  for (let number = last; number >= 0; number--) {
    try {
      renameSync(rotatedName(path, number), rotatedName(path, number + 1));
    } catch (error) {
      // Moved away by another program: its name is free.
      if (systemCode(error) !== 'ENOENT') throw outputError(error, path);
    }
  }
}

/** `it.3.ndjson.gz` for the third of `it.ndjson.gz`; 0 is the file itself. */
export function rotatedName(path: string, number: number): string {
  if (number === 0) return path;
  const compressed = path.endsWith('.gz') ? '.gz' : '';
  const { dir, name, ext } = parse(path.slice(0, path.length - compressed.length));
  return join(dir, `${name}.${number}${ext}${compressed}`);
}
