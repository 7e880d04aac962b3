import { printable } from '../core/printable.js';

/** One line on the terminal that is written over and over; nothing where standard error is no terminal. */
export class StatusLine {
  readonly isShown = process.stderr.isTTY === true;
  #isWritten = false;

  show(text: string): void {
    if (!this.isShown) return;
    this.#isWritten = true;
    process.stderr.write(`\r${printable(text).slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  clear(): void {
    if (this.#isWritten) process.stderr.write('\r\x1b[K');
    this.#isWritten = false;
  }
}

const EVERY_MS = 250;

/** What is waited for, on a status line that is kept up to date. */
export class Waiting extends StatusLine {
  #timer: NodeJS.Timeout | undefined;

  constructor(text: () => string) {
    super();
    if (this.isShown) this.#timer = setInterval(() => this.show(text()), EVERY_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
