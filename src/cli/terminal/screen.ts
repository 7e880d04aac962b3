import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { systemCode } from '../../core/errors.js';
import { printableLines } from '../../core/printable.js';
import type { ColourMode } from '../../report/colour.js';
import { columnsOf } from '../../report/terminal-text.js';
import { ENDING_SIGNALS } from '../signals.js';
import { type KeyPress, onKeys } from './keys.js';

// xterm's control sequences (invisible-island.net/xterm/ctlseqs): 1049 alternate screen, 25 cursor, 7 wrapping,
// 2026 synchronized update: terminals that know it show a frame only when it is whole, the others ignore it.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';
const BEGIN_FRAME = '\x1b[?2026h';
const HOME = '\x1b[H';
const END_FRAME = '\x1b[?2026l';
const ERASE_TO_END_OF_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
// biome-ignore lint/suspicious/noControlCharactersInRegex: attributes are control sequences
const ATTRIBUTES = /\x1b\[[0-9;]*m/g;

/** A frame is drawn whole this often, which removes whatever else was written on the terminal. */
const WHOLE_FRAME_MS = 10_000;

/** A terminal that took part of a frame is offered the rest after this time. */
const RETRY_MS = 10;
/** When the terminal is given back, one that takes nothing is waited for this long. */
const PATIENCE_MS = 250;

/** For waiting while nothing else may run. */
const NEVER_SET = new Int32Array(new SharedArrayBuffer(4));

/** Whether standard output is a terminal that can be drawn on. */
export function isScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

/**
 * The terminal while something is drawn on it: standard output on the alternate screen, keys from standard input.
 * Whatever ends the program (a key, a signal, an exception, process.exit), it is given back as it was. Ctrl-Z gives it
 * back too, until the program continues. Signals that have other listeners are left to them; the rest end the program.
 */
export class Screen {
  readonly #input: ReadStream = process.stdin;
  readonly #output: WriteStream = process.stdout;
  readonly #terminal = new TerminalWriter();
  #isEntered = false;
  #isClosed = false;
  #isQuitting = false;
  /** The lines that the terminal shows; none if unknown. */
  #shown: readonly string[] = [];
  #wholeMs = Number.NEGATIVE_INFINITY;
  #stopKeys: (() => void) | undefined;

  /**
   * @param onQuit called on q, Ctrl-C, or when the terminal is gone; perhaps more than once
   * @param onResize called when the size has changed, and when the program continues after Ctrl-Z: draw again
   * @param onKey called with each key but Ctrl-C and Ctrl-Z; with it, q does not quit by itself
   */
  constructor(
    readonly onQuit: () => void,
    readonly onResize: () => void,
    readonly onKey?: (key: KeyPress) => void,
  ) {
    process.on('exit', this.#leave);
    // Before all others, so that listeners registered with `once` are still counted.
    for (const signal of ENDING_SIGNALS) process.prependListener(signal, this.#signalled);
    process.on('SIGTSTP', this.#suspendSelf);
    process.on('SIGCONT', this.#resume);
    this.#output.on('resize', this.#resized);
    if (this.#input.isTTY) {
      if (onKey) this.#stopKeys = onKeys(this.#input, onKey);
      this.#input.on('data', this.#key);
      this.#input.on('end', onQuit);
      this.#input.on('error', onQuit);
    }
    this.#enter();
  }

  /** Columns and rows, now. */
  get width(): number {
    return this.#output.columns || 80;
  }

  get height(): number {
    return this.#output.rows || 24;
  }

  /**
   * Shows these lines, of at most `width` columns each and without control sequences other than attributes. Writes only
   * the lines that differ from the last frame, about a fifth, which matters on slow connections. Skips the frame while
   * the terminal has not taken all of the last one. Never blocks.
   */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered || this.#terminal.isBusy) return;
    const nowMs = performance.now();
    if (nowMs - this.#wholeMs >= WHOLE_FRAME_MS) this.#shown = [];
    const shown = lines.slice(0, this.height).map(printableLines);
    const isWhole = !shown.some((line, i) => line === this.#shown[i]);
    const text = isWhole ? frame(shown, this.width, this.height) : changes(shown, this.#shown, this.width);
    if (isWhole) this.#wholeMs = nowMs;
    this.#shown = shown;
    if (text !== '') this.#terminal.offer(text);
    if (this.#terminal.isGone) this.onQuit();
  }

  /** As Ctrl-C does. */
  quit(): void {
    this.#isQuitting = true;
    this.onQuit();
  }

  /** Draws the next frame whole, whatever is on the terminal. */
  forget(): void {
    this.#shown = [];
  }

  /** Gives the terminal back. May be called again. */
  close(): void {
    this.#leave();
    if (this.#isClosed) return;
    this.#isClosed = true;
    process.off('exit', this.#leave);
    for (const signal of ENDING_SIGNALS) process.off(signal, this.#signalled);
    process.off('SIGTSTP', this.#suspendSelf);
    process.off('SIGCONT', this.#resume);
    this.#output.off('resize', this.#resized);
    if (this.#input.isTTY) {
      this.#stopKeys?.();
      this.#input.off('data', this.#key);
      this.#input.off('end', this.onQuit);
      this.#input.off('error', this.onQuit);
      this.#input.pause();
    }
    this.#terminal.close();
  }

  readonly #resized = (): void => {
    this.forget();
    this.onResize();
  };

  #enter(): void {
    this.#isEntered = true;
    this.forget();
    this.#setRaw(true);
    this.#terminal.force(ENTER);
  }

  readonly #leave = (): void => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#terminal.force(LEAVE);
    this.#setRaw(false);
  };

  #setRaw(isRaw: boolean): void {
    if (!this.#input.isTTY) return;
    try {
      this.#input.setRawMode(isRaw);
    } catch {
      // The terminal is gone: there is nothing to give back.
    }
  }

  readonly #signalled = (signal: NodeJS.Signals): void => {
    this.#leave();
    if (process.listenerCount(signal) > 1) return;
    process.off(signal, this.#signalled);
    process.kill(process.pid, signal);
  };

  readonly #suspendSelf = (): void => this.#suspend(process.pid);

  /** @param pid 0 for all processes of the job */
  #suspend(pid: number): void {
    this.#leave();
    process.off('SIGTSTP', this.#suspendSelf);
    process.kill(pid, 'SIGTSTP');
    // Here the process stops until SIGCONT. If no shell could wake it, the kernel does not stop it.
    setImmediate(this.#resume);
  }

  readonly #resume = (): void => {
    if (this.#isClosed) return;
    process.off('SIGTSTP', this.#suspendSelf);
    process.on('SIGTSTP', this.#suspendSelf);
    // The shell has set its own modes, and libuv skips modes that it has set before.
    this.#setRaw(false);
    this.#enter();
    this.onResize();
  };

  readonly #key = (data: Buffer): void => {
    for (const key of data.toString('latin1')) {
      // In raw mode the terminal sends no signals for Ctrl-C and Ctrl-\\. A second one does not wait for what hangs.
      const isEnding = key === '\x03' || key === '\x1c';
      if (isEnding && this.#isQuitting) process.kill(process.pid, 'SIGINT');
      else if (isEnding || (!this.onKey && (key === 'q' || key === 'Q'))) this.quit();
      // Nor for Ctrl-Z, which would have gone to the whole job.
      if (key === '\x1a') this.#suspend(0);
    }
  };
}

/** A whole frame: from the top, erasing what it does not cover. */
function frame(lines: readonly string[], width: number, height: number): string {
  const below = lines.length < height ? `\r\n${ERASE_BELOW}` : '';
  return BEGIN_FRAME + HOME + lines.map((line) => erasing(line, width)).join('\r\n') + below + END_FRAME;
}

/** The lines that differ from those `before`, each at its place; empty if none does. */
function changes(lines: readonly string[], before: readonly string[], width: number): string {
  let text = '';
  lines.forEach((line, i) => {
    if (line !== before[i]) text += lineAt(i + 1) + erasing(line, width);
  });
  if (lines.length < before.length) text += lineAt(lines.length + 1) + ERASE_BELOW;
  return text === '' ? '' : BEGIN_FRAME + text + END_FRAME;
}

function lineAt(row: number): string {
  return `\x1b[${row}H`;
}

/** After a full line the cursor is on its last column: erasing from there would erase that. */
function erasing(line: string, width: number): string {
  const isFull = columnsOf(line.replace(ATTRIBUTES, '')) >= width;
  return isFull ? line : line + ERASE_TO_END_OF_LINE;
}

/**
 * Writes to the terminal behind standard output through a descriptor of its own that does not block: process.stdout
 * waits for a terminal, and a slow or stopped one would hold up the keys, the signals and the snapshots.
 */
class TerminalWriter {
  /** Whether the terminal can take nothing any more. */
  isGone = false;
  #fd = 1;
  #rest = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor() {
    try {
      this.#fd = openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // Another user's terminal (after su): use the descriptor we were given, which may block.
    }
  }

  /** Whether the terminal has not taken everything it was offered. */
  get isBusy(): boolean {
    return this.#rest.length > 0;
  }

  /** Writes what the terminal takes now, and the rest as soon as it takes that. */
  offer(text: string): void {
    this.#rest = Buffer.from(text);
    this.#writeRest();
  }

  /** Writes all of this now, in place of what has not been taken yet; waits for a slow terminal, but only briefly. */
  force(text: string): void {
    clearTimeout(this.#retry);
    this.#rest = Buffer.from(text);
    for (const deadlineMs = performance.now() + PATIENCE_MS; performance.now() < deadlineMs; ) {
      this.#write();
      if (!this.isBusy) return;
      Atomics.wait(NEVER_SET, 0, 0, 5);
    }
    this.#rest = Buffer.alloc(0);
  }

  close(): void {
    clearTimeout(this.#retry);
    if (this.#fd !== 1 && !this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
  }

  #writeRest = (): void => {
    this.#write();
    if (this.isBusy) this.#retry = setTimeout(this.#writeRest, RETRY_MS).unref();
  };

  #write(): void {
    if (this.#isClosed) {
      this.#rest = Buffer.alloc(0);
      return;
    }
    try {
      this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') return;
      this.isGone = true; // EIO: the connection has ended
      this.#rest = Buffer.alloc(0);
    }
  }
}

/**
 * The colours a stream can show, by FORCE_COLOR (0 to 3, takes precedence, as in Node), NO_COLOR (if not empty),
 * COLORTERM and TERM. Terminals of 16 colours get none: those are the user's choice, and no scale.
 */
export function colourOf(env: NodeJS.ProcessEnv, isTerminal: boolean): ColourMode {
  const { FORCE_COLOR: forced, NO_COLOR: refused, COLORTERM: colorTerm = '', TERM: term = '' } = env;
  if (forced === '0' || forced === 'false') return 'none';
  if (forced === '3') return 'truecolor';
  if (forced === '2') return '256';
  const isForced = forced !== undefined;
  if (!isForced && (refused || !isTerminal || term === 'dumb' || term === '')) return 'none';
  if (/^(truecolor|24bit)$/.test(colorTerm)) return 'truecolor';
  if (/-direct|kitty|alacritty|ghostty|wezterm|^foot/.test(term)) return 'truecolor';
  return isForced || /256color/.test(term) ? '256' : 'none';
}
