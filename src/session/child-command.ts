import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { PagepulseError, systemCode } from '../core/errors.js';

/** Descendants of a command are recognised by this environment variable, which they inherit. */
const MARKS = 'PAGEPULSE_RUN';

/** The command could not be started. */
export class CommandNotStarted extends PagepulseError {
  readonly isMissing: boolean;

  constructor(file: string, cause: unknown) {
    const isMissing = systemCode(cause) === 'ENOENT';
    const reason = isMissing
      ? 'command not found; check its name and PATH'
      : `${(cause as Error).message}; check its permissions, and the limits of \`ulimit -a\``;
    super(isMissing ? 'NO_PROCESS' : 'PERMISSION', `cannot start ${file}: ${reason}`, { cause });
    this.isMissing = isMissing;
  }
}

/** The command ended before it could be watched; `status` is as in ChildCommand. */
export class CommandEnded extends PagepulseError {
  constructor(
    readonly status: number,
    cause: unknown,
  ) {
    super('NO_PROCESS', 'the command ended before it could be watched; nothing was seen', { cause });
  }
}

/** A command that was started to be watched. It shares standard input and output with this process. */
export class ChildCommand {
  readonly pid: number;
  /** Its exit status, or 128 plus the number of the signal that killed it. */
  readonly status: Promise<number>;
  readonly #child: ChildProcess;
  #hasEnded = false;

  /** @throws CommandNotStarted */
  static async start([file, ...args]: readonly string[]): Promise<ChildCommand> {
    const mark = randomUUID();
    // A run inside another one carries the marks of both.
    const marks = [process.env[MARKS], mark].filter(Boolean).join(':');
    const child = spawn(file!, args, { stdio: 'inherit', env: { ...process.env, [MARKS]: marks } });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new CommandNotStarted(file!, error);
    }
    return new ChildCommand(child, mark);
  }

  private constructor(
    child: ChildProcess,
    /** A text in the environment of every process it starts. */
    readonly mark: string,
  ) {
    this.#child = child;
    this.pid = child.pid!;
    this.status = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#hasEnded = true;
        resolve(code ?? 128 + constants.signals[signal!]);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Lets this process exit before the command does. */
  detach(): void {
    this.#child.unref();
  }

  /** Passes a signal on. On a terminal, Ctrl-C has reached the command already. */
  signal(signal: 'SIGINT' | 'SIGTERM'): void {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    this.#child.kill(signal);
  }
}
