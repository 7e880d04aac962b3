import { once } from 'node:events';
import { constants, createWriteStream, openSync, statSync, unlinkSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip, type Gzip, constants as zlib } from 'node:zlib';
import { PagepulseError, systemCode } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import { endLine, type HeaderLine, RECORD_VERSION, snapshotLine } from './format.js';

/** A compressed recording that is killed loses at most what was written in this time. */
const FLUSH_MS = 1_000;

/** Writes a record line by line. Each method resolves when the next line may come: a slow reader slows the writer. */
export class RecordWriter {
  /** What the lines are written to: the file, or the compression before it. */
  readonly #lines: Writable;
  readonly #gzip: Gzip | undefined;
  readonly #output: Writable;
  readonly #flushTimer: NodeJS.Timeout | undefined;
  #mustFlush = false;
  #error: PagepulseError | undefined;

  /**
   * Opens a record for writing. `-` is standard output; a name that ends in .gz is compressed. A new file can be read by
   * its owner alone, for addresses and command lines are nobody else's business.
   *
   * @param options.force overwrites a file that exists; devices and pipes never need it
   * @throws PagepulseError `OUTPUT`
   */
  static create(path: string, { force = false }: { force?: boolean } = {}): RecordWriter {
    if (path === '-') return new RecordWriter(path, process.stdout, false);
    const output = createWriteStream(path, { fd: openForWriting(path, force) });
    return new RecordWriter(path, output, path.endsWith('.gz'));
  }

  private constructor(
    readonly path: string,
    output: Writable,
    compressed: boolean,
  ) {
    this.#output = output;
    output.on('error', (error) => this.#fail(error));
    if (compressed) {
      this.#gzip = createGzip();
      this.#gzip.on('error', (error) => this.#fail(error));
      this.#gzip.pipe(output);
      this.#flushTimer = setInterval(() => this.#flush(), FLUSH_MS).unref();
    }
    this.#lines = this.#gzip ?? output;
  }

  header(header: Omit<HeaderLine, 'type' | 'version'>): Promise<void> {
    return this.#write(
      JSON.stringify({ type: 'header', version: RECORD_VERSION, ...header } satisfies HeaderLine),
    );
  }

  target(target: TargetInfo): Promise<void> {
    return this.#write(JSON.stringify({ type: 'target', ...target }));
  }

  snapshot(snapshot: Snapshot): Promise<void> {
    return this.#write(snapshotLine(snapshot));
  }

  end(reason: string, stats: MonitorStats): Promise<void> {
    return this.#write(endLine(reason, stats));
  }

  /**
   * Writes out what is left and closes. Does nothing after an error, which has been thrown already.
   *
   * @throws PagepulseError `OUTPUT`
   */
  async close(): Promise<void> {
    clearInterval(this.#flushTimer);
    if (this.#error) {
      this.#output.destroy();
      return;
    }
    try {
      if (this.#output === process.stdout) {
        // Standard output stays open for whoever else writes to it; it only has to take what it was given.
        await new Promise<void>((resolve, reject) => {
          process.stdout.write('', (error) => (error ? reject(error) : resolve()));
        });
      } else {
        this.#lines.end();
        await finished(this.#output);
      }
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Closes and removes the file: for a recording that never began. */
  async discard(): Promise<void> {
    await this.close().catch(() => {});
    if (this.path !== '-' && statSync(this.path, { throwIfNoEntry: false })?.isFile()) unlinkSync(this.path);
  }

  async #write(line: string): Promise<void> {
    if (this.#error) throw this.#error;
    this.#mustFlush = true;
    if (!this.#lines.write(`${line}\n`)) {
      // An error comes as an event of its own, and `once` rejects for those of the stream that is waited for.
      await Promise.race([once(this.#lines, 'drain'), once(this.#output, 'close')]).catch(() => {});
    }
    if (this.#error) throw this.#error;
  }

  #flush(): void {
    if (!this.#mustFlush || this.#error) return;
    this.#mustFlush = false;
    this.#gzip?.flush(zlib.Z_SYNC_FLUSH);
  }

  #fail(error: unknown): PagepulseError {
    this.#error ??= outputError(error, this.path);
    return this.#error;
  }
}

/** Opened at once, so that what is wrong with the name is known before anything is watched. */
function openForWriting(path: string, force: boolean): number {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants;
    if (stat && !stat.isFile()) return openSync(path, O_WRONLY);
    return openSync(path, O_WRONLY | O_CREAT | (force ? O_TRUNC : O_EXCL), 0o600);
  } catch (error) {
    throw outputError(error, path);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already; give another name, or --force to overwrite it',
  ENOENT: 'its folder does not exist; create it, or give another name',
  ENOTDIR: 'its folder is a file; give another name',
  EISDIR: 'it is a folder; give the name of a file',
  EACCES: 'this user may not write there; give a name in a folder of your own',
  EPERM: 'this user may not write there; give a name in a folder of your own',
  EROFS: 'the file system is read-only; give a name elsewhere',
  ENOSPC: 'the disk is full; free some space, or give a name elsewhere. What was written before can be read',
  EDQUOT:
    'the quota is used up; free some space, or give a name elsewhere. What was written before can be read',
  EFBIG: 'the file may not grow any larger (`ulimit -f`). What was written before can be read',
  EPIPE: 'its reader has closed it',
};

function outputError(error: unknown, path: string): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const name = path === '-' ? 'standard output' : path;
  const message = error instanceof Error ? error.message : String(error);
  const reason = REASONS[systemCode(error) ?? ''] ?? message;
  return new PagepulseError('OUTPUT', `cannot write the record to ${name}: ${reason}`, { cause: error });
}
