import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** A test on a real terminal: tmux is one that can be read. */
export function onTerminal(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (hasTmux) test.serial(title, run);
  else test.skip(`${title} (not run: there is no tmux)`, run);
}

const PATIENCE_MS = 120_000;

/** A terminal in which one can type, and see what a person would see: a tmux server of its own with one pane. */
export class Tmux {
  readonly #socket: string;

  /** @param command for /bin/sh; the terminal stays open for a while after it */
  constructor(
    t: ExecutionContext,
    command: string,
    { width = 100, height = 24, env = {} }: { width?: number; height?: number; env?: NodeJS.ProcessEnv } = {},
  ) {
    // Test files run in threads of one process, each with its own copy of this module.
    this.#socket = `pagepulse-test-${randomUUID()}`;
    t.teardown(() => spawnSync('tmux', ['-L', this.#socket, 'kill-server']));
    const size = ['-x', String(width), '-y', String(height)];
    execFileSync(
      'tmux',
      [
        '-L',
        this.#socket,
        '-f',
        '/dev/null',
        'new-session',
        '-d',
        ...size,
        '-s',
        't',
        `${command}; sleep 60`,
      ],
      { env: { ...process.env, SHELL: '/bin/sh', ...env } },
    );
  }

  /** Keys by the names of tmux (Down, Enter, Escape, C-z), or text. */
  type(...keys: readonly string[]): void {
    this.#run('send-keys', '-t', 't', ...keys);
  }

  resize(width: number, height: number): void {
    this.#run('resize-window', '-t', 't', '-x', String(width), '-y', String(height));
  }

  /** The lines of the terminal as they are now; with attributes as control sequences, if asked for. */
  look(withAttributes = false): string {
    return this.#run('capture-pane', '-p', ...(withAttributes ? ['-e'] : []), '-t', 't');
  }

  /** What it shows, as soon as that matches. */
  async shows(pattern: RegExp): Promise<string> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = this.look();
      if (pattern.test(text)) return text;
      if (performance.now() > deadlineMs)
        throw new Error(`the terminal does not show ${pattern}, but:\n${text}`);
      await pause(50);
    }
  }

  #run(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}
