import { printable } from './printable.js';

/**
 * The kind of an error, for programs. The message explains it to people and says what to do next.
 *
 * - `ATTRS`: an option is invalid, or options contradict each other; the message names the option
 * - `NO_PROCESS`: no process has this PID, or the process has ended
 * - `KERNEL_THREAD`, `ZOMBIE`: the process has no memory of its own
 * - `PERMISSION`: the kernel denied access, or hid the data (frame numbers read as 0)
 * - `LIMIT`: too many files are open, or the limit of targets is reached
 * - `TOO_LARGE`: a process has more mappings, or longer paths in them, than Pagepulse reads
 * - `UNSUPPORTED`: this machine does not offer the access check or file
 * - `THREADS`: a thread could not start, stopped answering, or ended unexpectedly
 * - `OUTPUT`: a record could not be written
 * - `RECORD`: a file is not a record, or is damaged
 * - `STOPPED`: the monitor has already ended
 * - `INTERNAL`: a bug in Pagepulse; only the affected target fails
 */
export type ErrorCode =
  | 'ATTRS'
  | 'NO_PROCESS'
  | 'KERNEL_THREAD'
  | 'ZOMBIE'
  | 'PERMISSION'
  | 'LIMIT'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  | 'THREADS'
  | 'OUTPUT'
  | 'RECORD'
  | 'STOPPED'
  | 'INTERNAL';

/**
 * Every error that Pagepulse raises on purpose. The message says what failed, why, and what to do next, and contains only
 * printable characters.
 */
export class PagepulseError extends Error {
  override readonly name = 'PagepulseError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(printable(message), options);
  }
}

/** The code of a system error (`ENOENT`, `EACCES`, ...), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof PagepulseError) return undefined;
  return (error as NodeJS.ErrnoException).code;
}
