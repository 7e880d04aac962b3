import { closeSync, openSync, writeSync } from 'node:fs';
import { type PagepulseError, systemCode } from '../core/errors.js';
import { processError } from './process-errors.js';
import { StatFields } from './stat.js';

const ACCESSED_BITS = Buffer.from('1');

/**
 * /proc/PID/clear_refs (proc(5)): writing `1` clears the accessed bits of all pages of the process, and with them
 * the kernel's own memory of accesses (PG_referenced): to reclaim, the pages are unused until they are accessed
 * again. Writable by the process's own user and root; needs CONFIG_PROC_PAGE_MONITOR. Walks every resident
 * page (about 6 ms for 512 MiB) with the process's mappings locked, so its page faults wait meanwhile.
 *
 * Surprise: through a main thread that has ended while others live, the file opens, takes what is written, and does
 * nothing. So each write first checks that the file is of a thread that has the memory (some 10 us).
 */
export class ClearRefs {
  readonly #fields = new StatFields();
  readonly #startTime: number;
  #directory: string;
  #file: number;

  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
  constructor(readonly pid: number) {
    try {
      this.#fields.read(pid);
      this.#startTime = this.#fields.startTime;
      this.#directory = this.#fields.directory;
      this.#file = openSync(`${this.#directory}/clear_refs`, 'w');
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Clears the accessed bits; false if the process has ended. */
  clearAccessedBits(): boolean {
    try {
      if (!this.#isOpen()) return false;
      writeSync(this.#file, ACCESSED_BITS);
      return true;
    } catch (error) {
      if (['ESRCH', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
      throw this.#failed(error);
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Opens the file of another thread if the one it belongs to has ended; false if the process has. */
  #isOpen(): boolean {
    const fields = this.#fields;
    // Another process may have the PID by now: its bits must not be cleared.
    if (!fields.read(this.pid) || fields.hasEnded || fields.startTime !== this.#startTime) return false;
    if (fields.directory === this.#directory) return true;
    const file = openSync(`${fields.directory}/clear_refs`, 'w');
    closeSync(this.#file);
    this.#file = file;
    this.#directory = fields.directory;
    return true;
  }

  #failed(error: unknown): PagepulseError {
    return processError(error, this.pid, `clear the accessed bits of process ${this.pid}`);
  }
}
