import { PagepulseError, systemCode } from '../core/errors.js';
import { jsonLine, printable, printableLines } from '../core/printable.js';
import { outputError } from '../record/output-error.js';

// Standard output and standard error, and how they fail.

/** Why standard output cannot be written, and whether a caller was told. */
let failure: PagepulseError | undefined;
let isReported = false;
const listeners = new Set<(error: PagepulseError) => void>();

/**
 * Handles the errors of standard output and standard error for the rest of the program: without a listener they would end
 * it with a stack trace. Notes that cannot be written are lost; that is not an error.
 */
export function followOutput(): void {
  process.stdout.on('error', fail);
  process.stderr.on('error', () => {});
}

/** Calls back as soon as standard output fails: what is watched for it should stop. */
export function onOutputFailure(listener: (error: PagepulseError) => void): void {
  listeners.add(listener);
  if (failure) listener(failure);
}

/**
 * Checks that what was written so far has been taken. An error is thrown once: later calls return.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function requireOutput(): void {
  if (!failure || isReported) return;
  isReported = true;
  throw failure;
}

/** Writes lines of text to standard output, without control sequences other than colours. `requireOutput` has its errors. */
export function write(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Writes a document to standard output, as JSON. */
export function writeJson(...document: Parameters<typeof jsonLine>): void {
  process.stdout.write(jsonLine(...document));
}

/**
 * Writes text as `write` does, and waits until that is done: a report may be larger than memory.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function print(text: string): Promise<void> {
  return written(printableLines(text));
}

/** Writes a document as `writeJson` does, and waits until that is done. @throws PagepulseError `OUTPUT` */
export function printJson(...document: Parameters<typeof jsonLine>): Promise<void> {
  return written(jsonLine(...document));
}

async function written(text: string): Promise<void> {
  if (!failure) {
    await new Promise<void>((resolve) => {
      // A stream that fails does not call back for pending writes.
      const done = () => {
        listeners.delete(done);
        resolve();
      };
      listeners.add(done);
      process.stdout.write(text, (error) => {
        if (error) fail(error);
        done();
      });
    });
  }
  requireOutput();
}

/** Whether the reader has yet to take what was written. Periodic output would pile up in memory meanwhile. */
export function isBehind(): boolean {
  return process.stdout.writableLength > 0;
}

/** Calls back at the earliest of the times it was set to, then waits to be set again. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(readonly ring: () => void) {}

  get isSet(): boolean {
    return Number.isFinite(this.#dueMs);
  }

  set(waitMs: number): void {
    const dueMs = performance.now() + Math.max(0, waitMs);
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(this.ring, Math.max(0, waitMs));
  }

  clear(): void {
    clearTimeout(this.#timer);
    if (this.#dueMs > Number.NEGATIVE_INFINITY) this.#dueMs = Number.POSITIVE_INFINITY;
  }

  /** It cannot be set again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.NEGATIVE_INFINITY;
  }
}

/** Exits if standard output has failed and still holds data: a pipe whose reader has stopped would keep the program. */
export function leaveStuckOutput(): void {
  if (failure && isBehind()) process.exit();
}

/** Whether the reader has closed the pipe, as `| head` does when it has seen enough: nothing is wrong. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof PagepulseError && error.code === 'OUTPUT' && systemCode(error.cause) === 'EPIPE';
}

function fail(error: Error): void {
  if (failure) return;
  failure = unwritten(error);
  for (const listener of listeners) listener(failure);
}

function unwritten(error: unknown): PagepulseError {
  return outputError(error, '-', { what: 'output', isKept: false });
}

/** One line on the terminal that is rewritten again and again; nothing if standard error is not a terminal. */
export class StatusLine {
  /** The one that is on the terminal. */
  static #written: StatusLine | undefined;
  readonly isShown = process.stderr.isTTY === true;

  show(text: string): void {
    if (!this.isShown) return;
    StatusLine.#written = this;
    process.stderr.write(`\r${printable(text).slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  clear(): void {
    if (StatusLine.#written === this) StatusLine.clear();
  }

  static clear(): void {
    if (StatusLine.#written) process.stderr.write('\r\x1b[K');
    StatusLine.#written = undefined;
  }
}

const STATUS_MS = 250;

/** A status line that is kept up to date until `end`. */
export class LiveStatus extends StatusLine {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(text: () => string) {
    super();
    if (this.isShown) this.#timer = setInterval(() => this.show(text()), STATUS_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}

/** One line on standard error that is not an error. It takes the place of a status line. */
export function note(text: string): void {
  StatusLine.clear();
  process.stderr.write(`pagepulse: ${printable(text.replaceAll('\n', ' '))}\n`);
}

/** Ends the program with this exit status, after the reason has been given. */
export class ExitStatus extends Error {
  constructor(readonly status: number) {
    super(`exit status ${status}`);
  }
}

/** Something is wrong with the command line: exit status 2. */
export class UsageError extends Error {}

/** Prints what went wrong in one line on standard error, and returns the exit status. */
export function report(error: unknown): number {
  if (error instanceof ExitStatus) return error.status;
  if (isReaderGone(error)) return 0;
  note(error instanceof Error ? error.message : String(error));
  const isUsage = error instanceof UsageError || (error instanceof PagepulseError && error.code === 'ATTRS');
  return isUsage ? 2 : 1;
}

/** The exit status if standard output cannot be written, after saying so. */
export function reportOutputError(error: unknown): number {
  return report(unwritten(error));
}
