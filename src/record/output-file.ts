import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  opendirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { type PagepulseError, systemCode } from '../core/errors.js';
import { isAlive, readStat } from '../kernel/stat.js';
import { outputError } from './output-error.js';
import { streamTo } from './output-stream.js';

// Output is often written as root into directories that other users can write to. Whatever already has the name may be a
// trap: a link, a pipe that blocks when it is opened, a device.
const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const CREATE = O_CREAT | O_EXCL | O_NOFOLLOW;
const OWNER_ONLY = 0o600;

/** Device number of /dev/null (Documentation/admin-guide/devices.txt). */
const NULL_DEVICE = (1 << 8) | 3;

/** A part file of another machine, container or boot counts as abandoned if it has not changed for this long. */
const FOREIGN_AGE_MS = 86_400_000;
/** The search for abandoned files stops after this many directory entries. */
const MAX_ENTRIES = 100_000;

/** `recording`: worth keeping if its writer is killed. `part`: can be made again. */
type PartKind = 'recording' | 'part';

export interface OutputOptions {
  /** Replace an existing regular file or symbolic link; never anything else. */
  readonly force?: boolean;
  /** Usable before it is complete: it has its name from the start, unless it replaces a file. */
  readonly isRecording?: boolean;
  /** What it holds, for errors. */
  readonly what?: string;
}

/**
 * An output file: always new, readable by its owner only, and never reached through a link. If it replaces another file, or
 * is useless until complete, it is written under a temporary name beside its own and renamed at the end.
 *
 * Standard output, /dev/null and inherited descriptors (`/dev/fd/63`) can be written to as well.
 */
export class OutputFile {
  /** A file that was created here: not a device, a pipe or standard output. */
  readonly isRegular: boolean;
  readonly fd: number;
  /** Where it is written: its own name or a temporary one. */
  readonly location: string;
  readonly #options: OutputOptions;
  readonly #created: Stats | undefined;
  #isTaken = false;
  #isDone = false;

  /**
   * Never blocks, whatever already has the name.
   *
   * @param path `-` is standard output
   * @throws PagepulseError `OUTPUT`
   */
  static create(path: string, options: OutputOptions = {}): OutputFile {
    try {
      return new OutputFile(path, options);
    } catch (error) {
      throw outputError(error, path, { ...options, isKept: false });
    }
  }

  private constructor(
    readonly path: string,
    options: OutputOptions,
  ) {
    this.#options = options;
    const { force = false, isRecording = false } = options;
    this.location = path;
    const existing = path === '-' ? undefined : lstatSync(path, { throwIfNoEntry: false });
    const given =
      path === '-' ? 1 : existing && !existing.isFile() ? givenDescriptor(path, existing) : undefined;
    this.isRegular = given === undefined;
    if (given !== undefined) {
      this.fd = given;
      return;
    }
    if (existing && !existing.isFile() && !existing.isSymbolicLink()) {
      throw failure(existing.isDirectory() ? 'EISDIR' : 'NOT_REGULAR');
    }
    if (existing && !force) throw failure('EEXIST');
    for (const part of abandonedParts(path, 'part')) removeQuietly(part);
    if (existing || !isRecording) this.location = partName(path, isRecording ? 'recording' : 'part');
    this.fd = openSync(this.location, O_WRONLY | CREATE, OWNER_ONLY);
    this.#created = fstatSync(this.fd);
  }

  /** Where temporary files fit: they take about as much space as the output. */
  get temporaryFolder(): string {
    return this.isRegular ? dirname(this.location) : tmpdir();
  }

  /** A stream to the file, which ending it closes; standard output stays open. Call it once. */
  stream(): Writable {
    this.#isTaken = true;
    // Flushed if it replaces another file: a power failure must not destroy both.
    return streamTo(this.fd, this.isRegular && this.#options.force === true);
  }

  /**
   * Gives the file its own name, once everything has been written.
   *
   * @throws PagepulseError `OUTPUT`
   */
  finish(): void {
    this.#close();
    if (this.#isDone) return;
    try {
      if (this.location !== this.path) {
        if (this.#options.force) renameSync(this.location, this.path);
        else nameNew(this.location, this.path);
      }
      this.#isDone = true;
    } catch (error) {
      throw this.errorOf(error);
    }
  }

  /** Removes the file unless it is finished. */
  discard(): void {
    this.#close();
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#isStillThere()) removeQuietly(this.location);
  }

  errorOf(error: unknown): PagepulseError {
    const { isRecording: isKept = false } = this.#options;
    return outputError(error, isKept ? this.location : this.path, { ...this.#options, isKept });
  }

  /** The file may have been moved away and replaced. */
  #isStillThere(): boolean {
    const now = lstatSync(this.location, { throwIfNoEntry: false });
    return this.#created !== undefined && now !== undefined && isSame(now, this.#created);
  }

  #close(): void {
    if (this.isRegular && !this.#isTaken) closeSync(this.fd);
    this.#isTaken = true;
  }
}

/** Recordings whose writer was killed before they could replace the file of this name. */
export function abandonedRecordings(path: string): string[] {
  return [...abandonedParts(path, 'recording')];
}

/**
 * An unlinked temporary file: it disappears however the process ends.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function openTemporary(folder: string): number {
  const path = join(folder, `.pagepulse-${randomUUID()}.tmp`);
  try {
    const fd = openSync(path, O_RDWR | CREATE, OWNER_ONLY);
    unlinkSync(path);
    return fd;
  } catch (error) {
    throw outputError(error, path, { isKept: false });
  }
}

/** The inherited descriptor that the path names, or a new one of /dev/null; undefined for anything else. */
function givenDescriptor(path: string, existing: Stats): number | undefined {
  // Does not open anything: opening a device may have effects.
  const there = quietly(() => statSync(path));
  if (there && isSame(there, fstatSync(1))) return 1;
  const isOfDescriptors = quietly(() => realpathSync(dirname(path)) === realpathSync('/proc/self/fd'));
  if (there && isOfDescriptors && /^\d+$/.test(basename(path))) return Number(basename(path));
  if (!isNull(existing)) return undefined;
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (isNull(fstatSync(fd))) return fd;
  closeSync(fd);
  return undefined;
}

function isNull(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === NULL_DEVICE;
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** Unlike a rename, never replaces a file created in the meantime. */
function nameNew(part: string, path: string): void {
  try {
    linkSync(part, path);
    unlinkSync(part);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
    // A file system without hard links: reserve the name first.
    closeSync(openSync(path, O_WRONLY | CREATE, OWNER_ONLY));
    renameSync(part, path);
  }
}

/** `it.arrow.4242-987654-9f3a12cd.part`: names the writer, so that a later run recognises an abandoned file. */
function partName(path: string, kind: PartKind): string {
  return `${path}.${process.pid}-${readStat(process.pid).startTime}-${here()}.${kind}`;
}

function* abandonedParts(path: string, kind: PartKind): Generator<string> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const directory = quietly(() => opendirSync(folder));
  if (!directory) return;
  try {
    for (let i = 0; i < MAX_ENTRIES; i++) {
      const name = directory.readSync()?.name;
      if (name === undefined) return;
      if (!name.startsWith(start)) continue;
      const [, pid, startTime, place, ending] =
        /^(\d{1,10})-(\d{1,20})-([0-9a-f]{8})\.(recording|part)$/.exec(name.slice(start.length)) ?? [];
      if (ending !== kind) continue;
      const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
      if (!stat?.isFile() || stat.uid !== process.geteuid?.()) continue;
      const isAbandoned =
        place === here() ? !isAlive(Number(pid), startTime!) : Date.now() - stat.mtimeMs > FOREIGN_AGE_MS;
      if (isAbandoned) yield join(folder, name);
    }
  } finally {
    directory.closeSync();
  }
}

/** Identifies this boot and PID namespace: a PID of another one that shares the directory means nothing here. */
function here(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  return createHash('sha256')
    .update(boot + readlinkSync('/proc/self/ns/pid'))
    .digest('hex')
    .slice(0, 8);
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function removeQuietly(path: string): void {
  quietly(() => unlinkSync(path));
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
