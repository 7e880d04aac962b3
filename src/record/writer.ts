import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip, type Gzip, constants as zlib } from 'node:zlib';
import type { PagepulseError } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { MonitorStats } from '../core/stats.js';
import {
  attrsLine,
  endLine,
  headerLine,
  mappingsLine,
  otherWatcherLine,
  snapshotLine,
  targetLine,
} from './format.js';
import { OutputFile } from './output-file.js';

/** A killed compressed recording loses at most the output of this time. */
const FLUSH_MS = 1_000;

/**
 * Writes a record line by line. Each method resolves when its line is written, or accepted by the compression, so a slow
 * reader slows the caller. An error is thrown by the call that met it.
 */
export class RecordWriter {
  readonly #file: OutputFile;
  /** The file, or the compression in front of it. */
  readonly #lines: Writable;
  readonly #gzip: Gzip | undefined;
  readonly #output: Writable;
  readonly #flushTimer: NodeJS.Timeout | undefined;
  /** Resolve the pending writes: a failed stream does not call back for all of them. */
  readonly #waiting = new Set<() => void>();
  #mustFlush = false;
  /** It has a target or a snapshot. */
  #hasBegun = false;
  #isComplete = false;
  #error: PagepulseError | undefined;
  #isErrorThrown = false;

  /**
   * Opens a record for writing, before monitoring starts: a bad path fails early. `-` is standard output; a name that ends
   * in .gz is compressed. Only its owner can read a new file: it holds addresses and command lines.
   *
   * @param options.force replaces an existing file once the record is complete
   * @throws PagepulseError `OUTPUT`
   */
  static create(path: string, { force = false }: { force?: boolean } = {}): RecordWriter {
    return new RecordWriter(OutputFile.create(path, { force, isRecording: true }));
  }

  private constructor(file: OutputFile) {
    this.#file = file;
    this.#output = file.stream();
    this.#output.on('error', (error) => this.#fail(error));
    if (file.path.endsWith('.gz')) {
      this.#gzip = createGzip();
      this.#gzip.on('error', (error) => this.#fail(error));
      this.#gzip.pipe(this.#output);
      this.#flushTimer = setInterval(() => this.#flush(), FLUSH_MS).unref();
    }
    this.#lines = this.#gzip ?? this.#output;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Whether it is a new file, not a device, a pipe or standard output. */
  get isRegular(): boolean {
    return this.#file.isRegular;
  }

  /** In the file so far; the compression may hold back up to a second of output. */
  get bytesWritten(): number {
    return (this.#output as Writable & { readonly bytesWritten?: number }).bytesWritten ?? 0;
  }

  readonly header = (...args: Parameters<typeof headerLine>) => this.#write(headerLine(...args));
  readonly attrs = (...args: Parameters<typeof attrsLine>) => this.#write(attrsLine(...args));
  readonly mappings = (...args: Parameters<typeof mappingsLine>) => this.#write(mappingsLine(...args));
  readonly otherWatcher = (...args: Parameters<typeof otherWatcherLine>) =>
    this.#write(otherWatcherLine(...args));

  target(...args: Parameters<typeof targetLine>): Promise<void> {
    this.#hasBegun = true;
    return this.#write(targetLine(...args));
  }

  snapshot(snapshot: Snapshot): Promise<void> {
    this.#hasBegun = true;
    return this.#write(snapshotLine(snapshot));
  }

  /** @param reason `stopped`, `duration`, `targets ended`, `error`, ... */
  async end(reason: string, stats: MonitorStats): Promise<void> {
    await this.#write(endLine(reason, stats));
    this.#isComplete = true;
  }

  /**
   * Writes the rest, closes the file, and gives a complete record its name; standard output stays open. Does not throw an
   * error that an earlier call has thrown.
   *
   * @throws PagepulseError `OUTPUT`
   */
  async close(): Promise<void> {
    clearInterval(this.#flushTimer);
    if (!this.#error && this.#output !== process.stdout) {
      this.#lines.end();
      await finished(this.#output).catch((error) => this.#fail(error));
    }
    if (!this.#isErrorThrown) this.#throwError();
    if (!this.#error && this.#isComplete && this.#hasBegun) this.#file.finish();
  }

  /**
   * Closes the file, and removes it if it has no target and no snapshot. A file that it was to replace stays as it is.
   *
   * @returns where an incomplete recording is kept, if that is not its path
   */
  async discard(): Promise<string | undefined> {
    await this.close().catch(() => {});
    if (!this.#hasBegun) this.#file.discard();
    else if (!this.#isComplete && this.#file.location !== this.path) return this.#file.location;
    return undefined;
  }

  async #write(line: string): Promise<void> {
    if (!this.#error) {
      await new Promise<void>((resolve) => {
        const done = (error?: Error | null) => {
          this.#waiting.delete(done);
          if (error) this.#fail(error);
          resolve();
        };
        this.#waiting.add(done);
        this.#mustFlush = true;
        this.#lines.write(`${line}\n`, done);
      });
    }
    this.#throwError();
  }

  #flush(): void {
    if (!this.#mustFlush) return;
    this.#mustFlush = false;
    this.#gzip?.flush(zlib.Z_SYNC_FLUSH);
  }

  #fail(error: unknown): void {
    if (this.#error) return;
    this.#error = this.#file.errorOf(error);
    clearInterval(this.#flushTimer);
    this.#gzip?.destroy();
    if (this.#output !== process.stdout) this.#output.destroy();
    for (const done of this.#waiting) done();
  }

  #throwError(): void {
    if (!this.#error) return;
    this.#isErrorThrown = true;
    throw this.#error;
  }
}
