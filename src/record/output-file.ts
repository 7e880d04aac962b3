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

// Files are often written as root into folders that other users can write to. Whatever has the name of an output file
// may have been put there for us: a link, a pipe that blocks when it is opened, a device.
const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const CREATE = O_CREAT | O_EXCL | O_NOFOLLOW;
const OWNER_ONLY = 0o600;

/** Major and minor number of /dev/null, which are the kernel's own (Documentation/admin-guide/devices.txt). */
const NULL_DEVICE = (1 << 8) | 3;

/** A part file of another machine, container or boot is taken for abandoned when it has not changed for this long. */
const FOREIGN_AGE_MS = 86_400_000;
/** A folder with more entries is not searched to its end. */
const MAX_ENTRIES = 100_000;

/** `recording`: worth keeping, however its writer ended. `part`: can be made again. */
type PartKind = 'recording' | 'part';

export interface OutputOptions {
  /** Replace a regular file or a symbolic link of this name; never anything else. */
  readonly force?: boolean;
  /** What is written can be used before it is whole: it has its name from the start, unless it replaces a file. */
  readonly isRecording?: boolean;
  /** For errors. */
  readonly what?: string;
}

/**
 * An output file: new, its owner's alone, and never reached through a link. Where it replaces another one, or is of no
 * use in part, it has a name beside its own until it is whole, and until then what has the name stays as it is.
 *
 * Standard output, /dev/null and descriptors that this process was given (`/dev/fd/63`) can be written to as well.
 */
export class OutputFile {
  /** A file on a disk that was created here. */
  readonly isRegular: boolean;
  readonly fd: number;
  /** Where it is now: its name, or that of the part file. */
  readonly location: string;
  readonly #options: OutputOptions;
  readonly #created: Stats | undefined;
  #isTaken = false;
  #isDone = false;

  /**
   * Never blocks, whatever has the name.
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

  /** Beside the output is room for a temporary file: it needs about as much. */
  get temporaryFolder(): string {
    return this.isRegular ? dirname(this.location) : tmpdir();
  }

  /** Writes to it. Ending the stream closes the file; standard output stays open. To be called once. */
  stream(): Writable {
    this.#isTaken = true;
    // A file that replaces another one is on the disk by then: a power failure must not take both.
    return streamTo(this.fd, this.isRegular && this.#options.force === true);
  }

  /**
   * Gives the file its own name, when everything has been written.
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

  /** Removes what has been written, unless it has been finished. */
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

  /** Somebody may have moved the file away, and put another one in its place. */
  #isStillThere(): boolean {
    const now = lstatSync(this.location, { throwIfNoEntry: false });
    return this.#created !== undefined && now !== undefined && isSame(now, this.#created);
  }

  #close(): void {
    if (this.isRegular && !this.#isTaken) closeSync(this.fd);
    this.#isTaken = true;
  }
}

/** Recordings that were to replace a file of this name, and whose writer was killed. */
export function abandonedRecordings(path: string): string[] {
  return [...abandonedParts(path, 'recording')];
}

/**
 * A temporary file without a name, so that nothing is left of it however this ends.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function openNameless(folder: string): number {
  const path = join(folder, `.pagepulse-${randomUUID()}.spool`);
  try {
    const fd = openSync(path, O_RDWR | CREATE, OWNER_ONLY);
    unlinkSync(path);
    return fd;
  } catch (error) {
    throw outputError(error, path, { isKept: false });
  }
}

/** What is open in this process already, or /dev/null; undefined for whatever else has the name. */
function givenDescriptor(path: string, existing: Stats): number | undefined {
  // Nothing is opened by this: a device may do something when it is.
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

/** Unlike a rename this never replaces what has come meanwhile. */
function nameNew(part: string, path: string): void {
  try {
    linkSync(part, path);
    unlinkSync(part);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
    // A file system without links: the name is taken before it is given.
    closeSync(openSync(path, O_WRONLY | CREATE, OWNER_ONLY));
    renameSync(part, path);
  }
}

/** `it.arrow.4242-987654-9f3a12cd.part`: whose it is, so that the next run of the same name knows what was abandoned. */
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

/** This boot and PID namespace: a PID says nothing about the processes of another one that shares the folder. */
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
