import { closeSync, opendirSync, openSync, readdirSync, readSync } from 'node:fs';
import { systemCode } from '../core/errors.js';
import { LIMITS, parseDecimal, parsedTo } from './text-file.js';

/** PF_KTHREAD in the kernel's include/linux/sched.h. */
const PF_KTHREAD = 0x0020_0000;
/** One line of 52 numbers and a name of up to 64 bytes never fills it. */
const LINE_BYTES = LIMITS.stat;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** A process whose main thread has ended may keep any number of ended threads (traced ones); a living one is found early. */
const MOST_THREADS = 256;

/** Ids of all processes that /proc shows (those of other users are hidden where it is mounted with hidepid), ascending. */
export function listPids(): number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) pids.push(Number(name));
  }
  return pids;
}

/**
 * /proc/PID/stat (proc(5)), read for every process twice a second: into one buffer, without making strings. Costs some
 * 10 us a process, nearly all of it in the kernel. `readStat` in stat.ts is for one process, now and then.
 *
 * Fields used: 2 comm, 3 state, 4 parent, 9 flags, 20 threads, 22 start time, 23 virtual size, 24 resident pages,
 * 48 arg_start. Readable by everyone, but the kernel gives 0 for arg_start to those who may not ptrace the process; then
 * only another name tells of an exec.
 *
 * Surprise: when the main thread ends before the others, the process lives on with all of its memory, but its own files
 * show a zombie without any. Identity, name, parent and start time are still there; state, memory and image are then those
 * of a thread that lives (`directory`).
 */
export class StatFields {
  ppid = 0;
  threads = 0;
  /** Clock ticks since boot. */
  startTime = 0;
  isKernelThread = false;
  /** A zombie, or about to be gone: without memory, and without a thread that has it. */
  hasEnded = false;
  /** R, S, D, T, Z (zombie), X (dead), ... */
  state = '';
  /** Resident pages, as the kernel last summed them up. */
  residentPages = 0;
  /** Where the files are that show the memory: `/proc/42`, or `/proc/42/task/43` if the main thread has ended. */
  directory = '';
  /**
   * Changes when the process execs: made of its name and of where its arguments lie, which the kernel chooses at random
   * for every program. A change of name alone (PR_SET_NAME) changes it too.
   */
  imageKey = 0;
  readonly #bytes = Buffer.allocUnsafe(LINE_BYTES);
  #commStart = 0;
  #commEnd = 0;
  #nameKey = 0;
  #argStart = 0;
  #virtualBytes = 0;

  /**
   * False where the process is gone or hidden.
   *
   * @throws the system's error where no file can be opened any more: that says nothing of the process
   */
  read(pid: number): boolean {
    try {
      this.directory = `/proc/${pid}`;
      if (!this.#readLine()) return false;
      if (this.hasEnded && this.threads > 1) this.#goOnThroughThread();
      return true;
    } catch (error) {
      if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(systemCode(error) ?? '')) throw error;
      return false;
    }
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
        const { state, residentPages, directory } = thread;
        Object.assign(this, { hasEnded: false, state, residentPages, directory });
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

  /** @param bytes a whole line; false where it is none */
  parse(bytes: Buffer, length: number): boolean {
    this.#commStart = bytes.indexOf(0x28) + 1;
    // The name may hold brackets itself.
    this.#commEnd = bytes.lastIndexOf(0x29, length - 1);
    if (this.#commStart === 0 || this.#commEnd < this.#commStart) return false;
    if (bytes !== this.#bytes) bytes.copy(this.#bytes, 0, 0, length);
    let key = FNV_OFFSET;
    for (let i = this.#commStart; i < this.#commEnd; i++) key = Math.imul(key ^ bytes[i]!, FNV_PRIME);
    this.#nameKey = key >>> 0;
    this.state = String.fromCharCode(bytes[this.#commEnd + 2]!);
    this.hasEnded = isEndedState(this.state);
    let at = this.#commEnd + 4;
    this.ppid = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 4, length);
    this.isKernelThread = (parseDecimal(bytes, at) & PF_KTHREAD) !== 0;
    at = skipFields(bytes, parsedTo, 10, length);
    this.threads = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 1, length);
    this.startTime = parseDecimal(bytes, at);
    this.#virtualBytes = parseDecimal(bytes, parsedTo);
    this.residentPages = parseDecimal(bytes, parsedTo);
    at = skipFields(bytes, parsedTo, 23, length);
    this.#setImage(parseDecimal(bytes, at)); // exact enough: only compared
    return true;
  }

  /** The name of the process that was read last. */
  comm(): string {
    return this.#bytes.toString('utf8', this.#commStart, this.#commEnd);
  }
}

/** Whether the state of a task says that it has ended: zombie, or dead (`x` before Linux 3.14). */
export function isEndedState(state: string): boolean {
  return state === 'Z' || state === 'X' || state === 'x';
}

const found = new StatFields();

/**
 * Where the files are that show a process's memory: `/proc/PID`, or the directory of a thread that lives where the main
 * thread has ended. Costs some 10 us. `/proc/PID` also if there is no such process.
 */
export function memoryDirectory(pid: number): string {
  return found.read(pid) ? found.directory : `/proc/${pid}`;
}

/** Index of the field after `count` others, beginning at the space before the first of them. */
function skipFields(bytes: Uint8Array, at: number, count: number, length: number): number {
  for (let skipped = 0; at < length; at++) {
    if (bytes[at] === 0x20 && skipped++ === count) return at + 1;
  }
  return length;
}
