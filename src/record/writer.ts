import { constants, createWriteStream, ftruncateSync, openSync, statSync, unlinkSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip, type Gzip, constants as zlib } from 'node:zlib';
import { type PagepulseError, systemCode } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import {
  attrsLine,
  endLine,
  type HeaderLine,
  headerLine,
  type MemoryChange,
  mappingsLine,
  type RecordedMemory,
  snapshotLine,
  targetLine,
} from './format.js';
import { outputError } from './output-error.js';

/** A compressed recording that is killed loses at most what was written in this time. */
const FLUSH_MS = 1_000;

/** A file as it was opened, before anything is written. */
interface OpenedFile {
  readonly fd: number;
  /** A regular file: not a device, not a pipe. */
  readonly isRegular: boolean;
  /** It existed, and what it holds goes with the first line, not before: the recording may never begin. */
  readonly isOld: boolean;
}

/**
 * Writes a record line by line. Each method resolves when its line is written (or taken by the compression): a slow
 * reader slows whoever awaits, and an error is thrown by the call it befell.
 */
export class RecordWriter {
  /** Undefined for standard output. */
  readonly #file: OpenedFile | undefined;
  /** What the lines are written to: the file, or the compression before it. */
  readonly #lines: Writable;
  readonly #gzip: Gzip | undefined;
  readonly #output: Writable;
  readonly #bytesWritten: () => number;
  readonly #flushTimer: NodeJS.Timeout | undefined;
  /** Ends the waiting of each write that has not been answered: a stream that fails does not answer them all. */
  readonly #waiting = new Set<() => void>();
  #mustFlush = false;
  #holdsOld: boolean;
  #hasBegun = false;
  #error: PagepulseError | undefined;
  #isErrorTold = false;

  /**
   * Opens a record for writing. `-` is standard output; a name that ends in .gz is compressed. A new file can be read by
   * its owner alone, for addresses and command lines are nobody else's business.
   *
   * @param options.force overwrites a file that exists; devices and pipes never need it
   * @throws PagepulseError `OUTPUT`
   */
  static create(path: string, { force = false }: { force?: boolean } = {}): RecordWriter {
    return new RecordWriter(path, path === '-' ? undefined : openForWriting(path, force));
  }

  private constructor(
    readonly path: string,
    file: OpenedFile | undefined,
  ) {
    this.#file = file;
    const stream = file && createWriteStream(path, { fd: file.fd });
    this.#bytesWritten = () => stream?.bytesWritten ?? 0;
    this.#output = stream ?? process.stdout;
    this.#output.on('error', (error) => this.#fail(error));
    this.#holdsOld = file?.isOld ?? false;
    if (file && path.endsWith('.gz')) {
      this.#gzip = createGzip();
      this.#gzip.on('error', (error) => this.#fail(error));
      this.#gzip.pipe(this.#output);
      this.#flushTimer = setInterval(() => this.#flush(), FLUSH_MS).unref();
    }
    this.#lines = this.#gzip ?? this.#output;
  }

  /** Whether it is a file: not a device, a pipe or standard output. */
  get isRegular(): boolean {
    return this.#file?.isRegular ?? false;
  }

  /** In the file; compressed ones that are on their way, for a second at most, not yet. */
  get bytesWritten(): number {
    return this.#bytesWritten();
  }

  header(header: Omit<HeaderLine, 'type' | 'version'>): Promise<void> {
    return this.#write(headerLine(header));
  }

  target(target: TargetInfo, memory: RecordedMemory = {}): Promise<void> {
    this.#hasBegun = true;
    return this.#write(targetLine(target, memory));
  }

  mappings(target: TargetInfo, atUs: number, change: MemoryChange): Promise<void> {
    return this.#write(mappingsLine(target, atUs, change));
  }

  snapshot(snapshot: Snapshot): Promise<void> {
    this.#hasBegun = true;
    return this.#write(snapshotLine(snapshot));
  }

  attrs(change: AttrsChange): Promise<void> {
    return this.#write(attrsLine(change));
  }

  /** @param reason `stopped`, `duration`, `targets ended`, `error`, ... */
  end(reason: string, stats: MonitorStats): Promise<void> {
    return this.#write(endLine(reason, stats));
  }

  /**
   * Writes out what is left and closes; standard output stays open for whoever else writes to it. Does nothing more
   * after an error that a call has thrown already.
   *
   * @throws PagepulseError `OUTPUT`
   */
  async close(): Promise<void> {
    clearInterval(this.#flushTimer);
    if (!this.#error && this.#file) {
      this.#lines.end();
      await finished(this.#output).catch((error) => this.#fail(error));
    }
    if (!this.#isErrorTold) this.#throwError();
  }

  /**
   * Closes, and removes the file where the recording never began: it has no target and no snapshot. A file that was to
   * be overwritten and has not been yet stays as it was.
   */
  async discard(): Promise<void> {
    await this.close().catch(() => {});
    if (this.#file?.isRegular && !this.#hasBegun && !this.#holdsOld) {
      try {
        unlinkSync(this.path);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw outputError(error, this.path);
      }
    }
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
        this.#emptyOld();
        this.#mustFlush = true;
        if (!this.#error) this.#lines.write(`${line}\n`, done);
      });
    }
    this.#throwError();
  }

  #emptyOld(): void {
    if (!this.#holdsOld || !this.#file) return;
    try {
      ftruncateSync(this.#file.fd);
      this.#holdsOld = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  #flush(): void {
    if (!this.#mustFlush) return;
    this.#mustFlush = false;
    this.#gzip?.flush(zlib.Z_SYNC_FLUSH);
  }

  #fail(error: unknown): void {
    if (this.#error) return;
    this.#error = outputError(error, this.path);
    clearInterval(this.#flushTimer);
    this.#gzip?.destroy();
    if (this.#file) this.#output.destroy();
    for (const done of this.#waiting) done();
  }

  #throwError(): void {
    if (!this.#error) return;
    this.#isErrorTold = true;
    throw this.#error;
  }
}

/** Opened at once, so that what is wrong with the name is known before anything is watched. */
function openForWriting(path: string, force: boolean): OpenedFile {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    const isRegular = stat?.isFile() ?? true;
    const isOld = isRegular && stat !== undefined && force;
    const fd = openSync(path, isRegular && !isOld ? O_WRONLY | O_CREAT | O_EXCL : O_WRONLY, 0o600);
    return { fd, isRegular, isOld };
  } catch (error) {
    throw outputError(error, path);
  }
}
