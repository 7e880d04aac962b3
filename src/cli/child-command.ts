import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { systemCode } from '../core/errors.js';
import { ExitStatus, note } from './failure.js';

/** The environment variable by which all that a command has started is recognised. */
const MARKS = 'PAGEPULSE_RUN';

/** After this time it is said that the command is waited for. */
const PATIENCE_MS = 1_000;

/** A command that was started to be watched. Its input and output are those of the terminal. */
export class ChildCommand {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #hasEnded = false;

  /** @throws ExitStatus 127 or 126, as a shell would, where it cannot be started */
  static async start([file, ...args]: readonly string[]): Promise<ChildCommand> {
    const mark = randomUUID();
    // A run inside another one carries the marks of both.
    const marks = [process.env[MARKS], mark].filter(Boolean).join(':');
    const child = spawn(file!, args, { stdio: 'inherit', env: { ...process.env, [MARKS]: marks } });
    try {
      await once(child, 'spawn');
    } catch (error) {
      const isMissing = systemCode(error) === 'ENOENT';
      const reason = isMissing
        ? 'there is no such command; look at its name and at PATH'
        : `${(error as Error).message}; look at its permissions, and at the limits of \`ulimit -a\``;
      note(`cannot start ${file}: ${reason}`);
      throw new ExitStatus(isMissing ? 127 : 126);
    }
    return new ChildCommand(child, mark);
  }

  private constructor(
    child: ChildProcess,
    /** A text in the environment of all that it starts. */
    readonly mark: string,
  ) {
    this.#child = child;
    this.pid = child.pid!;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#hasEnded = true;
        resolve(code ?? 128 + constants.signals[signal!]);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Its exit status; 128 and the signal's number if it was killed. Says what is waited for if that takes long. */
  async ended(): Promise<number> {
    const timer = setTimeout(
      () => note(`waiting for the command to exit (PID ${this.pid}); Ctrl-C ends Pagepulse at once`),
      PATIENCE_MS,
    );
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets the program end before the command, which goes on as a background job does. */
  leave(): void {
    if (this.#hasEnded) return;
    this.#child.unref();
    note(`the command keeps running (PID ${this.pid}); end it with \`kill ${this.pid}\``);
  }

  /** Passes a signal on. From a terminal, Ctrl-C has reached the command already. */
  signal(signal: 'SIGINT' | 'SIGTERM'): void {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    this.#child.kill(signal);
  }
}
