import { PagepulseError } from '../core/errors.js';
import { printable } from '../core/printable.js';
import type { TargetInfo } from '../core/target.js';
import { isReaderGone } from './output.js';

/** Ends the program with this exit status, after it has said why. */
export class ExitStatus extends Error {
  constructor(readonly status: number) {
    super(`exit status ${status}`);
  }
}

/** Something about the command line is wrong: exit status 2. */
export class UsageError extends Error {}

/** One line on standard error for whatever went wrong, and the exit status to end with. */
export function report(error: unknown): number {
  if (error instanceof ExitStatus) return error.status;
  if (isReaderGone(error)) return 0;
  const message = error instanceof Error ? error.message : String(error);
  note(message);
  const isUsage = error instanceof UsageError || (error instanceof PagepulseError && error.code === 'ATTRS');
  return isUsage ? 2 : 1;
}

/** What became of a process that cannot be watched any longer while others are, in a sentence. */
export function tellLost({ pid, comm }: TargetInfo, reason: string): string {
  return `process ${pid} (${comm}) is not watched any longer: ${reason}`;
}

/** A remark that is no failure, on standard error. */
export function note(text: string): void {
  process.stderr.write(`pagepulse: ${printable(text.replaceAll('\n', ' '))}\n`);
}
