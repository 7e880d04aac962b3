import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { systemCode } from '../core/errors.js';
import { printableLines } from '../core/printable.js';
import type { ColourMode } from '../report/colour.js';
import { columnsOf } from '../report/terminal-text.js';
import { type KeyPress, onKeys } from './keys.js';
import { ENDING_SIGNALS } from './signals.js';

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

/** Whatever else was written on the terminal is gone after so long: a frame is drawn whole then. */
const WHOLE_FRAME_MS = 10_000;

/** How soon a terminal that took part of a frame is offered the rest. */
const RETRY_MS = 10;
/** How long a terminal that takes nothing is waited for when it is to be given back. */
const PATIENCE_MS = 250;

/** To wait on where nothing else may run. */
const NEVER_SET = new Int32Array(new SharedArrayBuffer(4));

/**
 * The terminal while something is drawn on it: standard output on the alternate screen, keys from standard input.
 * Whatever ends the program (a key, a signal, an exception, process.exit), it is given back as it was; Ctrl-Z gives it
 * back too, until the program goes on. Signals that others listen to are theirs; the rest end the program as usual.
 */
export class Screen {
  readonly #input: ReadStream = process.stdin;
  readonly #output: WriteStream = process.stdout;
  readonly #terminal = new TerminalWriter();
  #isEntered = false;
  #isClosed = false;
  #isQuitting = false;
  /** The lines that the terminal shows; none where that is not known. */
  #shown: readonly string[] = [];
  #wholeMs = Number.NEGATIVE_INFINITY;
  #stopKeys: (() => void) | undefined;

  /**
   * @param onQuit called on q, Ctrl-C, or when the terminal is gone; perhaps more than once
   * @param onResize called when the size has changed, and when the program goes on after Ctrl-Z: draw again
   * @param onKey called with each key but Ctrl-C and Ctrl-Z; q does not quit by itself then
   */
  constructor(
    readonly onQuit: () => void,
    readonly onResize: () => void,
    readonly onKey?: (key: KeyPress) => void,
  ) {
    process.on('exit', this.#leave);
    // Before all others: a listener that is called once is still counted then.
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
   * Shows these lines, of at most `width` columns each and without control sequences other than attributes. Of a frame
   * like the last one only the lines that differ are written: over a slow connection that is a fifth. A frame is left out
   * while the terminal has not taken all of the last one. Never blocks.
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

  /** Makes the next frame a whole one, whatever is on the terminal. */
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
    // Here the process stands still until SIGCONT; or not, where no shell would wake it: then the kernel does not stop it.
    setImmediate(this.#resume);
  }

  readonly #resume = (): void => {
    if (this.#isClosed) return;
    process.off('SIGTSTP', this.#suspendSelf);
    process.on('SIGTSTP', this.#suspendSelf);
    // The shell has set modes of its own, and libuv does not set again what it set before.
    this.#setRaw(false);
    this.#enter();
    this.onResize();
  };

  readonly #key = (data: Buffer): void => {
    for (const key of data.toString('latin1')) {
      // In raw mode the terminal makes no signal of Ctrl-C and Ctrl-\\. A second one does not wait for whatever hangs.
      const isEnding = key === '\x03' || key === '\x1c';
      if (isEnding && this.#isQuitting) process.kill(process.pid, 'SIGINT');
      else if (isEnding || (!this.onKey && (key === 'q' || key === 'Q'))) this.quit();
      // In raw mode the terminal makes no signal of Ctrl-Z; it would have gone to the whole job.
      if (key === '\x1a') this.#suspend(0);
    }
  };
}

/** All of it: from the top, erasing what it does not cover. */
function frame(lines: readonly string[], width: number, height: number): string {
  const below = lines.length < height ? `\r\n${ERASE_BELOW}` : '';
  return BEGIN_FRAME + HOME + lines.map((line) => erasing(line, width)).join('\r\n') + below + END_FRAME;
}

/** The lines that differ from those `before`, each at its place; empty where none does. */
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

/** Behind a full line the cursor stands on its last column: erasing from there would take it away. */
function erasing(line: string, width: number): string {
  const isFull = columnsOf(line.replace(ATTRIBUTES, '')) >= width;
  return isFull ? line : line + ERASE_TO_END_OF_LINE;
}

/**
 * Writes to the terminal behind standard output through a descriptor of its own that does not block: process.stdout
 * waits for a terminal, and a slow or stopped one would hold up the keys, the signals and the snapshots.
 */
class TerminalWriter {
  readonly #fd: number;
  readonly #isOwn: boolean;
  #rest = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isGone = false;

  constructor() {
    let own: number | undefined;
    try {
      own = openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // Another user's terminal (after su): then through the one that we were given, which may block.
    }
    this.#fd = own ?? 1;
    this.#isOwn = own !== undefined;
  }

  /** Whether the terminal has not taken all that it was offered. */
  get isBusy(): boolean {
    return this.#rest.length > 0;
  }

  /** Whether it can take nothing any more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Writes what the terminal takes now, and the rest as soon as it takes that. */
  offer(text: string): void {
    this.#rest = Buffer.from(text);
    this.#writeRest();
  }

  /** Writes all of this now, in place of what has not been taken yet; waits for a slow terminal, but not for ever. */
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
    if (this.#isOwn && !this.#isClosed) closeSync(this.#fd);
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
      this.#isGone = true; // EIO: the connection has ended
      this.#rest = Buffer.alloc(0);
    }
  }
}

/**
 * What a stream can show, by the conventions of FORCE_COLOR (0 to 3, before all else, as in Node), NO_COLOR (anything but
 * empty), COLORTERM and TERM. A terminal of 16 colours shows digits: its colours are the user's, and no scale.
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
