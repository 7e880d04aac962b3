import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { systemCode } from '../core/errors.js';
import { parseDecimal, parsedTo } from './text-file.js';

/** PF_KTHREAD in the kernel's include/linux/sched.h. */
const PF_KTHREAD = 0x0020_0000;
/** One line of 52 numbers and a name of up to 64 bytes never fills it. */
const LINE_BYTES = 4_096;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

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
 * Fields used: 2 comm, 3 state, 4 parent, 9 flags, 20 threads, 22 start time, 48 arg_start. Readable by everyone, but the
 * kernel gives 0 for arg_start to those who may not ptrace the process; then only another name tells of an exec.
 */
export class StatFields {
  ppid = 0;
  threads = 0;
  /** Clock ticks since boot. */
  startTime = 0;
  isKernelThread = false;
  /** A zombie, or about to be gone: without memory. */
  hasEnded = false;
  /**
   * Changes when the process execs: made of its name and of where its arguments lie, which the kernel chooses at random
   * for every program. A change of name alone (PR_SET_NAME) changes it too.
   */
  imageKey = 0;
  readonly #bytes = Buffer.allocUnsafe(LINE_BYTES);
  #commStart = 0;
  #commEnd = 0;

  /**
   * False where the process is gone or hidden.
   *
   * @throws the system's error where no file can be opened any more: that says nothing of the process
   */
  read(pid: number): boolean {
    let length: number;
    try {
      const file = openSync(`/proc/${pid}/stat`, 'r');
      try {
        length = readSync(file, this.#bytes, 0, LINE_BYTES, 0);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(systemCode(error) ?? '')) throw error;
      return false;
    }
    return length > 0 && this.parse(this.#bytes, length);
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
    const state = bytes[this.#commEnd + 2]!;
    this.hasEnded = state === 0x5a || state === 0x58 || state === 0x78; // Z, X, x
    let at = this.#commEnd + 4;
    this.ppid = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 4, length);
    this.isKernelThread = (parseDecimal(bytes, at) & PF_KTHREAD) !== 0;
    at = skipFields(bytes, parsedTo, 10, length);
    this.threads = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 1, length);
    this.startTime = parseDecimal(bytes, at);
    at = skipFields(bytes, parsedTo, 25, length);
    const argStart = parseDecimal(bytes, at); // exact enough: only compared
    this.imageKey = argStart * 31 + (key >>> 0);
    return true;
  }

  /** The name of the process that was read last. */
  comm(): string {
    return this.#bytes.toString('utf8', this.#commStart, this.#commEnd);
  }
}

/** Index of the field after `count` others, beginning at the space before the first of them. */
function skipFields(bytes: Uint8Array, at: number, count: number, length: number): number {
  for (let skipped = 0; at < length; at++) {
    if (bytes[at] === 0x20 && skipped++ === count) return at + 1;
  }
  return length;
}
