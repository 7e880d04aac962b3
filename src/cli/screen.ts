import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ColourMode } from '../report/colour.js';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Terminals that know it show a frame only when it is whole; the others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h\x1b[H';
const END_FRAME = '\x1b[J\x1b[?2026l';

/** The terminal while something is drawn on it. Whatever ends the program, it is given back as it was. */
export class Screen {
  readonly #input: ReadStream = process.stdin;
  readonly #output: WriteStream = process.stdout;
  #isEntered = false;

  /** @param onQuit called on q, Ctrl-C or the end of the input */
  constructor(
    readonly onQuit: () => void,
    readonly onResize: () => void,
  ) {
    const input = this.#input;
    const output = this.#output;
    this.#enter();
    process.on('exit', this.#leave);
    process.on('SIGCONT', this.#resume);
    output.on('resize', onResize);
    output.on('error', onQuit); // the terminal is gone
    if (input.isTTY) {
      input.on('data', this.#key);
      input.on('end', onQuit);
    }
  }

  get width(): number {
    return this.#output.columns || 80;
  }

  get height(): number {
    return this.#output.rows || 24;
  }

  /** Shows these lines, which must fit. A frame is left out while the terminal has not taken the last one. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered || this.#output.writableLength > 0) return;
    this.#output.write(`${BEGIN_FRAME}${lines.map((line) => `${line}\x1b[K`).join('\r\n')}${END_FRAME}`);
  }

  close(): void {
    this.#leave();
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#resume);
    this.#output.off('resize', this.onResize);
    this.#input.off('data', this.#key);
    this.#input.off('end', this.onQuit);
    this.#input.pause();
    this.#input.unref();
  }

  #enter(): void {
    this.#isEntered = true;
    if (this.#input.isTTY) this.#input.setRawMode(true);
    this.#write(ENTER);
  }

  /** Also runs when the process exits: nothing that is written later would be. */
  readonly #leave = (): void => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#write(LEAVE);
    if (this.#input.isTTY) this.#input.setRawMode(false);
  };

  readonly #resume = (): void => {
    this.#enter();
    this.onResize();
  };

  readonly #key = (data: Buffer): void => {
    for (const key of data.toString('latin1')) {
      if (key === 'q' || key === 'Q' || key === '\x03') this.onQuit();
      // Raw mode keeps Ctrl-Z from the shell: do what it would have done.
      if (key === '\x1a') {
        this.#leave();
        process.kill(process.pid, 'SIGSTOP');
      }
    }
  };

  /** Straight to standard output: while the process exits, nothing that waits in a stream is written any more. */
  #write(text: string): void {
    try {
      writeSync(1, text);
    } catch {
      // The terminal is gone: there is nothing to give back.
    }
  }
}

/** What a stream can show, by the conventions of NO_COLOR, FORCE_COLOR, COLORTERM and TERM. */
export function colourOf(env: NodeJS.ProcessEnv, isTerminal: boolean): ColourMode {
  if (env.NO_COLOR) return 'none';
  if (env.FORCE_COLOR === '3') return 'truecolor';
  if (env.FORCE_COLOR === '2') return '256';
  if (!isTerminal || !env.TERM || env.TERM === 'dumb') return 'none';
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 'truecolor';
  return /256color|direct|kitty|alacritty|ghostty/.test(env.TERM) ? '256' : 'none';
}
