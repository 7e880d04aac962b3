import { closeSync, opendirSync, openSync, readSync } from 'node:fs';
import { PagepulseError, systemCode } from '../core/errors.js';
import { processError } from './process-errors.js';
import { LIMITS, parseDecimal, parsedTo } from './text-file.js';

/** PF_KTHREAD in the kernel's include/linux/sched.h. */
const PF_KTHREAD = 0x0020_0000;
/** One line of 52 numbers and a name of up to 64 bytes never fills it. */
const LINE_BYTES = LIMITS.stat;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** A process whose main thread has ended may keep any number of ended threads (traced ones); a living one is found early. */
const MOST_THREADS = 256;

/**
 * /proc/PID/stat (proc(5)): one line, fields separated by spaces, readable by all users. It is read for every process
 * twice a second, so into one buffer and without making strings: some 10 us, nearly all of it in the kernel.
 *
 * Fields used: 2 comm, 3 state, 4 parent, 9 flags, 20 threads, 22 start time, 23 virtual size, 48 arg_start.
 * The name is in brackets and may itself hold spaces and brackets, so counting starts at the last bracket.
 * Without ptrace access to the process, arg_start reads as 0; then only another name shows an exec.
 *
 * Surprise: when the main thread ends before the others, the process lives on with all of its memory, but its own files
 * show a zombie without any. Identity, name, parent and start time are still there; state, memory and image are then
 * read from a living thread (`directory`).
 */
export class StatFields {
  /** 0 if it has none, or none that can be seen from this PID namespace. */
  ppid = 0;
  threads = 0;
  /** Clock ticks since boot: with the PID, it identifies a process for good. */
  startTime = 0;
  isKernelThread = false;
  /** A zombie, or about to be gone: without memory, and without a thread that has it. */
  hasEnded = false;
  /** The folder whose files show the memory: `/proc/42`, or `/proc/42/task/43` if the main thread has ended. */
  directory = '';
  /**
   * Changes when the process execs: made of its name and the address of its arguments, which the kernel chooses at
   * random for every program. A change of name alone (PR_SET_NAME) changes it too.
   */
  imageKey = 0;
  readonly #bytes = Buffer.allocUnsafe(LINE_BYTES);
  #commStart = 0;
  #commEnd = 0;
  #nameKey = 0;
  #argStart = 0;
  #virtualBytes = 0;

  /**
   * False if the process is gone or hidden.
   *
   * @throws the system's error if no file can be opened any more: that says nothing of the process
   */
  read(pid: number): boolean {
    try {
      return this.load(pid);
    } catch (error) {
      if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(systemCode(error) ?? '')) throw error;
      return false;
    }
  }

  /** The same with the system's error for a process that is gone or hidden; false if the file has no such line. */
  load(pid: number): boolean {
    this.directory = `/proc/${pid}`;
    if (!this.#readLine()) return false;
    if (this.hasEnded && this.threads > 1) this.#goOnThroughThread();
    return true;
  }

  /** The name of the process that was read last: at most 15 bytes, which may be anything. */
  comm(): string {
    return this.#bytes.toString('utf8', this.#commStart, this.#commEnd);
  }

  /** @param bytes a whole line; false if it is not one */
  parse(bytes: Buffer, length: number): boolean {
    this.#commStart = bytes.indexOf(0x28) + 1;
    this.#commEnd = bytes.lastIndexOf(0x29, length - 1);
    if (this.#commStart === 0 || this.#commEnd < this.#commStart) return false;
    if (bytes !== this.#bytes) bytes.copy(this.#bytes, 0, 0, length);
    let key = FNV_OFFSET;
    for (let i = this.#commStart; i < this.#commEnd; i++) key = Math.imul(key ^ bytes[i]!, FNV_PRIME);
    this.#nameKey = key >>> 0;
    this.hasEnded = isEndedState(bytes[this.#commEnd + 2]!);
    let at = this.#commEnd + 4;
    this.ppid = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 4, length);
    this.isKernelThread = (parseDecimal(bytes, at) & PF_KTHREAD) !== 0;
    at = skipFields(bytes, parsedTo, 10, length);
    this.threads = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 1, length);
    this.startTime = parseDecimal(bytes, at);
    this.#virtualBytes = parseDecimal(bytes, parsedTo);
    at = skipFields(bytes, parsedTo, 24, length);
    this.#setImage(parseDecimal(bytes, at)); // exact enough: only compared
    return true;
  }

  #readLine(): boolean {
    const file = openSync(`${this.directory}/stat`, 'r');
    try {
      const length = readSync(file, this.#bytes, 0, LINE_BYTES, 0);
      return length > 0 && this.parse(this.#bytes, length);
    } finally {
      closeSync(file);
    }
  }

  /** Takes what belongs to the memory from the first thread that has it; all stays as it is if none does. */
  #goOnThroughThread(): void {
    const threads = opendirSync(`${this.directory}/task`);
    try {
      const thread = new StatFields();
      for (let looked = 0; looked < MOST_THREADS; looked++) {
        const entry = threads.readSync();
        if (!entry) return;
        thread.directory = `${this.directory}/task/${entry.name}`;
        if (!thread.#tryLine() || thread.hasEnded || thread.#virtualBytes === 0) continue;
        this.hasEnded = false;
        this.directory = thread.directory;
        this.#setImage(thread.#argStart);
        return;
      }
    } finally {
      threads.closeSync();
    }
  }

  /** A thread may end between being listed and being read. */
  #tryLine(): boolean {
    try {
      return this.#readLine();
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return false;
      throw error;
    }
  }

  #setImage(argStart: number): void {
    this.#argStart = argStart;
    this.imageKey = argStart * 31 + this.#nameKey;
  }
}

/** Index of the field after `count` others, beginning at the space before the first of them. */
function skipFields(bytes: Uint8Array, at: number, count: number, length: number): number {
  for (let skipped = 0; at < length; at++) {
    if (bytes[at] === 0x20 && skipped++ === count) return at + 1;
  }
  return length;
}

/** Whether the first letter of a task's state says that it has ended: `Z` (zombie), `X` (dead; `x` before Linux 3.14). */
export function isEndedState(letter: number): boolean {
  return letter === 0x5a || letter === 0x58 || letter === 0x78;
}

const fields = new StatFields();

/**
 * The folder whose files show a process's memory: `/proc/PID` (also if there is no such process), or that of a living thread
 * if the main thread has ended. Costs some 10 us.
 */
export function memoryDirectory(pid: number): string {
  return fields.read(pid) ? fields.directory : `/proc/${pid}`;
}

/** One process, read now and then. */
export interface ProcessStat {
  readonly comm: string;
  readonly parentPid: number;
  /** Clock ticks since boot, as decimal digits. */
  readonly startTime: string;
  readonly isKernelThread: boolean;
  readonly hasEnded: boolean;
}

/** @throws PagepulseError `NO_PROCESS`, `PERMISSION` (hidepid) */
export function readStat(pid: number): ProcessStat {
  try {
    if (!fields.load(pid)) throw new Error(`/proc/${pid}/stat is not a line of stat`);
  } catch (error) {
    throw processError(error, pid, `read the state of process ${pid}`);
  }
  const { ppid, startTime, isKernelThread, hasEnded } = fields;
  return { comm: fields.comm(), parentPid: ppid, startTime: String(startTime), isKernelThread, hasEnded };
}

/** Whether the process with this PID and start time still lives; one of its threads is enough. */
export function isAlive(pid: number, startTime: string): boolean {
  try {
    const stat = readStat(pid);
    return stat.startTime === startTime && !stat.hasEnded;
  } catch (error) {
    if (error instanceof PagepulseError && error.code === 'NO_PROCESS') return false;
    throw error;
  }
}

/**
 * The process as something that can be watched.
 *
 * @throws PagepulseError `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION`
 */
export function readWatchable(pid: number): ProcessStat {
  if (!Number.isSafeInteger(pid) || pid < 1 || pid > 0x7fff_ffff) {
    throw new PagepulseError('NO_PROCESS', `${pid} is not a PID; give a positive integer`);
  }
  const stat = readStat(pid);
  if (stat.isKernelThread) {
    throw new PagepulseError(
      'KERNEL_THREAD',
      `process ${pid} (${stat.comm}) is a kernel thread and has no memory of its own; watch a user process`,
    );
  }
  if (stat.hasEnded) {
    throw new PagepulseError(
      'ZOMBIE',
      `process ${pid} (${stat.comm}) is a zombie: it has ended, its memory is gone, and its parent has not reaped it yet`,
    );
  }
  return stat;
}
