import { PagepulseError, systemCode } from '../core/errors.js';
import { jsonLine, printableLines } from '../core/printable.js';
import { outputError } from '../record/output-error.js';

/** What kept standard output from being written, and whether a caller was told. */
let failure: PagepulseError | undefined;
let isTold = false;
const listeners = new Set<(error: PagepulseError) => void>();

/**
 * Follows the errors of standard output from now on, for the whole program; without a listener they would end it with a
 * stack trace. A remark that standard error does not take is lost, and nothing else.
 */
export function followOutput(): void {
  process.stdout.on('error', fail);
  process.stderr.on('error', () => {});
}

/** Calls back as soon as standard output cannot be written any more: to stop what is being watched for it. */
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
  if (!failure || isTold) return;
  isTold = true;
  throw failure;
}

/** Writes lines of text to standard output, without control sequences other than colours. `requireOutput` tells of errors. */
export function write(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Writes a document to standard output, as JSON. */
export function writeJson(...document: Parameters<typeof jsonLine>): void {
  process.stdout.write(jsonLine(...document));
}

/**
 * Writes text as `write` does, and waits until that is done: a report may be larger than the memory.
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
      // A stream that fails does not answer what it has begun to write.
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

/** Whether a reader has yet to take what was written. What comes every second would pile up in memory meanwhile. */
export function isBehind(): boolean {
  return process.stdout.writableLength > 0;
}

/** Ends the program if its output has failed and still holds it: a pipe whose reader has stopped, and may never go on. */
export function leaveStuckOutput(): void {
  if (failure && isBehind()) process.exit();
}

/** Whether it is that the reader of a pipe has closed it. `| head` has seen enough: nothing is wrong. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof PagepulseError && error.code === 'OUTPUT' && systemCode(error.cause) === 'EPIPE';
}

/** What a stream's error means for standard output. */
export function unwritten(error: unknown): PagepulseError {
  return outputError(error, '-', { what: 'output', isKept: false });
}

function fail(error: Error): void {
  if (failure) return;
  failure = unwritten(error);
  for (const listener of listeners) listener(failure);
}
