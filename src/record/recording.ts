import { PagepulseError } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { OtherWatcher } from '../core/target.js';
import type { MemoryReader } from '../processes/facts.js';
import { type HeaderLine, recordedMemory } from './format.js';
import { makeWay, type Rotation } from './rotation.js';
import { RecordWriter } from './writer.js';

type Header = Omit<HeaderLine, 'type' | 'version'>;

/**
 * What a monitor sees, as a record: every target with its mappings before its first snapshot, changes of mappings and
 * attrs where they belong. With rotation it goes on in one file after the other, each of which can be read alone; times
 * are since the start of the recording in all of them.
 */
export class Recording {
  #writer: RecordWriter;
  #header: Header | undefined;
  #memory: MemoryReader | undefined;
  /** Ids of the targets that this file has. */
  readonly #known = new Set<number>();
  /** Not written yet: snapshots that ended before may be on their way. */
  readonly #changes: AttrsChange[] = [];
  #lastChange: AttrsChange | undefined;
  readonly #others: OtherWatcher[] = [];
  /** How many of them are in this file. */
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
        `cannot rotate ${path}: not a regular file; choose another name or drop --rotate`,
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

  begin(header: Header, memory: MemoryReader): Promise<void> {
    this.#header = header;
    this.#memory = memory;
    return this.#writer.header(header);
  }

  /** Other attrs are in force: written before the first snapshot that ends after it. */
  attrs(change: AttrsChange): void {
    this.#changes.push(change);
  }

  /** Written before the next snapshot, and repeated in each file of a rotated recording. */
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

  /** As RecordWriter.discard: for a recording that has not begun, or cannot go on. */
  discard(): Promise<string | undefined> {
    return this.#writer.discard();
  }

  /** A file has one snapshot at least. */
  #isFull({ endUs }: Snapshot): boolean {
    if (!this.rotation || !this.#last) return false;
    if ('fromBytes' in this.rotation) return this.#writer.bytesWritten >= this.rotation.fromBytes;
    const { everyUs } = this.rotation;
    return Math.ceil(endUs / everyUs) > Math.ceil(this.#last.endUs / everyUs);
  }

  async #rotate(): Promise<void> {
    await this.#writer.end('rotated', this.#last!.stats);
    await this.#writer.close();
    makeWay(this.path);
    this.#writer = RecordWriter.create(this.path);
    this.#files++;
    this.#known.clear();
    this.#othersWritten = 0;
    const attrs = this.#lastChange?.attrs ?? this.#header!.attrs;
    await this.#writer.header({ ...this.#header!, attrs });
    if (this.#lastChange) await this.#writer.attrs(this.#lastChange); // the header does not say who chose them
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
