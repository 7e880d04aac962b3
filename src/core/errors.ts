import { printable } from './printable.js';

/**
 * What went wrong, for programs. The message says it for people, together with what to do next.
 *
 * - `ATTRS`: an option that is wrong, or options that contradict each other; the message names the member
 * - `NO_PROCESS`: no process with that id, or it has ended
 * - `KERNEL_THREAD`, `ZOMBIE`: a process without memory of its own
 * - `PERMISSION`: the kernel refused, or hid what was asked (frames read as 0)
 * - `LIMIT`: too many files are open, or as many targets as were wanted
 * - `TOO_LARGE`: a process has more mappings, or longer paths in them, than are read of one process
 * - `UNSUPPORTED`: this machine does not offer the access check or file
 * - `THREADS`: the thread pool did not start, or lost its coordinator
 * - `OUTPUT`, `RECORD`: a record could not be written, or is not one
 * - `STOPPED`: the monitor has ended already
 * - `INTERNAL`: a fault in Pagepulse itself; it fails the target it befell
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
 * Every error that Pagepulse raises on purpose: one sentence of what was tried, one of what to do next. The names in it are
 * printable, whoever shows it.
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
