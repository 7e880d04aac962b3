/** One line on the terminal that is written over and over; nothing where standard error is no terminal. */
export class StatusLine {
  readonly isShown = process.stderr.isTTY === true;
  #isWritten = false;

  show(text: string): void {
    if (!this.isShown) return;
    this.#isWritten = true;
    process.stderr.write(`\r${text.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  clear(): void {
    if (this.#isWritten) process.stderr.write('\r\x1b[K');
    this.#isWritten = false;
  }
}
